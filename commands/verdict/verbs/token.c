/* SPDX-License-Identifier: Apache-2.0 */
/* token create, list, revoke. */
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

#define DEFAULT_SCOPES "runs:write,runs:read"

static json_t *scopes_json(const char *text)
{
    json_t *list = json_array();
    AUTO(text_free) char *copy = xstrdup(text);
    char *state = NULL;
    for (char *part = strtok_r(copy, ", ", &state); part != NULL;
         part = strtok_r(NULL, ", ", &state))
        json_array_append_new(list, json_lossy(part, strlen(part)));
    return list;
}

int cmd_token_create(struct cli *cli, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(json_free) json_t *answer = NULL;
    if (options->name == NULL)
        return usage_error(error, "--name is missing");
    AUTO(json_free)
    json_t *body = json_pack(
        "{s:o, s:o, s:s*, s:s*}", "name", json_lossy(options->name, strlen(options->name)),
        "scopes", scopes_json(options->scopes == NULL ? DEFAULT_SCOPES : options->scopes),
        "project", options->project, "expires_in", options->expires);
    if (api_call(cli, "POST", "/v1/tokens", body, &answer, error) < 0)
        return -1;
    if (options->json) {
        print_json(answer);
        return EXIT_PASSED;
    }
    AUTO(text_free) char *token = member_text(answer, "token");
    AUTO(text_free) char *id = member_text(answer, "id");
    printf("%s\n", token);
    fprintf(stderr, "Keep it: it is not shown again. To end it: verdict token revoke %s\n", id);
    return EXIT_PASSED;
}

static const struct column columns[] = {
    {"ID", "id"},
    {"NAME", "name"},
    {"PROJECT", "project.slug"},
    {"SCOPES", "scopes"},
    {"STATE", "state"},
    {"EXPIRES", "expires_at"},
    {"LAST USED", "last_used_at"},
};

int cmd_token_list(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *items = NULL;
    if (api_list(cli, "/v1/tokens", 0, &items, error) < 0)
        return -1;
    if (cli->options.json)
        print_json(items);
    else
        print_table(items, columns, ARRAY_SIZE(columns));
    return EXIT_PASSED;
}

int cmd_token_revoke(struct cli *cli, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/tokens/%s", cli->options.rest[0]);
    if (api_call(cli, "DELETE", path, NULL, NULL, error) < 0)
        return -1;
    if (cli->options.json) {
        AUTO(json_free)
        json_t *answer = json_pack("{s:s, s:s}", "id", cli->options.rest[0], "state", "revoked");
        print_json(answer);
    }
    fprintf(stderr, "The token is revoked.\n");
    return EXIT_PASSED;
}
