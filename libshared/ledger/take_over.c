/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that end with the epoch raised or the state loaded: each is a transaction or two on the partition's
 * own connection. One that fails is tried again after a backoff. */
#include "ledger/take_over.h"

#include <stdio.h>

#include "ledger/metrics.h"
#include "ledger/verify.h"
#include "log/log.h"

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
    partition_note(partition, what, error);
    if (partition->store != NULL)
        store_rollback(partition->store);
    outbox_rolled_back(partition->ledger->outbox, partition->store);
    partition_forget_state(partition);
    backoff_failed(&partition->backoff);
    if (error_is(error, "fenced")) {
        metric_add(&ledger_metrics[LEDGER_FENCED], 1);
        partition_enter(partition, PARTITION_FENCED);
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
    return verify_ask_ends(partition, ends_r, error);
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
    return verify_start(partition, error) < 0 ? -1 : 1;
}

bool take_over_step(struct ledger_partition *partition)
{
    struct error error;
    int status = take_over(partition, &error);
    if (status < 0)
        step_failed(partition, "take-over failed", &error);
    else if (status > 0)
        report_owned(partition, "partition taken over");
    return status > 0;
}

bool take_over_step_reloading(struct ledger_partition *partition)
{
    struct error error;
    if (need_store(partition, &error) < 0 || load(partition, &error) < 0 ||
        verify_start(partition, &error) < 0) {
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

bool take_over_step_resetting(struct ledger_partition *partition)
{
    struct error error;
    int status = reset(partition, &error);
    if (status == 0)
        return false;
    if (status < 0) {
        step_failed(partition, "resync failed", &error);
        /* Whether the reset was committed shows when the epoch is raised once more. */
        if (partition->state == PARTITION_RESETTING && error_is(&error, "unknown"))
            partition_enter(partition, PARTITION_TAKING);
        return false;
    }
    metric_add(&ledger_metrics[LEDGER_RESYNCS], 1);
    partition_enter(partition, PARTITION_RELOADING);
    return true;
}

bool take_over_step_raising(struct ledger_partition *partition)
{
    struct error error;
    if (need_store(partition, &error) < 0 ||
        fence_raise(partition->ledger->fence, partition->store, partition->number, &partition->row,
                    partition->seen_epoch, &error) < 0) {
        step_failed(partition, "raising the epoch failed", &error);
        if (partition->state == PARTITION_RAISING && error_is(&error, "unknown"))
            partition_enter(partition, PARTITION_TAKING);
        return false;
    }
    int64_t above =
        partition->seen_epoch > partition->row.epoch ? partition->seen_epoch : partition->row.epoch;
    partition->row.epoch = above + 1;
    partition_enter(partition, PARTITION_RELOADING);
    return true;
}

/* Fenced, yet the group may still give it to us (a restored database): then take over again. */
bool take_over_step_fenced(struct ledger_partition *partition)
{
    struct error error;
    snprintf(partition->reason, sizeof partition->reason,
             "fenced: another owner has taken it over");
    if (consumer_commit(partition->ledger->consumer, partition->number, partition->row.next_offset,
                        &error) < 0) {
        backoff_failed(&partition->backoff);
        return false;
    }
    partition_enter(partition, PARTITION_TAKING);
    return true;
}
