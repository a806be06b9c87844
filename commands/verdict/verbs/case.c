/* SPDX-License-Identifier: Apache-2.0 */
/* history, badge: a case or a suite over its runs. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

static void print_history(const json_t *answer)
{
    static const struct column columns[] = {{"run", "run.number"},    {"status", "status"},
                                            {"ms", "duration_ms"},    {"branch", "run.branch"},
                                            {"commit", "run.commit"}, {"at", "run.created_at"}};
    const json_t *about = json_object_get(answer, "case");
    AUTO(text_free) char *title = case_title(about);
    AUTO(text_free) char *runs = member_text(about, "flakiness.runs");
    AUTO(text_free) char *changes = member_text(about, "flakiness.changes");
    AUTO(text_free) char *retried = member_text(about, "flakiness.retried");
    AUTO(text_free) char *median = member_text(about, "durations.median_ms");
    printf("%s\n%s runs, %s changes, %s passed on a later try; median %s ms\n", title, runs,
           changes, retried, median);
    print_table(json_object_get(answer, "items"), columns, ARRAY_SIZE(columns));
}

int cmd_history(struct cli *cli, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/cases/%s", cli->options.rest[0]);
    AUTO(json_free) json_t *answer = NULL;
    api_add_query(&path, "project", cli->options.project);
    api_add_query(&path, "branch", cli->options.branch);
    if (api_call(cli, "GET", path, NULL, &answer, error) < 0)
        return -1;
    if (cli->options.json)
        print_json(answer);
    else
        print_history(answer);
    return EXIT_PASSED;
}

int cmd_badge(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *answer = NULL;
    AUTO(json_free) json_t *body = json_pack("{s:s*}", "branch", cli->options.branch);
    if (cli->options.project == NULL)
        return usage_error(error, "--project is needed");
    AUTO(text_free) char *project = api_escape(cli->options.project);
    AUTO(text_free) char *suite = api_escape(cli->options.rest[0]);
    AUTO(text_free) char *path = xasprintf("/v1/projects/%s/suites/%s/badge", project, suite);
    if (api_post_repeatable(cli, path, body, &answer, error) < 0)
        return -1;
    if (cli->options.json) {
        print_json(answer);
        return EXIT_PASSED;
    }
    AUTO(text_free) char *svg = member_text(answer, "svg");
    AUTO(text_free) char *markdown = member_text(answer, "markdown");
    printf("%s\n%s\n", svg, markdown);
    return EXIT_PASSED;
}
