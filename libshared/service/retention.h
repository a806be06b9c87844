/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are older than what is kept are removed by the service that owns them: a table of statements,
 * gone through once a minute, and at the start, by a thread of its own with a connection of its own, so that
 * no request and no batch waits for it. Times are those of Postgres' clock. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* What says how old a row is, and so what a statement's parameters are. */
enum retention_key {
    RETENTION_BY_TIME,        /* $1 timestamptz */
    RETENTION_BY_ID,          /* $1 uuid: the least id of that time */
    RETENTION_BY_ID_AND_TIME, /* $1 uuid, $2 timestamptz */
    /* $1 timestamptz, $2 uuid: see removed_runs.h. Where nothing goes (any more) it looks further, from where it
     * was in the pass before, too, when that has failed. */
    RETENTION_OF_REMOVED_RUNS,
};

/* One statement, which removes about as many rows as its last parameter (int) says, through an index, and is
 * repeated until none is left. A step begins when nothing is left for those before it. */
struct retention_step {
    const char *table; /* for the metric, and for the log */
    enum retention_key key;
    int64_t kept_ms; /* for so long, whatever the setting says; 0: as the setting says */
    const char *sql;
};

struct retention_plan {
    const struct retention_step *steps;
    size_t count;
};

struct retention;

/* The plan is borrowed. */
int retention_start(const struct store_settings *store, int64_t retention_ms,
                    const struct retention_plan *plan, struct retention **retention_r,
                    struct error *error) WARN_UNUSED;
void retention_stop(
    struct retention **retention); /* waits for the statement in hand, some seconds */

void retention_metrics_register(void); /* once, however often it is called */
