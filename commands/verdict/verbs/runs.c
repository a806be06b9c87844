/* SPDX-License-Identifier: Apache-2.0 */
/* runs: a project's last runs, or a link to their page. */
#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"
#include "report_file.h"

#define RUNS_SHOWN 50

static const struct column columns[] = {
    {"RUN", "number"},           {"STATE", "state"},         {"PROJECT", "project.slug"},
    {"SUITE", "suite.slug"},     {"BUILD", "build_version"}, {"BRANCH", "branch"},
    {"FAILED", "totals.failed"}, {"OF", "totals.planned"},   {"CREATED", "created_at"},
};

static int share(struct cli *cli, struct error *error)
{
    if (cli->options.project == NULL)
        return usage_error(error, "--project is needed for --share");
    AUTO(text_free) char *path = api_path("/v1/projects/%s/share", cli->options.project);
    return share_print(cli, path, error);
}

int cmd_runs(struct cli *cli, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(text_free) char *path = xstrdup("/v1/runs");
    AUTO(json_free) json_t *items = NULL;
    if (options->share_ms > 0)
        return share(cli, error);
    api_add_query(&path, "project", options->project);
    api_add_query(&path, "suite", options->suite);
    api_add_query(&path, "branch", options->branch);
    api_add_query(&path, "commit", options->commit);
    if (api_list(cli, path, RUNS_SHOWN, &items, error) < 0)
        return -1;
    if (options->json)
        print_json(items);
    else
        print_table(items, columns, ARRAY_SIZE(columns));
    return EXIT_PASSED;
}
