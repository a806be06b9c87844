/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of an upload's dispatch on its way to the collector: numbered items, in messages, a few of them under
 * way at once. One thread. */
#pragma once

#include "auth/mac.h"
#include "bus/bus.h"
#include "message/task_stream.h"

struct sender;

/* Opens no connection yet. */
struct sender *sender_new(const struct bus_settings *bus);
void sender_free(struct sender **sender);

struct sent_stream {
    const char *topic;
    int partition;
    struct uuid run_id, task_id, dispatch_id, worker_id;
    uint8_t key[MAC_KEY_BYTES];
    int64_t received; /* so many items are in the ledger: they are counted and not sent */
};

int sender_begin(struct sender *sender, const struct sent_stream *stream,
                 struct error *error) WARN_UNUSED;
/* "unavailable" when the broker does not take it in time: what was sent may be there, or not. */
int sender_add_result(struct sender *sender, const struct stream_result *result,
                      struct error *error) WARN_UNUSED;
int sender_finish(struct sender *sender, const struct stream_finished *finished,
                  struct error *error) WARN_UNUSED;
