/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the events' topic: every partition from its high watermark on, opened again with backoff while
 * Kafka is away. */
#pragma once

#include "bus/consumer.h"
#include "installation.h"

struct tail;

struct tail *tail_new(const struct bus_settings *bus, struct installation *installation);
void tail_free(struct tail **tail);

/* Opens what is not open yet; true when it just became so (whatever was told before may have been missed).
 * store may be NULL. */
bool tail_work(struct tail *tail, struct store *store);
bool tail_is_open(const struct tail *tail);
int tail_fd(const struct tail *tail); /* -1: not open */
struct record *tail_poll(struct tail *tail);
