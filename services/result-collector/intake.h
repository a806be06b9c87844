/* SPDX-License-Identifier: Apache-2.0 */
/* From records to a batch: who has sent it, what it says, and whether the scheduler knows of it. */
#pragma once

#include "batch.h"
#include "ledger/ledger.h"
#include "ledger/worker_keys.h"
#include "partitions.h"

struct message {
    json_t *json;
    struct task_stream head; /* without its items */
    struct stream_item *items;
    size_t item_count;
    struct batch_dispatch *dispatch; /* NULL when it was rejected */
};

struct intake {
    struct message *messages; /* one for each record */
    int count;
    struct batch *batch;
};

struct intake *intake_new(int count);
void intake_free(struct intake **intake);

/* Checks and decodes the records. What is wrong with one goes to its judgement; -1 only when Postgres could
 * not be asked. Makes intake->batch. */
int intake_read(struct intake *intake, struct worker_keys *keys, struct store *store,
                const struct record *const *records, struct judgement *judgements,
                struct error *error) WARN_UNUSED;

/* With the facts from Postgres: rejects what they contradict, places each dispatch, takes the items. */
void intake_take(struct intake *intake, const struct partitions *partitions,
                 struct judgement *judgements);
