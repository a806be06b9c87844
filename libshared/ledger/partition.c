/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an owned partition: given, dropped, taken away; which step each state has; what the consumer brings.
 * Becoming ours is in take_over.c, seeing that the log is the same in verify.c. */
#include "ledger/partition.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ledger/metrics.h"
#include "ledger/take_over.h"
#include "ledger/verify.h"
#include "log/log.h"

void partition_enter(struct ledger_partition *partition, enum partition_state state)
{
    partition->state = state;
    partition->state_since_ms = monotonic_ms();
}

void partition_clear_pending(struct ledger_partition *partition)
{
    for (size_t i = 0; i < partition->pending_count; i++)
        record_free(&partition->pending[i]);
    partition->pending_count = 0;
    partition->pending_bytes = 0;
}

void partition_forget_state(struct ledger_partition *partition)
{
    const struct ledger_handlers *handlers = partition->ledger->handlers;
    if (partition->loaded)
        handlers->drop(handlers->context, partition);
    partition->loaded = false;
    partition->user = NULL;
}

/* Memory cannot be trusted, or is not ours: forget it, and what was fetched with it. */
void partition_drop(struct ledger_partition *partition, enum partition_state next,
                    const struct error *why)
{
    struct ledger *ledger = partition->ledger;
    struct error ignored;
    if (partition->store != NULL) {
        store_rollback(partition->store);
        outbox_rolled_back(ledger->outbox, partition->store);
    }
    partition->in_transaction = false;
    partition_forget_state(partition);
    partition_clear_pending(partition);
    if (partition->store != NULL && store_is_broken(partition->store))
        store_close(&partition->store);
    if (next == PARTITION_FENCED)
        metric_add(&ledger_metrics[LEDGER_FENCED], 1);
    if (why != NULL) {
        snprintf(partition->reason, sizeof partition->reason, "%s", why->text);
        log_warning("partition dropped", LOG_TEXT("topic", ledger->settings.topic),
                    LOG_INT("partition", partition->number), LOG_INT("epoch", partition->row.epoch),
                    LOG_TEXT("reason", why->text));
        backoff_failed(&partition->backoff);
    }
    if (ledger->consumer != NULL && next != PARTITION_IDLE)
        (void)!consumer_pause(ledger->consumer, partition->number, &ignored);
    partition_enter(partition, next);
}

bool partition_set_aside(struct ledger_partition *partition, const struct error *why)
{
    const struct ledger_handlers *handlers = partition->ledger->handlers;
    return store_error_is_data(why) && handlers->set_aside != NULL &&
           handlers->set_aside(handlers->context, partition, why);
}

void partition_assign(struct ledger_partition *partition)
{
    if (partition->state != PARTITION_IDLE)
        partition_drop(partition, PARTITION_IDLE, NULL);
    backoff_init(&partition->backoff, 50, 2000);
    snprintf(partition->reason, sizeof partition->reason, "taking over");
    partition->verified = false;
    partition->failing = false;
    partition->missing_since_ms = 0;
    partition->unheard = false;
    partition->judging = false;
    partition->asked_ms = 0;
    consumer_forget_ends(partition->ledger->consumer, partition->number);
    partition_enter(partition, PARTITION_TAKING);
}

void partition_revoke(struct ledger_partition *partition)
{
    partition_drop(partition, PARTITION_IDLE, NULL);
    store_close(&partition->store);
}

bool partition_is_usable(const struct ledger_partition *partition)
{
    return partition->loaded && (partition->state == PARTITION_OWNED ||
                                 (partition->state == PARTITION_VERIFYING && partition->verified));
}

void partition_note(struct ledger_partition *partition, const char *what, const struct error *error)
{
    if (strncmp(partition->reason, error->text, sizeof partition->reason) != 0)
        log_warning(what, LOG_TEXT("topic", partition->ledger->settings.topic),
                    LOG_INT("partition", partition->number), LOG_TEXT("reason", error->text));
    snprintf(partition->reason, sizeof partition->reason, "%s", error->text);
}

/* ---- steps ------------------------------------------------------------------------------------ */

/* The log's identity is checked when nothing waits, under load a little later. */
static bool step_owned(struct ledger_partition *partition)
{
    struct error error;
    int64_t overdue_ms = monotonic_ms() - partition->check_due_ms;
    int64_t patience_ms =
        partition->pending_count > 0 ? partition->ledger->settings.log_check_ms : 0;
    if (partition->judging) {
        verify_range(partition);
        return false;
    }
    if (partition->row.hash.known && overdue_ms >= patience_ms) {
        if (verify_start(partition, &error) < 0) {
            partition_note(partition, "the log cannot be checked", &error);
            partition->check_due_ms = monotonic_ms() + 1000;
        }
        return false;
    }
    if (partition->pending_count == 0) {
        if (overdue_ms >= 0)
            verify_progress(partition);
        return false;
    }
    ledger_take_batch(partition);
    return partition->state != PARTITION_OWNED || partition->pending_count > 0;
}

static bool (*const steps[])(struct ledger_partition *) = {
    [PARTITION_IDLE] = NULL,
    [PARTITION_TAKING] = take_over_step,
    [PARTITION_VERIFYING] = verify_step,
    [PARTITION_OWNED] = step_owned,
    [PARTITION_RELOADING] = take_over_step_reloading,
    [PARTITION_RESETTING] = take_over_step_resetting,
    [PARTITION_RAISING] = take_over_step_raising,
    [PARTITION_FENCED] = take_over_step_fenced,
};

bool partition_step(struct ledger_partition *partition)
{
    if (partition->state == PARTITION_IDLE || !backoff_is_due(&partition->backoff))
        return false;
    return steps[partition->state](partition);
}

/* ---- what the consumer brings ----------------------------------------------------------------- */

static void add_pending(struct ledger_partition *partition, struct record *record)
{
    partition->pending = array_reserve(partition->pending, &partition->pending_capacity,
                                       partition->pending_count, sizeof *partition->pending);
    partition->pending[partition->pending_count++] = record;
    partition->pending_bytes += record->payload_length;
}

/* The offset that must come next. */
static int64_t expected_offset(const struct ledger_partition *partition)
{
    if (partition->pending_count > 0)
        return partition->pending[partition->pending_count - 1]->offset + 1;
    return partition->row.next_offset;
}

void partition_on_record(struct ledger_partition *partition, struct record *record)
{
    partition->unheard = false;
    if (partition->state == PARTITION_VERIFYING)
        verify_record(partition, record);
    if (record->offset >= partition->log_end)
        partition->log_end = record->offset + 1;
    /* What was fetched before a drop, and what is below our offset, is read again or was taken. */
    bool wanted =
        partition->state == PARTITION_OWNED && record->offset >= expected_offset(partition);
    if (!wanted) {
        record_free(&record);
        return;
    }
    if (record->offset > expected_offset(partition))
        log_error(
            "records are missing in the log", LOG_TEXT("topic", partition->ledger->settings.topic),
            LOG_INT("partition", partition->number),
            LOG_INT("expected", expected_offset(partition)), LOG_INT("offset", record->offset));
    add_pending(partition, record);
}
