/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit of triggers: one thread with a connection of its own. A batch is what arrived while the
 * last one was committed, so there is no timer: one trigger alone waits for nobody. */
#pragma once

#include "runs/trigger.h"
#include "store/store.h"

struct batcher;
struct installation;
struct outbox;

int batcher_start(const struct store_settings *store, struct outbox *outbox,
                  struct installation *installation, struct batcher **batcher_r,
                  struct error *error) WARN_UNUSED;
/* Answers what is queued; what is submitted later is "unavailable". */
void batcher_stop(struct batcher *batcher);
void batcher_free(struct batcher **batcher);

/* The trigger's request is answered by the batcher. */
int batcher_submit(struct batcher *batcher, struct trigger *trigger,
                   struct error *error) WARN_UNUSED;

/* Sorts by key (so that no two batches wait for each other), and points every repetition at the first
 * with its key; a repetition with another body is refused. For the batcher and its test. */
void batch_fold(struct trigger **list, int count);
