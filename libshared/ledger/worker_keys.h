/* SPDX-License-Identifier: Apache-2.0 */
/* Who may speak for a worker: the keys of api.enrolment, cached for a few seconds. Scheduler and
 * result-collector check every message of a worker with it. */
#pragma once

#include "bus/bus.h"
#include "store/store.h"

#define WORKER_KEY_CACHE_MS 5000

struct worker_keys;

struct worker_keys *worker_keys_new(void);
void worker_keys_free(struct worker_keys **keys);

/* 0 when the record's MAC is by the key of the worker it names. -1 "invalid" when it is not (a dead
 * letter), another code when Postgres could not be asked (try again). */
int worker_keys_check(struct worker_keys *keys, struct store *store, const struct record *record,
                      struct error *error) WARN_UNUSED;

/* The pool that a worker which was just checked is enrolled in: it may speak for no other. */
struct uuid worker_keys_pool(const struct worker_keys *keys, const struct uuid *worker_id);
