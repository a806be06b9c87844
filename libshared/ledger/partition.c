/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an owned partition: taking over, verifying the log, loading again after a failure, being
 * fenced. Each state has one step function; a step that fails is tried again after a backoff. */
#include "ledger/partition.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ledger/metrics.h"
#include "log/log.h"

#define ANSWER_PATIENCE_MS 2000
#define STUCK_MS           5000 /* verifying for so long: ask the broker where the log ends */

static void enter(struct ledger_partition *partition, enum partition_state state)
{
    partition->state = state;
    partition->state_since_ms = monotonic_ms();
}

static void clear_pending(struct ledger_partition *partition)
{
    for (size_t i = 0; i < partition->pending_count; i++)
        record_free(&partition->pending[i]);
    partition->pending_count = 0;
    partition->pending_bytes = 0;
}

static void drop_user_state(struct ledger_partition *partition)
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
    drop_user_state(partition);
    clear_pending(partition);
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
    enter(partition, next);
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
    enter(partition, PARTITION_TAKING);
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

/* Said once per reason, not once per attempt. */
static void note(struct ledger_partition *partition, const char *what, const struct error *error)
{
    if (strncmp(partition->reason, error->text, sizeof partition->reason) != 0)
        log_warning(what, LOG_TEXT("topic", partition->ledger->settings.topic),
                    LOG_INT("partition", partition->number), LOG_TEXT("reason", error->text));
    snprintf(partition->reason, sizeof partition->reason, "%s", error->text);
}

/* 1: the answer of the broker; 0: it is not there yet; -1: it was refused. A partition whose broker does not
 * answer is not ready. */
static int log_ends(struct ledger_partition *partition, struct log_ends *ends_r,
                    struct error *error)
{
    int status = consumer_ends(partition->ledger->consumer, partition->number, ends_r, error);
    int64_t now_ms = monotonic_ms();
    if (status != 0) {
        partition->asked_ms = 0;
        partition->unheard = status < 0;
        if (status > 0) {
            partition->log_low = ends_r->low;
            partition->log_end = ends_r->high;
        }
        return status;
    }
    if (partition->asked_ms == 0)
        partition->asked_ms = now_ms;
    if (!partition->unheard && now_ms - partition->asked_ms > ANSWER_PATIENCE_MS) {
        struct error why;
        error_set(&why, "unavailable", "kafka does not answer");
        note(partition, "where the log ends is not known", &why);
        partition->unheard = true;
    }
    return 0;
}

/* ---- steps ------------------------------------------------------------------------------------ */

static int need_store(struct ledger_partition *partition, struct error *error)
{
    if (partition->store != NULL && store_is_broken(partition->store))
        store_close(&partition->store);
    if (partition->store != NULL)
        return 0;
    return store_open(&partition->ledger->settings.store, &partition->store, error);
}

static void step_failed(struct ledger_partition *partition, const char *what,
                        const struct error *error)
{
    note(partition, what, error);
    if (partition->store != NULL)
        store_rollback(partition->store);
    outbox_rolled_back(partition->ledger->outbox, partition->store);
    drop_user_state(partition);
    backoff_failed(&partition->backoff);
    if (error_is(error, "fenced")) {
        metric_add(&ledger_metrics[LEDGER_FENCED], 1);
        enter(partition, PARTITION_FENCED);
    }
}

/* Loads the owner's state from one snapshot, and the row with it: a moved offset means that a COMMIT
 * whose answer was lost has happened. */
static int load(struct ledger_partition *partition, struct error *error)
{
    struct ledger *ledger = partition->ledger;
    if (store_begin_snapshot(partition->store, error) < 0)
        return -1;
    if (fence_read(ledger->fence, partition->store, partition->number, partition->row.epoch,
                   &partition->row, error) < 0)
        return -1;
    partition->loaded = true; /* also half-loaded state is dropped */
    if (ledger->handlers->load(ledger->handlers->context, partition, partition->store, error) < 0)
        return -1;
    return store_commit(partition->store, error);
}

void partition_drop_anchor(struct ledger_partition *partition)
{
    partition->row.anchor =
        (struct anchor){.offset = partition->row.next_offset - 1, .hash = partition->row.hash};
}

