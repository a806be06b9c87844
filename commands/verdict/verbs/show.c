/* SPDX-License-Identifier: Apache-2.0 */
/* show, results, logs, why: what is known of a run. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/states.h"
#include "log_tail.h"
#include "output.h"

static int get(struct cli *cli, const char *format, json_t **json_r, struct error *error)
{
    AUTO(text_free) char *path = api_path(format, cli->options.rest[0]);
    return api_call(cli, "GET", path, NULL, json_r, error);
}

static const struct column facts[] = {
    {"run", "number"},
    {"id", "id"},
    {"state", "state"},
    {"reason", "reason_text"},
    {"detail", "reason_detail"},
    {"waits", "wait.text"},
    {"since", "wait.since"},
    {"project", "project.slug"},
    {"suite", "suite.slug"},
    {"title", "title"},
    {"template", "template"},
    {"environment", "environment"},
    {"pool", "pool"},
    {"build", "build_version"},
    {"branch", "branch"},
    {"commit", "commit"},
    {"requires", "requirements"},
    {"parameters", "parameters"},
    {"rerun of", "rerun.of"},
    {"planned", "totals.planned"},
    {"passed", "totals.passed"},
    {"failed", "totals.failed"},
    {"errored", "totals.errored"},
    {"skipped", "totals.skipped"},
    {"blocked", "totals.blocked"},
    {"not run", "totals.not_run"},
    {"by", "actor.name"},
    {"created", "created_at"},
    {"started", "started_at"},
    {"finished", "finished_at"},
    {"deadline", "run_deadline"},
    {"exit status", "exit_code"},
    {"report", "links.html"},
};

int cmd_show(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *run = NULL;
    if (get(cli, "/v1/runs/%s", &run, error) < 0)
        return -1;
    if (cli->options.json) {
        print_json(run);
        return EXIT_PASSED;
    }
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        AUTO(text_free) char *text = member_text(run, facts[i].path);
        if (text[0] != '\0')
            printf("%-12s %s\n", facts[i].title, text);
    }
    return EXIT_PASSED;
}

static void print_result(const json_t *result)
{
    char span[SPAN_TEXT_SIZE];
    AUTO(text_free) char *status = member_text(result, "status");
    AUTO(text_free) char *title = case_title(result);
    AUTO(text_free) char *message = member_text(result, "message");
    printf("%s%-8s%s %9s  %s", colour_begin(stdout, status), status, colour_end(stdout),
           span_format(json_find_int(result, "duration_ms", 0), span), title);
    if (message[0] != '\0')
        printf("  %.*s", (int)strcspn(message, "\n"), message);
    putchar('\n');
}

int cmd_results(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *items = NULL;
    AUTO(text_free) char *base = api_path("/v1/runs/%s/results", cli->options.rest[0]);
    const char *status = cli->options.status;
    json_t *result;
    size_t index;
    if (status != NULL && names_find(&result_status_names, status) < 0)
        return usage_error(error, "--status %s: one of passed, failed, errored, skipped, blocked",
                           status);
    AUTO(text_free)
    char *path =
        xasprintf("%s%s%s", base, status == NULL ? "" : "?status=", status == NULL ? "" : status);
    if (api_list(cli, path, 0, &items, error) < 0)
        return -1;
    if (cli->options.json) {
        print_json(items);
        return EXIT_PASSED;
    }
    json_array_foreach (items, index, result)
        print_result(result);
    return EXIT_PASSED;
}

int cmd_logs(struct cli *cli, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/runs/%s/logs", cli->options.rest[0]);
    AUTO(json_free) json_t *chunks = NULL;
    const char *task = cli->options.task;
    if (cli->options.follow)
        return log_tail(cli, cli->options.rest[0], task, error);
    api_add_query(&path, "task", task);
    if (!cli->options.json)
        return api_download(cli, path, "text/plain", stdout, error) < 0 ? -1 : EXIT_PASSED;
    api_add_query(&path, "format", "json");
    if (api_list(cli, path, 0, &chunks, error) < 0)
        return -1;
    print_json(chunks);
    return EXIT_PASSED;
}

static void print_why(const json_t *why)
{
    static const char *const lists[] = {"reasons", "chain", "because", "items"};
    AUTO(text_free) char *text = member_text(why, "text");
    if (text[0] != '\0')
        printf("%s\n", text);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_t *entry;
        size_t index;
        json_array_foreach (json_object_get(why, lists[i]), index, entry) {
            AUTO(text_free)
            char *line = json_is_string(entry) ? clean_text(json_string_value(entry))
                                               : member_text(entry, "text");
            if (line[0] != '\0' && strcmp(line, text) != 0)
                printf("- %s\n", line);
        }
    }
}

int cmd_why(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *why = NULL;
    if (get(cli, "/v1/runs/%s/why", &why, error) < 0)
        return -1;
    if (cli->options.json)
        print_json(why);
    else
        print_why(why);
    return EXIT_PASSED;
}
