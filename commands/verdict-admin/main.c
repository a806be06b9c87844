/* SPDX-License-Identifier: Apache-2.0 */
/* verdict-admin: the operator's command. A table of commands; each is a file of its own. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "log/log.h"

const struct admin_command admin_commands[] = {
    {"migrate", "dir wait", "bring the database up to date; safe twice and at once", run_migrate},
    {"topics", "partitions wait", "make the topics, and store how many partitions they have",
     run_topics},
    {"pool list", "", "pools, their projects and workers", run_pool_list},
    {"pool create", "pool title", "make a pool and its topic", run_pool_create},
    {"pool grant", "pool project", "let a project run on a pool", run_pool_grant},
    {"pool join-token", "pool output", "a new join token for a pool's workers; the former one ends",
     run_pool_join_token},
    {"token create", "name scopes project expires output", "a new API token, shown once",
     run_token_create},
    {"token list", "", "tokens, without their secrets", run_token_list},
    {"token revoke", "id", "end a token", run_token_revoke},
    {"doctor", "dir", "look at every part, and say what to do", run_doctor},
    {"manual", "", "verdict-admin(8), a page for man", run_manual},
};
const size_t admin_commands_count = ARRAY_SIZE(admin_commands);

const struct admin_option admin_option_facts[] = {
    {"dir", "DIR", "where the migrations are (default: beside the program, or ./migrations)"},
    {"wait", "DURATION", "how long to wait for the servers, such as 30s (default 30s)"},
    {"partitions", "LIST", "scheduling=4,lanes=8,results=4,events=4"},
    {"pool", "SLUG", "the pool"},
    {"project", "SLUG", "the project"},
    {"name", "TEXT", "what the token is called"},
    {"title", "TEXT", "what the pool is called"},
    {"scopes", "LIST", "admin,runs:write,runs:read,config:write,config:read,workers:read"},
    {"expires", "DURATION", "such as 720h (default: never)"},
    {"output", "FILE", "write the secret to this new file instead of stdout"},
    {"id", "UUID", "the token"},
};
const size_t admin_option_facts_count = ARRAY_SIZE(admin_option_facts);

enum option_id {
    OPTION_DIR = 1,
    OPTION_WAIT,
    OPTION_PARTITIONS,
    OPTION_POOL,
    OPTION_PROJECT,
    OPTION_NAME,
    OPTION_TITLE,
    OPTION_SCOPES,
    OPTION_EXPIRES,
    OPTION_OUTPUT,
    OPTION_ID,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"partitions", required_argument, NULL, OPTION_PARTITIONS},
    {"pool", required_argument, NULL, OPTION_POOL},
    {"project", required_argument, NULL, OPTION_PROJECT},
    {"name", required_argument, NULL, OPTION_NAME},
    {"title", required_argument, NULL, OPTION_TITLE},
    {"scopes", required_argument, NULL, OPTION_SCOPES},
    {"expires", required_argument, NULL, OPTION_EXPIRES},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"id", required_argument, NULL, OPTION_ID},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(FILE *out)
{
    fprintf(out, "Usage: verdict-admin COMMAND [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; i < admin_commands_count; i++) {
        fprintf(out, "  %-18s %s\n", admin_commands[i].words, admin_commands[i].text);
        if (admin_commands[i].options[0] != '\0')
            fprintf(out, "  %-18s options: %s\n", "", admin_commands[i].options);
    }
    fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < admin_option_facts_count; i++) {
        const struct admin_option *fact = &admin_option_facts[i];
        AUTO(text_free) char *words = xasprintf("--%s %s", fact->name, fact->value);
        fprintf(out, "  %-19s %s\n", words, fact->text);
    }
    fprintf(out, "\nEnvironment: VERDICT_POSTGRES_URL, VERDICT_KAFKA_BROKERS, VERDICT_REDIS_URL, "
                 "VERDICT_TOPIC_PREFIX\n"
                 "Exit status: 0 done, 1 failed, 2 usage\n");
}

/* "pool join-token" against argv; *used_r is how many words matched. */
static const struct admin_command *find_command(int argc, char **argv, int *used_r)
{
    for (size_t i = 0; i < admin_commands_count; i++) {
        char given[64] = "";
        int words = strchr(admin_commands[i].words, ' ') == NULL ? 1 : 2;
        if (argc < words + 1)
            continue;
        snprintf(given, sizeof given, words == 1 ? "%s" : "%s %s", argv[1],
                 argc > 2 ? argv[2] : "");
        if (strcmp(given, admin_commands[i].words) != 0)
            continue;
        *used_r = words;
        return &admin_commands[i];
    }
    return NULL;
}