/* Reads the anchor, to compare it with what we remember of it. */
static int start_verifying(struct ledger_partition *partition, struct error *error)
{
    struct ledger *ledger = partition->ledger;
    if (!partition->row.anchor.hash.known)
        partition_drop_anchor(partition);
    bool remembers = partition->row.anchor.hash.known;
    partition->low_is_fresh = partition->judging = false;
    int64_t from = remembers ? partition->row.anchor.offset : partition->row.next_offset;
    clear_pending(partition);
    if (consumer_start(ledger->consumer, partition->number, from, error) < 0)
        return -1;
    partition->check_due_ms = monotonic_ms() + ledger->settings.log_check_ms;
    if (!remembers)
        partition->verified = true;
    enter(partition, remembers ? PARTITION_VERIFYING : PARTITION_OWNED);
    return 0;
}

/* A batch that fails again and again is loaded again and again: only its COMMIT ends the backoff. */
static void report_owned(struct ledger_partition *partition, const char *how)
{
    if (!partition->failing) {
        backoff_succeeded(&partition->backoff);
        partition->reason[0] = '\0';
    }
    log_info(how, LOG_TEXT("topic", partition->ledger->settings.topic),
             LOG_INT("partition", partition->number), LOG_INT("epoch", partition->row.epoch),
             LOG_INT("next_offset", partition->row.next_offset));
}

/* What beginning at a log's start needs. 1: it is there; 0: the broker has not answered yet; -1: failed. */
static int prepare(struct ledger_partition *partition, struct log_ends *ends_r, struct error *error)
{
    if (need_store(partition, error) < 0)
        return -1;
    return log_ends(partition, ends_r, error);
}

/* As prepare: 1 when it is done. */
static int take_over(struct ledger_partition *partition, struct error *error)
{
    struct ledger *ledger = partition->ledger;
    struct log_ends ends;
    int status = prepare(partition, &ends, error);
    if (status <= 0)
        return status;
    if (fence_take(ledger->fence, partition->store, partition->number, ledger->settings.instance_id,
                   ends.low, &partition->row, error) < 0)
        return -1;
    partition->end_at_take_over = ends.high;
    outbox_sweep_now(ledger->outbox);
    if (load(partition, error) < 0)
        return -1;
    metric_add(&ledger_metrics[LEDGER_TAKE_OVERS], 1);
    return start_verifying(partition, error) < 0 ? -1 : 1;
}

static bool step_taking(struct ledger_partition *partition)
{
    struct error error;
    int status = take_over(partition, &error);
    if (status < 0)
        step_failed(partition, "take-over failed", &error);
    else if (status > 0)
        report_owned(partition, "partition taken over");
    return status > 0;
}

static bool step_reloading(struct ledger_partition *partition)
{
    struct error error;
    if (need_store(partition, &error) < 0 || load(partition, &error) < 0 ||
        start_verifying(partition, &error) < 0) {
        step_failed(partition, "load failed", &error);
        return false;
    }
    report_owned(partition, "partition loaded again");
    return true;
}

/* As prepare: 1 when it is done. */
static int reset(struct ledger_partition *partition, struct error *error)
{
    struct ledger *ledger = partition->ledger;
    struct log_ends ends;
    int status = prepare(partition, &ends, error);
    if (status <= 0)
        return status;
    if (fence_begin_reset(ledger->fence, partition->store, partition->number, &partition->row,
                          ends.low, error) < 0)
        return -1;
    if (ledger->handlers->resync != NULL &&
        ledger->handlers->resync(ledger->handlers->context, partition, partition->store, error) < 0)
        return -1;
    if (store_commit(partition->store, error) < 0)
        return -1;
    outbox_committed(ledger->outbox, partition->store);
    partition->row.epoch++;
    partition->end_at_take_over = ends.high;
    partition->row.anchor.hash.known = false;
    return 1;
}

static bool step_resetting(struct ledger_partition *partition)
{
    struct error error;
    int status = reset(partition, &error);
    if (status == 0)
        return false;
    if (status < 0) {
        step_failed(partition, "resync failed", &error);
        /* Whether the reset was committed shows when the epoch is raised once more. */
        if (partition->state == PARTITION_RESETTING && error_is(&error, "unknown"))
            enter(partition, PARTITION_TAKING);
        return false;
    }
    metric_add(&ledger_metrics[LEDGER_RESYNCS], 1);
    enter(partition, PARTITION_RELOADING);
    return true;
}

