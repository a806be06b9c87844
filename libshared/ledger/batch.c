/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: fence, handler, dead letters, COMMIT; then memory. A batch with a message that Postgres
 * refuses as data is run again one record per transaction, and that record becomes a dead letter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ledger/metrics.h"
#include "ledger/partition.h"
#include "ledger/verify.h"
#include "log/log.h"
#include "model/limits.h"

#define DEAD_SQL_SIZE 320

static int dead_letter(struct ledger_partition *partition, const struct record *record,
                       const struct error *why, struct error *error)
{
    char sql[DEAD_SQL_SIZE];
    struct uuid id = uuid_v7();
    size_t kept = record->payload_length;
    if (kept > (size_t)LIMIT_DEAD_LETTER_BYTES)
        kept = (size_t)LIMIT_DEAD_LETTER_BYTES;
    snprintf(sql, sizeof sql,
             "INSERT INTO %s.dead_letter (id, topic, partition, \"offset\", payload, "
             "payload_bytes, error) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7)",
             partition->ledger->settings.schema);
    return store_pipeline_add(
        partition->store, sql,
        PARAMS(param_uuid(&id), param_text(record->topic), param_int(record->partition),
               param_int(record->offset),
               param_bytes(record->payload == NULL ? "" : record->payload, kept),
               param_int((int64_t)record->payload_length), param_text(why->text)),
        -1, error);
}

/* The copy for people on the dead-letters topic: lossy, the table keeps the original. */
static void publish_dead_letter(struct ledger_partition *partition, const struct record *record,
                                const struct error *why)
{
    struct ledger *ledger = partition->ledger;
    size_t kept = record->payload_length;
    if (kept > (size_t)LIMIT_DEAD_LETTER_BYTES)
        kept = (size_t)LIMIT_DEAD_LETTER_BYTES;
    AUTO(json_free)
    json_t *copy =
        json_pack("{s:i, s:s, s:s, s:i, s:I, s:o, s:o}", "version", 1, "type", "dead.letter",
                  "topic", record->topic, "partition", (int)record->partition, "offset",
                  (json_int_t)record->offset, "error", json_lossy(why->text, strlen(why->text)),
                  "payload", json_lossy(record->payload == NULL ? "" : record->payload, kept));
    AUTO(text_free) char *text = json_text(copy);
    struct error error;
    const struct outgoing message = {.topic = ledger->settings.dead_letters_topic,
                                     .partition = 0,
                                     .key = record->topic,
                                     .payload = text,
                                     .payload_length = strlen(text)};
    if (producer_send(outbox_producer(ledger->outbox), &message, &error) < 0)
        log_failure(LOG_LEVEL_WARNING, "dead letter not published", &error);
    log_warning("message rejected", LOG_TEXT("topic", record->topic),
                LOG_INT("partition", record->partition), LOG_INT("offset", record->offset),
                LOG_TEXT("field", why->field), LOG_TEXT("reason", why->text));
    metric_add(&ledger_metrics[LEDGER_DEAD_LETTERS], 1);
}

static int batch_size(const struct ledger_partition *partition)
{
    const struct ledger_settings *settings = &partition->ledger->settings;
    int64_t bytes = 0;
    int count = 0;
    if (partition->pending[0]->offset < partition->single_until)
        return 1;
    while ((size_t)count < partition->pending_count && count < settings->batch_records) {
        bytes += (int64_t)partition->pending[count]->payload_length;
        if (count > 0 && bytes > settings->batch_bytes)
            break;
        count++;
    }
    return count;
}

static int begin(struct ledger_partition *partition, int count, struct error *error)
{
    const struct record *last = partition->pending[count - 1];
    struct record_hash hash = record_hash_make(last);
    struct fence_row row = partition->row;
    if (!row.anchor.hash.known) /* the first batch ever: see advance */
        row.anchor = (struct anchor){.offset = last->offset, .hash = hash};
    return fence_begin_batch(partition->ledger->fence, partition->store, partition->number, &row,
                             last->offset + 1, &hash, error);
}

