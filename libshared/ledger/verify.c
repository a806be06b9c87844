/* SPDX-License-Identifier: Apache-2.0 */
/* Seeing that the log is the log that it was: by the anchor, by where it begins and ends, by what comes. */
#include "ledger/verify.h"

#include <stdio.h>

#include "base/clock.h"
#include "ledger/identity.h"
#include "log/log.h"

#define ANSWER_PATIENCE_MS 2000
#define STUCK_MS           5000 /* verifying for so long: ask the broker where the log ends */

int verify_ask_ends(struct ledger_partition *partition, struct log_ends *ends_r,
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
        partition_note(partition, "where the log ends is not known", &why);
        partition->unheard = true;
    }
    return 0;
}

void verify_drop_anchor(struct ledger_partition *partition)
{
    partition->row.anchor =
        (struct anchor){.offset = partition->row.next_offset - 1, .hash = partition->row.hash};
}

int verify_start(struct ledger_partition *partition, struct error *error)
{
    struct ledger *ledger = partition->ledger;
    if (!partition->row.anchor.hash.known)
        verify_drop_anchor(partition);
    bool remembers = partition->row.anchor.hash.known;
    partition->low_is_fresh = partition->judging = false;
    int64_t from = remembers ? partition->row.anchor.offset : partition->row.next_offset;
    partition_clear_pending(partition);
    if (consumer_start(ledger->consumer, partition->number, from, error) < 0)
        return -1;
    partition->check_due_ms = monotonic_ms() + ledger->settings.log_check_ms;
    if (!remembers)
        partition->verified = true;
    partition_enter(partition, remembers ? PARTITION_VERIFYING : PARTITION_OWNED);
    return 0;
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
        verify_drop_anchor(partition); /* gone by retention: the next best */
    bool before_is_there = partition->log_low < partition->row.next_offset;
    int64_t from = before_is_there ? partition->row.anchor.offset : partition->row.next_offset;
    partition_clear_pending(partition);
    if (consumer_start(partition->ledger->consumer, partition->number, from, &error) < 0) {
        partition_note(partition, "the log cannot be read from there", &error);
        backoff_failed(&partition->backoff);
        return;
    }
    if (!before_is_there) {
        partition->verified = true;
        partition_enter(partition, PARTITION_OWNED);
    }
}

bool verify_range(struct ledger_partition *partition)
{
    struct error error;
    struct log_ends ends;
    int status = verify_ask_ends(partition, &ends, &error);
    if (status == 0)
        return false;
    partition->judging = false;
    partition_enter(partition, partition->state); /* ask again only after a while */
    if (status < 0) {
        partition_note(partition, "the log's ends are not known", &error);
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

bool verify_step(struct ledger_partition *partition)
{
    if (!partition->judging && monotonic_ms() - partition->state_since_ms >= STUCK_MS)
        partition->judging = partition->stuck = true;
    if (!partition->judging || !verify_range(partition))
        return false;
    if (partition->state == PARTITION_VERIFYING && partition->stuck &&
        backoff_is_due(&partition->backoff))
        reopen_consumer(partition);
    partition->stuck = false;
    return false;
}

void verify_progress(struct ledger_partition *partition)
{
    struct error error;
    struct log_ends ends;
    int64_t now_ms = monotonic_ms();
    int status = verify_ask_ends(partition, &ends, &error);
    if (status == 0)
        return;
    partition->check_due_ms = now_ms + partition->ledger->settings.log_check_ms;
    if (status < 0) {
        partition_note(partition, "the log's ends are not known", &error);
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

/* All that was taken until now is of this log: the last of it is the next anchor. What lies between the two
 * was taken already. */
static int move_anchor(struct ledger_partition *partition, struct error *error)
{
    int64_t next_offset = partition->row.next_offset;
    bool is_at_end = partition->row.anchor.offset == next_offset - 1;
    verify_drop_anchor(partition);
    return is_at_end
               ? 0
               : consumer_start(partition->ledger->consumer, partition->number, next_offset, error);
}

void verify_record(struct ledger_partition *partition, const struct record *record)
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
    partition_enter(partition, PARTITION_OWNED);
}

void verify_on_log_error(struct ledger_partition *partition, const struct error *error)
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