static bool step_raising(struct ledger_partition *partition)
{
    struct error error;
    if (need_store(partition, &error) < 0 ||
        fence_raise(partition->ledger->fence, partition->store, partition->number, &partition->row,
                    partition->seen_epoch, &error) < 0) {
        step_failed(partition, "raising the epoch failed", &error);
        if (partition->state == PARTITION_RAISING && error_is(&error, "unknown"))
            enter(partition, PARTITION_TAKING);
        return false;
    }
    int64_t above =
        partition->seen_epoch > partition->row.epoch ? partition->seen_epoch : partition->row.epoch;
    partition->row.epoch = above + 1;
    enter(partition, PARTITION_RELOADING);
    return true;
}

/* Fenced, yet the group may still give it to us (a restored database): then take over again. */
static bool step_fenced(struct ledger_partition *partition)
{
    struct error error;
    snprintf(partition->reason, sizeof partition->reason,
             "fenced: another owner has taken it over");
    if (consumer_commit(partition->ledger->consumer, partition->number, partition->row.next_offset,
                        &error) < 0) {
        backoff_failed(&partition->backoff);
        return false;
    }
    enter(partition, PARTITION_TAKING);
    return true;
}

static void log_is_other(struct ledger_partition *partition)
{
    struct error why;
    error_set(
        &why, "log_changed",
        "the log is not the log that it was (made again, or records lost): reading from its start");
    log_error("log changed", LOG_TEXT("topic", partition->ledger->settings.topic),
              LOG_INT("partition", partition->number),
              LOG_INT("next_offset", partition->row.next_offset));
    partition_drop(partition, PARTITION_RESETTING, &why);
    backoff_succeeded(&partition->backoff);
}

/* Reads again from the record that the log is known by, or the next best. */
static void read_again(struct ledger_partition *partition)
{
    struct error error;
    if (partition->log_low > partition->row.anchor.offset)
        partition_drop_anchor(partition); /* gone by retention: the next best */
    bool before_is_there = partition->log_low < partition->row.next_offset;
    int64_t from = before_is_there ? partition->row.anchor.offset : partition->row.next_offset;
    clear_pending(partition);
    if (consumer_start(partition->ledger->consumer, partition->number, from, &error) < 0) {
        note(partition, "the log cannot be read from there", &error);
        backoff_failed(&partition->backoff);
        return;
    }
    if (!before_is_there) {
        partition->verified = true;
        enter(partition, PARTITION_OWNED);
    }
}

/* The broker has nothing at our offset: is it gone by retention, or is it another log? True when that is
 * judged. */
static bool judge_range(struct ledger_partition *partition)
{
    struct error error;
    struct log_ends ends;
    int status = log_ends(partition, &ends, &error);
    if (status == 0)
        return false;
    partition->judging = false;
    enter(partition, partition->state); /* ask again only after a while */
    if (status < 0) {
        note(partition, "the log's ends are not known", &error);
        backoff_failed(&partition->backoff);
        return false;
    }
    partition->low_is_fresh = true;
    if (log_identity_of_range(partition->row.next_offset, ends.low, ends.high) == LOG_IS_OTHER)
        log_is_other(partition);
    else
        read_again(partition);
    return true;
}

/* librdkafka 2.0.2 stops fetching a topic that was deleted and made again, and does not start again by
 * itself: where the broker has records that do not come, the consumer is opened anew. */
static void reopen_consumer(struct ledger_partition *partition)
{
    log_error("records do not come though the broker has them: the consumer is opened again",
              LOG_TEXT("topic", partition->ledger->settings.topic),
              LOG_INT("partition", partition->number),
              LOG_INT("next_offset", partition->row.next_offset),
              LOG_INT("log_end", partition->log_end));
    partition->ledger->consumer_lost = true;
}

