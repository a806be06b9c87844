/* SPDX-License-Identifier: Apache-2.0 */
#include "partitions.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "collector_metrics.h"
#include "db/partition.h"
#include "log/log.h"
#include "month.h"

#define CHECK_INTERVAL_MS ((int64_t)3600 * 1000)

struct partitions {
    struct store_settings settings;
    struct store *store; /* its own connection: what it does happens outside transactions */
    int64_t retention_ms;
    struct partition *list; /* at the last look */
    size_t count;
    bool is_ready;        /* all were made, once */
    int first_month;      /* the oldest that is kept whatever is in it */
    int64_t kept_from_ms; /* by Postgres' clock, at the last look; so is what follows from it */
    int64_t due_ms;
    struct backoff backoff;
    char reason[ERROR_TEXT_MAX];
};

struct partitions *partitions_new(const struct store_settings *store, int64_t retention_ms)
{
    struct partitions *partitions = xcalloc(1, sizeof *partitions);
    partitions->settings = *store;
    partitions->retention_ms = retention_ms;
    backoff_init(&partitions->backoff, 100, 10000);
    snprintf(partitions->reason, sizeof partitions->reason, "not made yet");
    return partitions;
}

void partitions_free(struct partitions **partitions)
{
    if (*partitions != NULL) {
        store_close(&(*partitions)->store);
        free((*partitions)->list);
    }
    memory_free(partitions);
}

static bool is_there(const struct partitions *partitions, int table, int month)
{
    for (size_t i = 0; i < partitions->count; i++) {
        const struct partition *partition = &partitions->list[i];
        if (partition->table == table && partition->month == month && partition->is_attached &&
            !partition->is_detaching)
            return true;
    }
    return false;
}

static int make_missing(struct partitions *partitions, int first_month, int end_month,
                        struct error *error)
{
    char name[MONTH_NAME_SIZE];
    for (int month = first_month; month < end_month; month++)
        for (int table = 0; table < PARTITIONED_TABLES; table++) {
            if (is_there(partitions, table, month))
                continue;
            if (db_make_partition(partitions->store, table, month, error) < 0)
                return error_wrap(error, "making the partition of %s", month_name(month, name));
        }
    return 0;
}

/* Another instance may drop the same one: what fails is tried again in an hour. */
static void drop(struct partitions *partitions, struct partition *partition)
{
    struct error error;
    char name[MONTH_NAME_SIZE];
    const bool is_failure = db_drop_partition(partitions->store, partition, &error) < 0;
    partition->is_attached = false; /* or nobody knows */
    if (is_failure) {
        log_failure(LOG_LEVEL_WARNING, "an old partition was not dropped", &error);
        return;
    }
    log_info("old partition dropped", LOG_TEXT("table", partitioned_tables[partition->table]),
             LOG_TEXT("month", month_name(partition->month, name)));
}

/* A month in which a run is left, which api-ingest has not removed yet, stays: nobody reads half a run. */
static int drop_old(struct partitions *partitions, struct error *error)
{
    for (size_t i = 0; i < partitions->count; i++) {
        struct partition *partition = &partitions->list[i];
        bool has_runs = false;
        if (partition->month >= partitions->first_month)
            continue;
        if (db_has_runs_before(partitions->store, partition->month + 1, &has_runs, error) < 0)
            return -1;
        if (!has_runs)
            drop(partitions, partition);
    }
    return 0;
}

static int look(struct partitions *partitions, int64_t *now_ms_r, struct error *error)
{
    struct partition *list;
    size_t count;
    if (db_list_partitions(partitions->store, &list, &count, now_ms_r, error) < 0)
        return -1;
    free(partitions->list);
    partitions->list = list;
    partitions->count = count;
    return 0;
}

static int maintain(struct partitions *partitions, struct error *error)
{
    int64_t now_ms;
    if (partitions->store != NULL && store_is_broken(partitions->store))
        store_close(&partitions->store);
    if (partitions->store == NULL &&
        store_open(&partitions->settings, &partitions->store, error) < 0)
        return -1;
    if (look(partitions, &now_ms, error) < 0)
        return -1;

    int first_month = month_of_ms(now_ms - partitions->retention_ms);
    int end_month = month_of_ms(now_ms) + PARTITION_MONTHS_AHEAD + 1;
    if (make_missing(partitions, first_month, end_month, error) < 0 ||
        look(partitions, &now_ms, error) < 0)
        return -1;
    partitions->is_ready = true;
    partitions->first_month = first_month;
    partitions->kept_from_ms = now_ms - partitions->retention_ms;
    metric_set(&collector_metrics[RESULT_PARTITIONS], end_month - first_month);

    return drop_old(partitions, error);
}

int64_t partitions_work(struct partitions *partitions)
{
    struct error error;
    int64_t left_ms = partitions->due_ms - monotonic_ms();
    if (partitions->due_ms > 0 && left_ms > 0)
        return left_ms;
    if (!backoff_is_due(&partitions->backoff))
        return backoff_wait_ms(&partitions->backoff);
    if (maintain(partitions, &error) < 0) {
        snprintf(partitions->reason, sizeof partitions->reason, "%s", error.text);
        log_failure(LOG_LEVEL_WARNING, "partitions of results", &error);
        backoff_failed(&partitions->backoff);
        return backoff_wait_ms(&partitions->backoff);
    }
    backoff_succeeded(&partitions->backoff);
    store_close(&partitions->store); /* an hour of idling needs no connection */
    partitions->due_ms = monotonic_ms() + CHECK_INTERVAL_MS;
    return CHECK_INTERVAL_MS;
}

bool partitions_are_ready(const struct partitions *partitions, char *reason, size_t size)
{
    if (!partitions->is_ready)
        snprintf(reason, size, "partitions of results: %s", partitions->reason);
    return partitions->is_ready;
}

bool partitions_cover(const struct partitions *partitions, const struct uuid *run_id, bool is_open)
{
    int month = month_of_id(run_id);
    for (int table = 0; table < PARTITIONED_TABLES; table++)
        if (!is_there(partitions, table, month))
            return false;
    return is_open || month >= partitions->first_month;
}

bool partitions_are_past(const struct partitions *partitions, const struct uuid *run_id)
{
    return uuid_v7_time_ms(run_id) < partitions->kept_from_ms;
}
