/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that run handlers: one queue, and a connection to Postgres each. */
#pragma once

#include "base/error.h"
#include "store/store.h"

struct request;
struct worker;
struct workers;
struct http_server;

int workers_start(int count, const struct store_settings *store, struct http_server *server,
                  struct workers **workers_r, struct error *error) WARN_UNUSED;
void workers_stop(struct workers **workers); /* finishes what is queued */

/* "unavailable" when too many wait already. */
int workers_submit(struct workers *workers, struct request *request,
                   struct error *error) WARN_UNUSED;
/* A parked request goes on: it was let in before. */
void workers_resubmit(struct workers *workers, struct request *request);
