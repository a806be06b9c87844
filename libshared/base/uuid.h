/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as text: UUIDv7 (RFC 9562) for everything that is ordered by time, and unguessable 128-bit
 * random ids (32 hex digits) for dispatches. A struct, so that ids are copied by assignment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define UUID_TEXT_SIZE 37

struct uuid {
    char text[UUID_TEXT_SIZE]; /* canonical lower case; "" is "no id" */
};

/* Ordered by time of making (ms), also within one process and one ms. Thread-safe. */
struct uuid uuid_v7(void);

/* 128 random bits as a UUIDv4: for ids that nobody may guess. */
struct uuid uuid_random(void);

/* Accepts either case; *uuid_r is canonical. Fails with code "invalid". */
int uuid_parse(const char *text, struct uuid *uuid_r, struct error *error) WARN_UNUSED;

bool uuid_is_null(const struct uuid *uuid);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
/* The least UUIDv7 of a time: below all that are made from then on. */
struct uuid uuid_v7_least(int64_t unix_ms);
int64_t uuid_v7_time_ms(const struct uuid *uuid); /* unix time in the id */
