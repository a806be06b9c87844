/* SPDX-License-Identifier: Apache-2.0 */
/* Flags over environment over file. The token comes from the environment or the file, never from argv,
 * where every process of the machine could read it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli.h"
#include "yaml_json.h"

#define TOKEN_FILE_MAX 1024

static char *config_path(bool *named_r)
{
    const char *named = getenv("VERDICT_CONFIG"), *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    *named_r = named != NULL && named[0] != '\0';
    if (*named_r)
        return xstrdup(named);
    if (base != NULL && base[0] == '/')
        return xasprintf("%s/verdict/config.yaml", base);
    return xasprintf("%s/.config/verdict/config.yaml", home == NULL ? "" : home);
}

static int load_file(struct cli *cli, struct error *error)
{
    static const char *const members[] = {"url", "token", "token_file", "project"};
    bool named;
    AUTO(text_free) char *path = config_path(&named);
    const char *name;
    json_t *value;
    if (!named && access(path, R_OK) != 0)
        return 0;
    if (yaml_load(path, &cli->config, error) < 0)
        return -1;
    if (!json_is_object(cli->config))
        return usage_error(error, "%s must hold url, token or token_file, and project", path);
    json_object_foreach (cli->config, name, value) {
        bool known = false;
        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
            known |= strcmp(members[i], name) == 0;
        if (!known || !json_is_string(value))
            return usage_error(error, "%s: %s is no member, or no text", path, name);
    }
    return 0;
}

static enum origin fill(const char **slot, const char *variable, const json_t *config,
                        const char *member)
{
    const char *text = getenv(variable);
    if (*slot != NULL)
        return FROM_COMMAND_LINE;
    if (text != NULL && text[0] != '\0') {
        *slot = text;
        return FROM_ENVIRONMENT;
    }
    *slot = json_find_text(config, member);
    return *slot == NULL ? FROM_NOWHERE : FROM_CONFIG;
}

/* The file's first line becomes the token, kept in the configuration. */
static int read_token_file(struct cli *cli, const char *path, struct error *error)
{
    char line[TOKEN_FILE_MAX] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return usage_error(error, "the token's file %s: %s", path, strerror(errno));
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (cli->config == NULL)
        cli->config = json_object();
    json_object_set_new(cli->config, "token", json_lossy(line, strlen(line)));
    cli->options.token = json_find_text(cli->config, "token");
    return 0;
}

static int load(struct cli *cli, struct error *error)
{
    const char *token_file = NULL;
    int status = load_file(cli, error);
    fill(&cli->options.url, "VERDICT_URL", cli->config, "url");
    cli->project_from = fill(&cli->options.project, "VERDICT_PROJECT", cli->config, "project");
    fill(&cli->options.token, "VERDICT_TOKEN", NULL, "");
    fill(&token_file, "VERDICT_TOKEN_FILE", NULL, "");
    cli->token_from = cli->options.token != NULL ? "VERDICT_TOKEN"
                      : token_file != NULL       ? "VERDICT_TOKEN_FILE"
                                                 : "the configuration file";
    if (cli->options.token == NULL && token_file == NULL) {
        cli->options.token = json_find_text(cli->config, "token");
        token_file = json_find_text(cli->config, "token_file");
    }
    if (status == 0 && cli->options.token == NULL && token_file != NULL)
        return read_token_file(cli, token_file, error);
    return status;
}

void config_load(struct cli *cli)
{
    struct error error;
    if (load(cli, &error) < 0)
        cli->config_error = error;
}

int config_check(const struct cli *cli, struct error *error)
{
    if (cli->config_error.code[0] != '\0') {
        *error = cli->config_error;
        return -1;
    }
    if (cli->options.url == NULL)
        return usage_error(error, "the server is not known: set VERDICT_URL, or give --url");
    if (cli->options.token == NULL)
        return usage_error(error,
                           "the token is not known: set VERDICT_TOKEN or VERDICT_TOKEN_FILE");
    return 0;
}