static int usage(const char *what, const char *problem)
{
    fprintf(stderr, "verdict-admin: %s %s\nusage: verdict-admin --help\n", what, problem);
    return ADMIN_USAGE;
}

bool admin_takes(const struct admin_command *command, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = strstr(command->options, option); at != NULL; at = strstr(at + 1, option))
        if ((at == command->options || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static int set_option(struct admin_options *options, int id, const char *value)
{
    struct error error;
    const char **texts[] = {
        [OPTION_DIR] = &options->directory, [OPTION_PARTITIONS] = &options->partitions,
        [OPTION_POOL] = &options->pool,     [OPTION_PROJECT] = &options->project,
        [OPTION_NAME] = &options->name,     [OPTION_TITLE] = &options->title,
        [OPTION_SCOPES] = &options->scopes, [OPTION_EXPIRES] = &options->expires,
        [OPTION_OUTPUT] = &options->output, [OPTION_ID] = &options->id};
    if (id != OPTION_WAIT) {
        *texts[id] = value;
        return ADMIN_OK;
    }
    if (duration_parse(value, 0, 3600000, &options->wait_ms, &error) == 0)
        return ADMIN_OK;
    return usage("--wait", error.text);
}

static int parse(const struct admin_command *command, int argc, char **argv,
                 struct admin_options *options)
{
    int id, index = 0;
    while ((id = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (id == '?')
            return usage(command->words, "got an unknown option, or one without its value");
        if (id == OPTION_HELP) {
            print_help(stdout);
            exit(ADMIN_OK);
        }
        if (!admin_takes(command, long_options[index].name))
            return usage(long_options[index].name, "is no option of this command");
        int status = set_option(options, id, optarg);
        if (status != ADMIN_OK)
            return status;
    }
    return optind < argc ? usage(argv[optind], "is not expected here") : ADMIN_OK;
}

int main(int argc, char **argv)
{
    const char *prefix = getenv("VERDICT_TOPIC_PREFIX");
    struct admin_options options = {.postgres_url = getenv("VERDICT_POSTGRES_URL"),
                                    .kafka_brokers = getenv("VERDICT_KAFKA_BROKERS"),
                                    .redis_url = getenv("VERDICT_REDIS_URL"),
                                    .topic_prefix =
                                        prefix == NULL || prefix[0] == '\0' ? "verdict" : prefix,
                                    .wait_ms = 30000};
    struct error error = {.text = ""};
    int used = 0;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        print_help(stdout);
        return ADMIN_OK;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("verdict-admin %s (%s)\n", verdict_version, verdict_commit);
        return ADMIN_OK;
    }
    const struct admin_command *command = find_command(argc, argv, &used);
    if (command == NULL)
        return usage(argc > 1 ? argv[1] : "(nothing)", "is no command");
    int status = parse(command, argc - used, argv + used, &options);
    if (status != ADMIN_OK)
        return status;
    log_init("admin", "admin", LOG_LEVEL_ERROR);
    if (sodium_init() < 0 || command->run(&options, &error) < 0) {
        fprintf(stderr, "verdict-admin %s: %s\n", command->words, error.text);
        return error_is(&error, "usage") ? ADMIN_USAGE : ADMIN_FAILED;
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return ADMIN_OK;
    fprintf(stderr, "verdict-admin %s: not all could be written to stdout\n", command->words);
    return ADMIN_FAILED;
}
