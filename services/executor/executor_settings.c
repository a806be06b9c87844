/* SPDX-License-Identifier: Apache-2.0 */
#include "executor_settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/limits.h"

#define OWN(field) offsetof(struct executor_settings, field)
static const struct setting list[] = {
    {.name = "VERDICT_API_URL",
     .type = SETTING_TEXT,
     .offset = OWN(api_url),
     .min = 1,
     .max = 1024,
     .text = "api-ingest, for enrolment"},
    {.name = "VERDICT_JOIN_TOKEN",
     .type = SETTING_SECRET,
     .offset = OWN(join_token),
     .min = 1,
     .max = 200,
     .text = "the pool's join token (vdj_…)"},
    {.name = "VERDICT_WORKER_NAME",
     .type = SETTING_TEXT,
     .offset = OWN(worker_name),
     .fallback = "",
     .max = 200,
     .text = "stable name of this worker in its pool; none: the instance id"},
    {.name = "VERDICT_SLOTS",
     .type = SETTING_INT,
     .offset = OWN(slots),
     .fallback = "1",
     .min = 1,
     .max = LIMIT_SLOTS_PER_WORKER,
     .text = "how many tasks run at once"},
    {.name = "VERDICT_LABELS",
     .type = SETTING_TEXT,
     .offset = OWN(labels),
     .fallback = "",
     .max = 4096,
     .text =
         "what this worker offers beyond os, arch, cpu and memory_mb: gpu=cuda,browser=firefox"},
    {.name = "VERDICT_SPOOL_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(spool_dir),
     .min = 1,
     .max = 1024,
     .text = "where results are kept until they are settled; must survive a restart"},
    {.name = "VERDICT_WORK_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(work_dir),
     .min = 1,
     .max = 1024,
     .text = "where tasks get their directories"},
    {.name = "VERDICT_GIT_CACHE_MB",
     .type = SETTING_INT,
     .offset = OWN(git_cache_mb),
     .fallback = "2048",
     .min = 0,
     .max = 1024 * 1024,
     .text =
         "what fetched git repositories may take below the work directory; the one that was used "
         "longest ago goes first. 0: each task fetches anew"},
    {.name = "VERDICT_SECRETS_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(secrets_dir),
     .fallback = "",
     .max = 1024,
     .text = "a file per secret; suites name those that they need"},
    {.name = "VERDICT_SOURCE_ROOTS",
     .type = SETTING_TEXT,
     .offset = OWN(source_roots),
     .fallback = "",
     .max = 8192,
     .text = "directories below which sources of kind path may lie, separated by colons"},
    {.name = "VERDICT_PLUGIN_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(plugin_dir),
     .fallback = "",
     .max = 1024,
     .text = "where our parts of the test tools lie, a directory for each (pytest, javascript, "
             "prove); none: beside the program"},
    {.name = "VERDICT_TEST_PATH",
     .type = SETTING_TEXT,
     .offset = OWN(path),
     .fallback = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
     .min = 1,
     .max = 8192,
     .text = "PATH of the tests"},
    {.name = "VERDICT_RUNNER",
     .type = SETTING_TEXT,
     .offset = OWN(runner),
     .fallback = "process",
     .min = 1,
     .max = 63,
     .text = "how tests are run: process"},
    {.name = "VERDICT_HEARTBEAT",
     .type = SETTING_DURATION,
     .offset = OWN(heartbeat_ms),
     .fallback = "5s",
     .min = 50,
     .max = 60000,
     .text = "how often the scheduler hears that this worker is alive"},
    {.name = "VERDICT_RESEND",
     .type = SETTING_DURATION,
     .offset = OWN(resend_ms),
     .fallback = "30s",
     .min = 500,
     .max = 600000,
     .text = "a stream that is not settled within it is sent again; doubles to 10 min"},
    {.name = "VERDICT_ENROL_AGAIN",
     .type = SETTING_DURATION,
     .offset = OWN(enrol_again_ms),
     .fallback = "30s",
     .min = 500,
     .max = 600000,
     .text =
         "a worker that no scheduler has answered for so long, and for 12 heartbeats, enrols "
         "again; repeated ever more rarely, at most ten times as long apart; each 15 s or sooner "
         "while it is revoked"},
};
const struct settings_table executor_settings = SETTINGS(list);

/* What tests are told of it holds wherever they run. */
static void make_absolute(char **path)
{
    if ((*path)[0] == '\0' || (*path)[0] == '/')
        return;
    char *here = getcwd(NULL, 0);
    char *absolute = here == NULL ? NULL : xasprintf("%s/%s", here, *path);
    free(here);
    if (absolute == NULL)
        return;
    text_free(path);
    *path = absolute;
}

void executor_settings_complete(struct executor_settings *settings, const char *instance_id)
{
    char program[1024];
    make_absolute(&settings->work_dir);
    make_absolute(&settings->plugin_dir);
    if (settings->worker_name[0] == '\0') {
        text_free(&settings->worker_name);
        settings->worker_name = xstrdup(instance_id);
    }
    if (settings->plugin_dir[0] != '\0')
        return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    const char *const beside[] = {"../share/verdict/plugins", "../../integrations"};
    for (size_t i = 0; slash != NULL && i < ARRAY_SIZE(beside); i++) {
        AUTO(text_free)
        char *path = xasprintf("%.*s/%s", (int)(slash - program), program, beside[i]);
        char *real = realpath(path, NULL);
        if (real == NULL)
            continue;
        text_free(&settings->plugin_dir);
        settings->plugin_dir = real;
        return;
    }
}