static int handle(struct ledger_partition *partition, struct judgement *judgements, int count,
                  struct error *error)
{
    const struct ledger_handlers *handlers = partition->ledger->handlers;
    const struct record *const *records = (const struct record *const *)partition->pending;
    memset(error, 0, sizeof *error);
    if (handlers->handle(handlers->context, partition, partition->store, records, judgements, count,
                         error) == RETRY)
        return -1;
    for (int i = 0; i < count; i++)
        if (judgements[i].verdict == REJECTED &&
            dead_letter(partition, records[i], &judgements[i].why, error) < 0)
            return -1;
    return 0;
}

static void advance(struct ledger_partition *partition, int count)
{
    struct record *last = partition->pending[count - 1];
    if (partition->failing) {
        partition->failing = false;
        partition->reason[0] = '\0';
    }
    backoff_succeeded(&partition->backoff);
    metric_add(&ledger_metrics[LEDGER_RECORDS], count);
    metric_add(&ledger_metrics[LEDGER_BATCHES], 1);
    partition->row.next_offset = last->offset + 1;
    partition->row.hash = record_hash_make(last);
    if (!partition->row.anchor.hash.known)
        verify_drop_anchor(partition);
    for (int i = 0; i < count; i++) {
        partition->pending_bytes -= partition->pending[i]->payload_length;
        record_free(&partition->pending[i]);
    }
    partition->pending_count -= (size_t)count;
    memmove(partition->pending, partition->pending + count,
            partition->pending_count * sizeof *partition->pending);
}

static void after_commit(struct ledger_partition *partition, const struct judgement *judgements,
                         int count)
{
    struct ledger *ledger = partition->ledger;
    outbox_committed(ledger->outbox, partition->store);
    for (int i = 0; i < count; i++)
        if (judgements[i].verdict == REJECTED)
            publish_dead_letter(partition, partition->pending[i], &judgements[i].why);
    advance(partition, count);
    if (ledger->handlers->committed != NULL)
        ledger->handlers->committed(ledger->handlers->context, partition);
}

/* A single record that Postgres refuses as data: nothing of it is kept but the dead letter. */
static void bury(struct ledger_partition *partition, const struct error *why)
{
    struct judgement judgement = {.verdict = REJECTED, .why = *why};
    struct record *record = partition->pending[0];
    struct error error;
    store_rollback(partition->store);
    outbox_rolled_back(partition->ledger->outbox, partition->store);
    if (begin(partition, 1, &error) < 0 || dead_letter(partition, record, why, &error) < 0 ||
        store_commit(partition->store, &error) < 0) {
        partition_drop(partition,
                       error_is(&error, "fenced") ? PARTITION_FENCED : PARTITION_RELOADING, &error);
        return;
    }
    publish_dead_letter(partition, record, &judgement.why);
    advance(partition, 1);
    /* The handler had begun to change memory for it. */
    partition_drop(partition, PARTITION_RELOADING, NULL);
}

static void failed(struct ledger_partition *partition, int count, const struct error *error)
{
    bool is_data = store_error_is_data(error);
    if (partition_set_aside(partition, error)) {
        partition_drop(partition, PARTITION_RELOADING, NULL);
        return;
    }
    if (is_data && count == 1) {
        bury(partition, error);
        return;
    }
    if (is_data) {
        partition->single_until = partition->pending[count - 1]->offset + 1;
        partition_drop(partition, PARTITION_RELOADING, NULL);
        return;
    }
    metric_add(&ledger_metrics[LEDGER_RETRIES], 1);
    partition->failing = true;
    partition_drop(partition, error_is(error, "fenced") ? PARTITION_FENCED : PARTITION_RELOADING,
                   error);
}

void ledger_take_batch(struct ledger_partition *partition)
{
    int count = batch_size(partition);
    struct judgement *judgements = xcalloc((size_t)count, sizeof *judgements);
    struct error error;
    int64_t started_us = monotonic_us();
    bool ok = begin(partition, count, &error) == 0;

    partition->in_transaction = ok;
    ok = ok && handle(partition, judgements, count, &error) == 0;
    ok = ok && store_commit(partition->store, &error) == 0;
    partition->in_transaction = false;

    if (ok) {
        metric_observe(&ledger_metrics[LEDGER_BATCH_SECONDS],
                       (double)(monotonic_us() - started_us) / 1e6);
        after_commit(partition, judgements, count);
    } else {
        failed(partition, count, &error);
    }
    free(judgements);
}
