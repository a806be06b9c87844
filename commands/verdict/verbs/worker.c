/* SPDX-License-Identifier: Apache-2.0 */
/* worker list. */
#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

static const struct column columns[] = {
    {"NAME", "name"},
    {"POOL", "pool.slug"},
    {"STATE", "state"},
    {"SLOTS", "slots"},
    {"RUNNING", "running_tasks"},
    {"LABELS", "labels"},
    {"VERSION", "version"},
    {"LAST HEARD", "last_heartbeat_at"},
};

int cmd_worker_list(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *items = NULL;
    const char *pool = cli->options.pool;
    AUTO(text_free) char *escaped = api_escape(pool == NULL ? "" : pool);
    AUTO(text_free)
    char *path = xasprintf("/v1/workers%s%s", pool == NULL ? "" : "?pool=", escaped);
    if (api_list(cli, path, 0, &items, error) < 0)
        return -1;
    if (cli->options.json)
        print_json(items);
    else
        print_table(items, columns, ARRAY_SIZE(columns));
    return EXIT_PASSED;
}
