/* SPDX-License-Identifier: Apache-2.0 */
/* run.progress: how far running runs are, at most once a second and run, straight to Kafka. Lossy: what
 * counts is in the ledger, and run.finished says it again. */
#pragma once

#include "bus/producer.h"
#include "db/run_totals.h"

#define PROGRESS_INTERVAL_MS 1000

struct progress;

struct progress *progress_new(const char *events_topic);
void progress_free(struct progress **progress);

/* Totals that were committed. */
void progress_note(struct progress *progress, const struct run_totals *totals);

/* Sends what is due. Returns ms until it wants to be called again; -1: when there is something new. */
int64_t progress_work(struct progress *progress, struct producer *producer, int events_partitions);
