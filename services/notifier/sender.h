/* SPDX-License-Identifier: Apache-2.0 */
/* Sends what is due: claims deliveries (several notifiers share them), keeps so many in flight per
 * endpoint and host, records each attempt. At least once: a claim that is not recorded is due again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/seal.h"
#include "schedule.h"
#include "service/loop.h"
#include "store/store.h"
#include "transport.h"

struct sender;

struct sender_settings {
    const char *instance_id;
    struct store_settings store;
    struct transport_settings transport;
    struct schedule schedule;
    int in_flight;    /* at once in all */
    int per_endpoint; /* at once to one endpoint */
    uint8_t key[SEAL_KEY_BYTES];
};

int sender_open(struct loop *loop, const struct sender_settings *settings, struct sender **sender_r,
                struct error *error) WARN_UNUSED;
/* Gives back what is claimed. */
void sender_close(struct sender **sender);

/* Something may be due now. */
void sender_wake(struct sender *sender);
/* Claims, sends, records; returns ms until it wants to be called again. */
int64_t sender_work(struct sender *sender);
/* Its connection, between transactions; NULL when Postgres is not there just now. */
struct store *sender_store(struct sender *sender);

void sender_stop_claiming(struct sender *sender);
bool sender_is_idle(const struct sender *sender); /* nothing in flight, nothing to record */
bool sender_is_ready(const struct sender *sender, char *reason, size_t size);
