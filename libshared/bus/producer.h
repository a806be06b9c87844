/* SPDX-License-Identifier: Apache-2.0 */
/* The idempotent producer. The delivery report is the only truth: each send ends in exactly one
 * on_delivery call. A fatal error of librdkafka is routine: the producer is rebuilt inside, whatever was
 * in flight is reported as failed, and the owner (outbox, spool) sends it again. */
#pragma once

#include <stdbool.h>

#include "bus/bus.h"

struct producer;

enum delivery {
    DELIVERY_OK,
    DELIVERY_FAILED /* send again later */,
    DELIVERY_REFUSED /* never: too large … */
};

/* Called from producer_poll only, on the owner's thread. tag is the one given to producer_send. */
typedef void producer_on_delivery(void *context, uint64_t tag, enum delivery delivery,
                                  const struct error *why);

int producer_open(const struct bus_settings *settings, producer_on_delivery *on_delivery,
                  void *context, struct producer **producer_r, struct error *error) WARN_UNUSED;
/* Waits at most flush_ms for what is in flight. */
void producer_close(struct producer **producer, int64_t flush_ms);

struct outgoing {
    const char *topic;
    int32_t partition;
    const char *key;     /* NUL-terminated; NULL for none */
    const char *payload; /* copied */
    size_t payload_length;
    const char *traceparent; /* NULL or "": none */
    const char *worker_id;   /* with mac: who vouches; NULL: none */
    const uint8_t *mac;      /* 32 bytes */
    uint64_t tag;
};

/* 0: accepted, a delivery report will come. -1 "busy": the queue is full, poll and try again (nothing was
 * accepted). -1 "refused": it can never be sent. */
int producer_send(struct producer *producer, const struct outgoing *message,
                  struct error *error) WARN_UNUSED;

/* For poll(2): readable when delivery reports wait. Serve it by producer_poll, which never blocks. */
int producer_fd(const struct producer *producer);
void producer_poll(struct producer *producer);

/* Fetches the metadata of a topic, so that the first send does not wait for it; also a check that the
 * broker answers. */
int producer_warm_up(struct producer *producer, const char *topic, int64_t timeout_ms,
                     struct error *error) WARN_UNUSED;
bool producer_is_healthy(
    const struct producer *producer); /* the last delivery did not fail, some broker is up */
