/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries: what was sent, and asking for one more. */
#pragma once

#include "routes.h"

#include "base/uuid.h"
#include "store/store.h"

route_handler deliveries_list, deliveries_get, deliveries_redeliver;

/* A test, or one more sending of an event. */
struct delivery_wish {
    const char *action; /* for the audit log */
    struct uuid project_id, endpoint_id;
    struct uuid event_id; /* "": a test */
};
/* Writes it down in the open transaction, tells the notifier, commits, answers 202. */
int deliveries_wish(struct request *request, struct response *response, struct store *store,
                    const struct delivery_wish *wish, struct error *error) WARN_UNUSED;
