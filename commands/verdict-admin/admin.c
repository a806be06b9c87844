/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of the operator's commands. */
#include "admin.h"

#include <poll.h>

#include "base/backoff.h"
#include "base/clock.h"

int admin_store(const struct admin_options *options, struct store **store_r, struct error *error)
{
    struct store_settings settings = store_defaults;
    int64_t deadline_ms = monotonic_ms() + options->wait_ms;
    struct backoff backoff;
    settings.url = options->postgres_url;
    settings.application_name = "verdict-admin";
    settings.statement_timeout_ms = 120000; /* migrations may take their time … */
    settings.lock_timeout_ms = 120000;      /* … and wait for one another */
    settings.idle_in_transaction_timeout_ms = 120000;
    if (settings.url == NULL || settings.url[0] == '\0')
        return error_set(error, "usage", "VERDICT_POSTGRES_URL is missing");
    backoff_init(&backoff, 50, 500);
    while (store_open(&settings, store_r, error) < 0) {
        backoff_failed(&backoff);
        if (monotonic_ms() + backoff_wait_ms(&backoff) > deadline_ms)
            return -1;
        poll(NULL, 0, (int)backoff_wait_ms(&backoff) + 1);
    }
    return 0;
}

int admin_api_store(const struct admin_options *options, struct store **store_r,
                    struct error *error)
{
    struct store *store = NULL;
    if (admin_store(options, &store, error) < 0)
        return -1;
    if (store_query(store, "SET ROLE verdict_api", NO_PARAMS, NULL, error) < 0) {
        store_close(&store);
        return -1;
    }
    *store_r = store;
    return 0;
}

struct bus_settings admin_bus(const struct admin_options *options)
{
    return (struct bus_settings){.brokers = options->kafka_brokers, .client_id = "verdict-admin"};
}
