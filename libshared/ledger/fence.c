/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on inbox_offset. 0 rows is no SQL error: BEGIN and the comparison are one round trip, and
 * only after one row was seen are writes sent. */
#include "ledger/fence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SQL_SIZE 640

struct fence {
    char *group, *topic;
    char take[SQL_SIZE], read[SQL_SIZE], advance[SQL_SIZE], hold[SQL_SIZE], reset[SQL_SIZE],
        raise[SQL_SIZE];
};

struct fence *fence_new(const char *schema, const char *group, const char *topic)
{
    struct fence *fence = xcalloc(1, sizeof *fence);
    fence->group = xstrdup(group);
    fence->topic = xstrdup(topic);
    snprintf(
        fence->take, SQL_SIZE,
        "INSERT INTO %s.inbox_offset AS o (\"group\", topic, partition, next_offset, epoch, owner) "
        "VALUES ($1, $2, $3, $4, 1, $5) "
        "ON CONFLICT (\"group\", topic, partition) "
        "DO UPDATE SET epoch = o.epoch + 1, owner = excluded.owner, taken_at = now() "
        "RETURNING epoch, next_offset, last_record_hash, anchor_offset, anchor_hash",
        schema);
    snprintf(fence->read, SQL_SIZE,
             "SELECT epoch, next_offset, last_record_hash, anchor_offset, anchor_hash "
             "FROM %s.inbox_offset "
             "WHERE \"group\" = $1 AND topic = $2 AND partition = $3",
             schema);
    snprintf(fence->advance, SQL_SIZE,
             "UPDATE %s.inbox_offset SET next_offset = $6, last_record_hash = $7, "
             "anchor_offset = $8, anchor_hash = $9 "
             "WHERE \"group\" = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND "
             "next_offset = $5",
             schema);
    snprintf(fence->hold, SQL_SIZE,
             "SELECT FROM %s.inbox_offset "
             "WHERE \"group\" = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND "
             "next_offset = $5 FOR UPDATE",
             schema);
    snprintf(
        fence->reset, SQL_SIZE,
        "UPDATE %s.inbox_offset SET next_offset = $6, last_record_hash = NULL, "
        "anchor_offset = NULL, anchor_hash = NULL, epoch = epoch + 1 "
        "WHERE \"group\" = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND next_offset = "
        "$5",
        schema);
    snprintf(fence->raise, SQL_SIZE,
             "UPDATE %s.inbox_offset SET epoch = greatest($6, epoch) + 1 "
             "WHERE \"group\" = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND "
             "next_offset = $5",
             schema);
    return fence;
}

void fence_free(struct fence **fence)
{
    if (*fence != NULL) {
        free((*fence)->group);
        free((*fence)->topic);
    }
    memory_free(fence);
}

static struct record_hash to_hash(const struct rows *rows, int column)
{
    struct record_hash hash = {.known = false};
    hash.known = rows_bytes(rows, 0, column, hash.bytes, sizeof hash.bytes) == RECORD_HASH_BYTES;
    return hash;
}

static struct fence_row to_row(const struct rows *rows)
{
    return (struct fence_row){.epoch = rows_int(rows, 0, 0),
                              .next_offset = rows_int(rows, 0, 1),
                              .hash = to_hash(rows, 2),
                              .anchor = {.offset = rows_int(rows, 0, 3), .hash = to_hash(rows, 4)}};
}

static int fenced(struct error *error)
{
    return error_set(error, "fenced", "another owner has taken this partition over");
}

int fence_take(const struct fence *fence, struct store *store, int32_t partition, const char *owner,
               int64_t first_offset, struct fence_row *row_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, fence->take,
                    PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition),
                           param_int(first_offset), param_text(owner)),
                    &rows, error) < 0)
        return -1;
    *row_r = to_row(rows);
    return 0;
}

int fence_read(const struct fence *fence, struct store *store, int32_t partition, int64_t epoch,
               struct fence_row *row_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(
            store, fence->read,
            PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition)), &rows,
            error) < 0)
        return -1;
    if (rows_count(rows) == 0 || rows_int(rows, 0, 0) != epoch)
        return fenced(error);
    *row_r = to_row(rows);
    return 0;
}

static int begin(struct store *store, const char *sql, const struct param *params, int count,
                 struct error *error)
{
    if (store_pipeline_begin(store, error) < 0 ||
        store_pipeline_add(store, sql, params, count, -1, error) < 0 ||
        store_pipeline_run(store, false, error) < 0) {
        store_rollback(store);
        return -1;
    }
    if (store_pipeline_affected(store, 1) == 1)
        return 0;
    store_rollback(store);
    return fenced(error);
}

int fence_begin_batch(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, int64_t next_offset,
                      const struct record_hash *hash, struct error *error)
{
    const struct anchor *anchor = &row->anchor;
    return begin(store, fence->advance,
                 PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition),
                        param_int(row->epoch), param_int(row->next_offset), param_int(next_offset),
                        param_bytes(hash->bytes, RECORD_HASH_BYTES),
                        anchor->hash.known ? param_int(anchor->offset) : param_null(),
                        anchor->hash.known ? param_bytes(anchor->hash.bytes, RECORD_HASH_BYTES)
                                           : param_null()),
                 error);
}

int fence_begin_timer(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, struct error *error)
{
    return begin(store, fence->hold,
                 PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition),
                        param_int(row->epoch), param_int(row->next_offset)),
                 error);
}

int fence_begin_reset(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, int64_t log_start, struct error *error)
{
    return begin(store, fence->reset,
                 PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition),
                        param_int(row->epoch), param_int(row->next_offset), param_int(log_start)),
                 error);
}

int fence_raise(const struct fence *fence, struct store *store, int32_t partition,
                const struct fence_row *row, int64_t seen, struct error *error)
{
    if (begin(store, fence->raise,
              PARAMS(param_text(fence->group), param_text(fence->topic), param_int(partition),
                     param_int(row->epoch), param_int(row->next_offset), param_int(seen)),
              error) < 0)
        return -1;
    return store_commit(store, error);
}
