/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of notify.delivery, delivery_attempt and endpoint_state. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"
#include "store/store.h"

#define DELIVERY_SEALED_MAX 512

/* One delivery that is ours to send. */
struct sending {
    struct uuid id, event_id, endpoint_id, run_id; /* of the event's run; "": none */
    int attempts;                                  /* made before */
    int64_t age_ms;
    char *url;
    uint8_t sealed[DELIVERY_SEALED_MAX]; /* the secret */
    size_t sealed_length;
    char *event_type;
    char *event_at;    /* RFC 3339 */
    char *traceparent; /* of the event's run; NULL: none */
    int64_t run_version;
    json_t *data;
};
void sending_deinit(struct sending *sending);

/* A test or redelivery that was asked for; nothing when it is made already, or no longer possible. A test
 * begins an event of its own, with the request's id. */
int delivery_db_wish(struct store *store, const struct uuid *request_id, int64_t generation,
                     int64_t offset, struct error *error) WARN_UNUSED;

struct claim {
    const char *claimant;
    int64_t lease_ms;
    int per_endpoint; /* at once; one where the last attempt failed */
    int most;
    struct array_param *busy_endpoints; /* one for each request in flight now */
};
/* Due deliveries, which are the claimant's until the lease is over. */
int delivery_db_claim(struct store *store, const struct claim *claim,
                      void (*on_sending)(void *context, struct sending *sending), void *context,
                      struct error *error) WARN_UNUSED;

/* Claims given back: one that cannot be sent now, all of this process, or all that an earlier process of
 * the instance has left. */
int delivery_db_postpone(struct store *store, const struct uuid *id, int64_t wait_ms,
                         struct error *error) WARN_UNUSED;
int delivery_db_release(struct store *store, const char *claimant, struct error *error) WARN_UNUSED;
int delivery_db_take_back(struct store *store, const char *instance,
                          struct error *error) WARN_UNUSED;

struct attempt {
    const struct sending *sending;
    const char *claimant;
    struct outcome outcome;
    long status; /* 0: no answer */
    const char *error, *response;
    int64_t duration_ms;
};
/* Queues the statements that record one attempt, for the open transaction. What another claimant has in
 * its hands by now is left to it, but a success is a success. */
int delivery_db_record(struct store *store, const struct attempt *attempt,
                       struct error *error) WARN_UNUSED;

/* Until the next unclaimed one is due, in ms (negative: since when one is); false when there is none. */
int delivery_db_next(struct store *store, bool *any_r, int64_t *due_ms_r,
                     struct error *error) WARN_UNUSED;

/* Due deliveries whose endpoint was disabled or removed. */
int delivery_db_disable(struct store *store, struct error *error) WARN_UNUSED;

/* Requests that nothing has come of for a while: (id, project id). */
int delivery_db_unanswered(struct store *store, struct rows **rows_r,
                           struct error *error) WARN_UNUSED;
