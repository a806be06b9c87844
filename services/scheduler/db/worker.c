/* SPDX-License-Identifier: Apache-2.0 */
/* SQL on worker and partition_owner, and on the pools of schema api. */
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "db.h"
#include "lanes.h"
#include "scheduler.h"

int db_load_pools(struct store *store, struct rows **rows_r, struct error *error)
{
    return store_query(store, "SELECT id FROM api.pool", NO_PARAMS, rows_r, error);
}

/* Those that were there when somebody last looked: each gets a full lease, and work once it is heard. */
int db_load_workers(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int partitions = ledger_installation(brain->scheduler->ledger, "scheduling_partitions");
    if (store_query(store,
                    "SELECT id, pool_id, name, labels, slots, incarnation FROM scheduling.worker "
                    "WHERE state IN ('online', 'draining', 'suspect')",
                    NO_PARAMS, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0), pool_id = rows_uuid(rows, i, 1);
        if (topic_partition(pool_id.text, partitions) != ledger_partition_number(brain->partition))
            continue;
        struct worker *worker = lane_add_worker(brain, brain_pool(brain, &pool_id), &id);
        text_free(&worker->name);
        worker->name = rows_copy(rows, i, 2);
        json_decref(worker->labels);
        worker->labels = rows_json(rows, i, 3);
        worker->slots = (int)rows_int(rows, i, 4);
        worker->incarnation = rows_int(rows, i, 5);
    }
    return 0;
}

int db_save_worker(struct store *store, const struct worker *worker, const char *state,
                   const char *version, struct error *error)
{
    AUTO(text_free) char *labels = json_text(worker->labels);
    return store_pipeline_add(
        store,
        "INSERT INTO scheduling.worker AS w (id, pool_id, name, labels, slots, state, incarnation, "
        "version) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, '')) ON CONFLICT (id) DO UPDATE SET "
        "pool_id = excluded.pool_id, "
        "name = excluded.name, labels = excluded.labels, slots = excluded.slots, state = "
        "excluded.state, "
        "incarnation = excluded.incarnation, version = coalesce($8, w.version), "
        "last_heartbeat_at = CASE WHEN excluded.state IN ('online', 'draining') THEN now() ELSE "
        "w.last_heartbeat_at END, "
        "updated_at = now()",
        PARAMS(param_uuid(&worker->id), param_uuid(&worker->pool->id), param_text(worker->name),
               param_text(labels), param_int(worker->slots), param_text(state),
               param_int(worker->incarnation), param_text(version)),
        -1, error);
}

int db_save_resync_token(struct store *store, const struct brain *brain, struct error *error)
{
    return store_pipeline_add(
        store,
        "INSERT INTO scheduling.partition_owner (partition, instance, epoch, taken_at, alive_at, "
        "resync_token) VALUES ($1, '', $2, now(), now(), $3) "
        "ON CONFLICT (partition) DO UPDATE SET resync_token = excluded.resync_token",
        PARAMS(param_int(ledger_partition_number(brain->partition)),
               param_int(ledger_partition_epoch(brain->partition)),
               param_text(brain->resync_token)),
        -1, error);
}

int db_load_resync_token(struct store *store, struct brain *brain, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store,
                    "SELECT resync_token FROM scheduling.partition_owner WHERE partition = $1",
                    PARAMS(param_int(ledger_partition_number(brain->partition))), &rows, error) < 0)
        return -1;
    if (rows_count(rows) > 0)
        snprintf(brain->resync_token, sizeof brain->resync_token, "%s", rows_text(rows, 0, 0));
    return 0;
}

int db_say_alive(struct store *store, const struct brain *brain, const char *instance,
                 struct error *error)
{
    return store_pipeline_add(
        store,
        "INSERT INTO scheduling.partition_owner AS o (partition, instance, epoch, taken_at, "
        "alive_at) "
        "VALUES ($1, $2, $3, now(), now()) ON CONFLICT (partition) DO UPDATE SET instance = "
        "excluded.instance, "
        "epoch = excluded.epoch, alive_at = now(), "
        "taken_at = CASE WHEN o.epoch = excluded.epoch THEN o.taken_at ELSE now() END",
        PARAMS(param_int(ledger_partition_number(brain->partition)), param_text(instance),
               param_int(ledger_partition_epoch(brain->partition))),
        -1, error);
}