static bool step_verifying(struct ledger_partition *partition)
{
    if (!partition->judging && monotonic_ms() - partition->state_since_ms >= STUCK_MS)
        partition->judging = partition->stuck = true;
    if (!partition->judging || !judge_range(partition))
        return false;
    if (partition->state == PARTITION_VERIFYING && partition->stuck &&
        backoff_is_due(&partition->backoff))
        reopen_consumer(partition);
    partition->stuck = false;
    return false;
}

/* Nothing was ever taken, so there is no record to compare: see at least that what is there does come. */
static void check_progress(struct ledger_partition *partition)
{
    struct error error;
    struct log_ends ends;
    int64_t now_ms = monotonic_ms();
    int status = log_ends(partition, &ends, &error);
    if (status == 0)
        return;
    partition->check_due_ms = now_ms + partition->ledger->settings.log_check_ms;
    if (status < 0) {
        note(partition, "the log's ends are not known", &error);
        return;
    }
    if (ends.high <= partition->row.next_offset) {
        partition->missing_since_ms = 0;
        return;
    }
    if (partition->missing_since_ms == 0)
        partition->missing_since_ms = now_ms;
    else if (now_ms - partition->missing_since_ms > STUCK_MS)
        reopen_consumer(partition);
}

/* The log's identity is checked when nothing waits, under load a little later. */
static bool step_owned(struct ledger_partition *partition)
{
    struct error error;
    int64_t overdue_ms = monotonic_ms() - partition->check_due_ms;
    int64_t patience_ms =
        partition->pending_count > 0 ? partition->ledger->settings.log_check_ms : 0;
    if (partition->judging) {
        judge_range(partition);
        return false;
    }
    if (partition->row.hash.known && overdue_ms >= patience_ms) {
        if (start_verifying(partition, &error) < 0) {
            note(partition, "the log cannot be checked", &error);
            partition->check_due_ms = monotonic_ms() + 1000;
        }
        return false;
    }
    if (partition->pending_count == 0) {
        if (overdue_ms >= 0)
            check_progress(partition);
        return false;
    }
    ledger_take_batch(partition);
    return partition->state != PARTITION_OWNED || partition->pending_count > 0;
}

static bool (*const steps[])(struct ledger_partition *) = {
    [PARTITION_IDLE] = NULL,
    [PARTITION_TAKING] = step_taking,
    [PARTITION_VERIFYING] = step_verifying,
    [PARTITION_OWNED] = step_owned,
    [PARTITION_RELOADING] = step_reloading,
    [PARTITION_RESETTING] = step_resetting,
    [PARTITION_RAISING] = step_raising,
    [PARTITION_FENCED] = step_fenced,
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

/* All that was taken until now is of this log: the last of it is the next anchor. What lies between the two
 * was taken already. */
static int move_anchor(struct ledger_partition *partition, struct error *error)
{
    int64_t next_offset = partition->row.next_offset;
    bool is_at_end = partition->row.anchor.offset == next_offset - 1;
    partition_drop_anchor(partition);
    return is_at_end
               ? 0
               : consumer_start(partition->ledger->consumer, partition->number, next_offset, error);
}

static void verify(struct ledger_partition *partition, const struct record *record)
{
    struct error error;
    int64_t behind = partition->row.anchor.offset + 1;
    if (record->offset != partition->row.anchor.offset && !partition->low_is_fresh) {
        partition->judging = true; /* is it gone by retention? */
        return;
    }
    if (log_identity_of_record(behind, &partition->row.anchor.hash, record, partition->log_low) ==
        LOG_IS_OTHER) {
        log_is_other(partition);
        return;
    }
    if (move_anchor(partition, &error) < 0)
        return; /* asked again when it is stuck */
    partition->verified = true;
    enter(partition, PARTITION_OWNED);
}

/* The offset that must come next; -1 when any gap before it is real. */
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
        verify(partition, record);
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

void partition_on_log_error(struct ledger_partition *partition, const struct error *error)
{
    snprintf(partition->reason, sizeof partition->reason, "%s", error->text);
    if (partition->state != PARTITION_OWNED && partition->state != PARTITION_VERIFYING)
        return;
    if (error_is(error, "offset_out_of_range"))
        partition->judging = true;
    else
        partition->check_due_ms =
            0; /* any trouble with the log: see that it is the same, when it is back */
}
