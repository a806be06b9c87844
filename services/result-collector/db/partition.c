/* SPDX-License-Identifier: Apache-2.0 */
#include "db/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "month.h"

#define DDL_SIZE 512

const char *const partitioned_tables[PARTITIONED_TABLES] = {"result", "log_chunk"};

/* ---- what is there ---------------------------------------------------------------------------- */

static const char list_partitions[] =
    "SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false) "
    "FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid "
    "WHERE c.relnamespace = 'results'::regnamespace AND c.relkind = 'r' "
    "AND c.relname ~ '^(result|log_chunk)_[0-9]{6}$'";

static bool row_to_partition(const struct rows *rows, int row, struct partition *partition_r)
{
    const char *name = rows_text(rows, row, 0);
    for (int table = 0; table < PARTITIONED_TABLES; table++) {
        size_t length = strlen(partitioned_tables[table]);
        if (strncmp(name, partitioned_tables[table], length) != 0 || name[length] != '_')
            continue;
        *partition_r = (struct partition){.table = table,
                                          .month = month_parse(name + length + 1),
                                          .is_attached = rows_bool(rows, row, 1),
                                          .is_detaching = rows_bool(rows, row, 2)};
        return partition_r->month >= 0;
    }
    return false;
}

static int load_now(struct store *store, int64_t *now_ms_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, "SELECT (extract(epoch FROM now()) * 1000)::bigint", NO_PARAMS, &rows,
                    error) < 0)
        return -1;
    *now_ms_r = rows_int(rows, 0, 0);
    return 0;
}

int db_list_partitions(struct store *store, struct partition **list_r, size_t *count_r,
                       int64_t *now_ms_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    size_t count = 0;
    if (load_now(store, now_ms_r, error) < 0 ||
        store_query(store, list_partitions, NO_PARAMS, &rows, error) < 0)
        return -1;
    *list_r = xcalloc((size_t)rows_count(rows) + 1, sizeof **list_r);
    for (int row = 0; row < rows_count(rows); row++)
        count += row_to_partition(rows, row, &(*list_r)[count]);
    *count_r = count;
    return 0;
}

/* ---- making ----------------------------------------------------------------------------------- */

static int attach_month(struct store *store, int table, int month, struct error *error)
{
    char sql[DDL_SIZE], name[MONTH_NAME_SIZE];
    const char *parent = partitioned_tables[table];
    struct uuid from = month_first_id(month), to = month_first_id(month + 1);
    snprintf(sql, sizeof sql,
             "CREATE TABLE IF NOT EXISTS results.%1$s_%2$s (LIKE results.%1$s INCLUDING ALL);"
             "ALTER TABLE results.%1$s ATTACH PARTITION results.%1$s_%2$s "
             "FOR VALUES FROM ('%3$s') TO ('%4$s');",
             parent, month_name(month, name), from.text, to.text);
    return store_script(store, sql, error);
}

static int is_attached(struct store *store, int table, int month, bool *answer_r,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    char name[MONTH_NAME_SIZE], full[64];
    snprintf(full, sizeof full, "results.%s_%s", partitioned_tables[table],
             month_name(month, name));
    if (store_query(store, "SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1)",
                    PARAMS(param_text(full)), &rows, error) < 0)
        return -1;
    *answer_r = rows_count(rows) > 0;
    return 0;
}

/* One instance at a time; the next one sees what the one before has done. */
static const char lock_partitions[] =
    "SELECT pg_advisory_xact_lock(hashtext('verdict result partitions'))";

int db_make_partition(struct store *store, int table, int month, struct error *error)
{
    bool there = false;
    if (store_begin(store, error) < 0)
        return -1;
    if (store_query(store, lock_partitions, NO_PARAMS, NULL, error) < 0 ||
        is_attached(store, table, month, &there, error) < 0 ||
        (!there && attach_month(store, table, month, error) < 0)) {
        store_rollback(store);
        return -1;
    }
    return store_commit(store, error);
}

/* ---- dropping --------------------------------------------------------------------------------- */

static int detach(struct store *store, const struct partition *partition, struct error *error)
{
    char sql[DDL_SIZE], name[MONTH_NAME_SIZE];
    const char *table = partitioned_tables[partition->table];
    snprintf(sql, sizeof sql, "ALTER TABLE results.%s DETACH PARTITION results.%s_%s %s", table,
             table, month_name(partition->month, name),
             partition->is_detaching ? "FINALIZE" : "CONCURRENTLY");
    return store_script(store, sql, error);
}

static const char find_run_before[] = "SELECT EXISTS (SELECT FROM api.run WHERE id < $1)";

int db_has_runs_before(struct store *store, int month, bool *answer_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid first = month_first_id(month);
    if (store_query(store, find_run_before, PARAMS(param_uuid(&first)), &rows, error) < 0)
        return -1;
    *answer_r = rows_bool(rows, 0, 0);
    return 0;
}

int db_drop_partition(struct store *store, const struct partition *partition, struct error *error)
{
    char sql[DDL_SIZE], name[MONTH_NAME_SIZE];
    if (partition->is_attached && detach(store, partition, error) < 0)
        return -1;
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS results.%s_%s",
             partitioned_tables[partition->table], month_name(partition->month, name));
    return store_script(store, sql, error);
}
