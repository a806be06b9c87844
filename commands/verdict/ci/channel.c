/* SPDX-License-Identifier: Apache-2.0 */
/* The CI servers, and what several of them are told alike. */
#include "ci/channel.h"

#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/memory.h"
#include "ci.h"
#include "new_file.h"
#include "output.h"
#include "report_file.h"
#include "verdict_text.h"

#define DEFAULT_FOLDER "verdict-ci"

static const struct ci_channel *const channels[] = {&ci_none, &ci_github, &ci_gitlab, &ci_jenkins,
                                                    &ci_buildkite};

const struct ci_channel ci_none = {.name = "none"};

static const char *get(const char *name)
{
    return getenv(name);
}

static const struct ci_channel *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
        if (strcmp(channels[i]->name, name) == 0)
            return channels[i];
    return NULL;
}

int ci_begin(struct cli *cli, struct error *error)
{
    const char *name = cli->options.ci == NULL ? "none" : cli->options.ci;
    struct ci ci;
    ci_read(get, &ci);
    if (strcmp(name, "auto") == 0)
        name = ci.provider == NULL ? "none" : ci.provider;
    cli->ci = find(name);
    if (cli->ci == NULL)
        return usage_error(error, "--ci %s: one of auto, github, gitlab, jenkins, buildkite, none",
                           name);
    cli->ci_is_open = true;
    if (cli->ci->begin != NULL)
        cli->ci->begin();
    return 0;
}

void ci_end(struct cli *cli)
{
    if (cli->ci_is_open && cli->ci->end != NULL)
        cli->ci->end();
    cli->ci_is_open = false;
}

static void warn(const struct cli *cli, const char *what, const struct error *error)
{
    fprintf(stderr, "verdict: %s for %s: %s\n", what, cli->ci->name, error->text);
}

void ci_tell(struct cli *cli, const json_t *run, bool is_final)
{
    struct error error;
    ci_end(cli);
    if (cli->ci->outputs != NULL && cli->ci->outputs(cli, run, &error) < 0)
        warn(cli, "the outputs cannot be written", &error);
    if (is_final && cli->ci->report != NULL && cli->ci->report(cli, run, &error) < 0)
        warn(cli, "the report cannot be written", &error);
}

static const struct {
    const char *output, *variable;
    const char *path; /* of the run; NULL: the report's URL */
} outputs[] = {
    {"verdict", "VERDICT", "state"},
    {"reason", "VERDICT_REASON", "reason"},
    {"exit_code", "VERDICT_EXIT_CODE", "exit_code"},
    {"run_id", "VERDICT_RUN_ID", "id"},
    {"run_number", "VERDICT_RUN_NUMBER", "number"},
    {"report_url", "VERDICT_REPORT_URL", NULL},
    {"planned", "VERDICT_PLANNED", "totals.planned"},
    {"passed", "VERDICT_PASSED", "totals.passed"},
    {"failed", "VERDICT_FAILED", "totals.failed"},
    {"errored", "VERDICT_ERRORED", "totals.errored"},
    {"skipped", "VERDICT_SKIPPED", "totals.skipped"},
    {"blocked", "VERDICT_BLOCKED", "totals.blocked"},
    {"not_run", "VERDICT_NOT_RUN", "totals.not_run"},
};

void ci_write_outputs(FILE *out, struct cli *cli, const json_t *run, bool as_variables)
{
    for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
        AUTO(text_free)
        char *value =
            outputs[i].path == NULL ? verdict_link(cli, run) : member_text(run, outputs[i].path);
        value[strcspn(value, "\n\t")] = '\0';
        fprintf(out, "%s=%s\n", as_variables ? outputs[i].variable : outputs[i].output, value);
    }
}

char *ci_path(const struct cli *cli, const char *name)
{
    const char *folder = cli->options.ci_dir;
    return xasprintf("%s/%s", folder == NULL ? DEFAULT_FOLDER : folder, name);
}

int ci_save_outputs(struct cli *cli, const json_t *run, const char *name, struct error *error)
{
    AUTO(new_file_discard) struct new_file *file = NULL;
    AUTO(text_free) char *path = ci_path(cli, name);
    if (new_file_make_way(path, error) < 0 || new_file_open(path, &file, error) < 0)
        return error_wrap(error, "%s", path);
    ci_write_outputs(new_file_out(file), cli, run, true);
    return new_file_commit(&file, error) < 0 ? error_wrap(error, "%s", path) : 0;
}

static char *report_path(const json_t *run)
{
    AUTO(text_free) char *id = member_text(run, "id");
    return api_path("/v1/runs/%s/report", id);
}

int ci_write_report(struct cli *cli, const json_t *run, const char *format, FILE *out,
                    struct error *error)
{
    AUTO(text_free) char *base = report_path(run);
    AUTO(text_free) char *path = xasprintf("%s?format=%s", base, format);
    return api_download(cli, path, "*/*", out, error);
}

int ci_save_report(struct cli *cli, const json_t *run, const char *format, const char *name,
                   struct error *error)
{
    AUTO(text_free) char *base = report_path(run);
    AUTO(text_free) char *path = xasprintf("%s?format=%s", base, format);
    AUTO(text_free) char *output = ci_path(cli, name);
    if (new_file_make_way(output, error) < 0)
        return error_wrap(error, "%s", output);
    return report_save(cli, path, "*/*", output, error);
}
