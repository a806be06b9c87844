/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the events' topic: every partition from its end on, opened with backoff while it cannot be. A
 * thread of its own, since librdkafka may hold its caller far longer than it was told to. */
#pragma once

#include <stdbool.h>

#include "bus/bus.h"
#include "installation.h"
#include "message/event.h"

struct tail;

/* Both are called on the tail's thread. */
struct tail_handlers {
    void (*on_open)(void *context); /* what was told before may have been missed */
    void (*on_event)(void *context, const struct event *event);
    void *context;
};

int tail_start(const struct bus_settings *bus, const struct store_settings *store,
               struct installation *installation, const struct tail_handlers *handlers,
               struct tail **tail_r, struct error *error) WARN_UNUSED;
/* After it no handler is called. A thread that librdkafka holds is left to the end of the process. */
void tail_stop(struct tail **tail);
bool tail_is_open(const struct tail *tail); /* its ends are known; any thread */
