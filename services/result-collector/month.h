/* SPDX-License-Identifier: Apache-2.0 */
/* Months as partitions: a run id is a UUIDv7 and begins with its time, so a month is a range of ids. */
#pragma once

#include <stdint.h>

#include "base/uuid.h"

/* Months since the year 0, UTC. */
int month_of_ms(int64_t unix_ms);
int64_t month_start_ms(int month);

/* The lowest id of the month: lower bound of its partition, upper one of the month before. */
struct uuid month_first_id(int month);

/* "202611"; back again: -1 when it is none. */
#define MONTH_NAME_SIZE 16
const char *month_name(int month, char name[MONTH_NAME_SIZE]);
int month_parse(const char *name);

/* Of any UUID: the month that its first 48 bits say. */
int month_of_id(const struct uuid *id);
