/* SPDX-License-Identifier: Apache-2.0 */
/* worker list, revoke, restore. */
#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

static const struct column columns[] = {
    {"ID", "id"},         {"NAME", "name"},       {"POOL", "pool.slug"},
    {"STATE", "state"},   {"SLOTS", "slots"},     {"RUNNING", "running_tasks"},
    {"LABELS", "labels"}, {"VERSION", "version"}, {"LAST HEARD", "last_heartbeat_at"},
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

static int say_worker(struct cli *cli, const json_t *worker, const char *text)
{
    AUTO(text_free) char *name = member_text(worker, "name");
    AUTO(text_free) char *pool = member_text(worker, "pool.slug");
    if (cli->options.json)
        print_json(worker);
    fprintf(stderr, "The worker %s of the pool %s %s.\n", name, pool, text);
    return EXIT_PASSED;
}

int cmd_worker_revoke(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *worker = NULL;
    AUTO(text_free) char *path = api_path("/v1/workers/%s", cli->options.rest[0]);
    if (api_call(cli, "DELETE", path, NULL, &worker, error) < 0)
        return -1;
    return say_worker(cli, worker, "is revoked: its key is void and it cannot enrol again");
}

int cmd_worker_restore(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *worker = NULL;
    AUTO(text_free) char *path = api_path("/v1/workers/%s/restore", cli->options.rest[0]);
    if (api_post_repeatable(cli, path, NULL, &worker, error) < 0)
        return -1;
    return say_worker(cli, worker, "may enrol again; if it runs, it does so by itself");
}
