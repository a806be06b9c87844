/* SPDX-License-Identifier: Apache-2.0 */
/* What an executor is told by its environment. */
#pragma once

#include <stdint.h>

#include "settings/settings.h"

struct executor_settings {
    char *api_url, *join_token, *worker_name, *labels;
    char *spool_dir, *work_dir, *secrets_dir, *source_roots, *plugin_dir, *path, *runner;
    int64_t slots;
    int64_t git_cache_mb;
    int64_t heartbeat_ms;
    int64_t resend_ms;
    int64_t enrol_again_ms;
};
extern const struct settings_table executor_settings;

/* What was not given and depends on the place: the name, and where the plugin lies. */
void executor_settings_complete(struct executor_settings *settings, const char *instance_id);
