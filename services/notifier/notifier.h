/* SPDX-License-Identifier: Apache-2.0 */
/* The notifier whole: inbox and sender on one loop; its settings, readiness and stop. */
#pragma once

#include "service/service.h"

struct notifier_settings {
    char *key_file;
    bool allow_private;
    int64_t timeout_ms;
    char *schedule;
    int64_t in_flight, per_host, per_endpoint;
};
extern const struct settings_table notifier_settings;

int notifier_open(struct service *service, void **context_r, struct error *error);
void notifier_close(void *context);

extern const struct readiness notifier_readiness[];
extern const size_t notifier_readiness_count;
extern const struct stop_step notifier_stop[];
extern const size_t notifier_stop_count;
