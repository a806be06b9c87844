/* SPDX-License-Identifier: Apache-2.0 */
/* artifacts: files that tests left, listed or saved. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/suite.h"
#include "new_file.h"
#include "output.h"

/* What several tasks or attempts called the same is told apart by its id. */
static bool is_first(const json_t *items, size_t index, const char *name)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(json_find_text(json_array_get(items, i), "path"), name) == 0)
            return false;
    return true;
}

static int save(struct cli *cli, const char *list_path, const json_t *items, size_t index,
                struct error *error)
{
    json_t *item = json_array_get(items, index);
    const char *name = json_find_text(item, "path"), *id = json_find_text(item, "id");
    AUTO(new_file_discard) struct new_file *file = NULL;
    if (name == NULL || id == NULL || name[0] == '\0' || !path_stays_inside(name))
        return error_set(error, "refused", "the server names a file that leads elsewhere");
    bool first = is_first(items, index, name);
    AUTO(text_free)
    char *path = xasprintf("%s/%s%s%s", cli->options.outputs.list[0], name, first ? "" : ".",
                           first ? "" : id);
    AUTO(text_free) char *url = xasprintf("%s/%s", list_path, id);
    if (new_file_make_way(path, error) < 0 || new_file_open(path, &file, error) < 0 ||
        api_download(cli, url, "*/*", new_file_out(file), error) < 0)
        return error_wrap(error, "%s", path);
    if (new_file_commit(&file, error) < 0)
        return error_wrap(error, "%s", path);
    if (cli->options.json)
        json_object_set_new(item, "saved_as", json_lossy(path, strlen(path)));
    else
        printf("%s\n", path);
    return 0;
}

static void print_item(const json_t *item)
{
    AUTO(text_free) char *path = member_text(item, "path");
    printf("%12lld  %-6s  %s\n", (long long)json_find_int(item, "bytes", 0),
           json_find_text(item, "kind"), path);
}

static int print_coverage(struct cli *cli, const char *path, struct error *error)
{
    AUTO(json_free) json_t *page = NULL;
    AUTO(text_free) char *url = xasprintf("%s?limit=1", path);
    if (api_call(cli, "GET", url, NULL, &page, error) < 0)
        return -1;
    const json_t *coverage = json_object_get(page, "coverage");
    if (json_is_object(coverage))
        printf("coverage %s%.1f %% (%lld of %lld lines)\n",
               json_find_bool(coverage, "at_least", false) ? "at least " : "",
               json_number_value(json_object_get(coverage, "percent")),
               (long long)json_find_int(coverage, "lines_covered", 0),
               (long long)json_find_int(coverage, "lines_total", 0));
    return 0;
}

int cmd_artifacts(struct cli *cli, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/runs/%s/artifacts", cli->options.rest[0]);
    AUTO(json_free) json_t *items = NULL;
    json_t *item;
    size_t index;
    if (cli->options.outputs.count > 1)
        return usage_error(error, "--output may be given once");
    if (api_list(cli, path, 0, &items, error) < 0)
        return -1;
    if (cli->options.outputs.count > 0) {
        api_watch_signals();
        json_array_foreach (items, index, item)
            if (save(cli, path, items, index, error) < 0)
                return -1;
        if (cli->options.json)
            print_json(items);
        return EXIT_PASSED;
    }
    if (cli->options.json) {
        print_json(items);
        return EXIT_PASSED;
    }
    json_array_foreach (items, index, item)
        print_item(item);
    return print_coverage(cli, path, error) < 0 ? -1 : EXIT_PASSED;
}
