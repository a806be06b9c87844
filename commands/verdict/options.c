/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of options, of which each command takes some. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "model/limits.h"

enum option_kind { TEXT, FLAG, NUMBER, DURATION, LIST };

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;
    const char *value; /* for --help */
    const char *text;
};

#define AT(member) offsetof(struct cli_options, member)

/* clang-format off */
static const struct option_row rows[] = {
    {"url", TEXT, AT(url), "URL", "the server (VERDICT_URL)"},
    {"project", TEXT, AT(project), "SLUG", "the project (VERDICT_PROJECT; else verdict.yaml's, the token's, or the folder's name)"},
    {"json", FLAG, AT(json), NULL, "data as JSON on stdout"},
    {"quiet", FLAG, AT(quiet), NULL, "no progress, only the verdict"},
    {"file", TEXT, AT(file), "FILE", "or -f: what describes the project (default: verdict.yaml)"},
    {"template", TEXT, AT(template), "SLUG", "a saved trigger"},
    {"suite", TEXT, AT(suite), "SLUG", "a suite of the project; with COMMAND, or of what is uploaded: the suite's name"},
    {"environment", TEXT, AT(environment), "SLUG", "where the thing under test runs"},
    {"pool", TEXT, AT(pool), "SLUG", "the workers' pool"},
    {"framework", TEXT, AT(framework), "NAME", "how COMMAND is understood (default: by its name); whose cases are uploaded (default: the suite's, else command)"},
    {"path", TEXT, AT(path), "DIR", "where COMMAND runs (default: here); a worker must see it"},
    {"git", TEXT, AT(git), "URL", "where COMMAND runs: a repository that the worker fetches"},
    {"bundle", TEXT, AT(bundle), "DIR", "send the files of DIR, without what .gitignore and .verdictignore name, and run there"},
    {"ref", TEXT, AT(ref), "REF", "branch, tag or commit of --git; a full --commit goes before it"},
    {"pinned", FLAG, AT(pinned), NULL, "test REF, whatever the commit: the tests are another repository"},
    {"directory", TEXT, AT(directory), "DIR", "working directory inside the source"},
    {"report", TEXT, AT(report), "GLOB", "what COMMAND leaves: *.xml JUnit, *.tap, *.trx, *.json CTRF, *.jsonl go test -json, *-result.json Allure"},
    {"env", LIST, AT(variables), "NAME=VALUE", "for COMMAND's environment; may be repeated"},
    {"secret", LIST, AT(secrets), "NAME", "one of the worker's secrets; may be repeated"},
    {"artifact", LIST, AT(artifacts), "GLOB", "files to keep, below the working directory; may be repeated"},
    {"build", TEXT, AT(build), "TEXT", "version of the build (default: from CI)"},
    {"branch", TEXT, AT(branch), "NAME", "branch (default: from CI)"},
    {"commit", TEXT, AT(commit), "SHA", "commit (default: from CI)"},
    {"title", TEXT, AT(title), "TEXT", "title of the run"},
    {"priority", NUMBER, AT(priority), "0..100", "higher goes first (default 50)"},
    {"param", LIST, AT(parameters), "NAME=VALUE", "handed to the tests; may be repeated"},
    {"require", LIST, AT(requirements), "LABEL", "such as gpu=cuda or memory_mb>=4096; may be repeated"},
    {"queue-timeout", DURATION, AT(queue_timeout_ms), "DURATION", "how long it may wait for a worker"},
    {"task-timeout", DURATION, AT(task_timeout_ms), "DURATION", "how long one task may run"},
    {"run-timeout", DURATION, AT(run_timeout_ms), "DURATION", "from trigger to verdict"},
    {"allow-empty", FLAG, AT(allow_empty), NULL, "no test is fine"},
    {"cancel-superseded", FLAG, AT(cancel_superseded), NULL, "older open runs of the suite and branch are cancelled"},
    {"idempotency-key", TEXT, AT(idempotency_key), "TEXT", "the same key never makes a second run"},
    {"cancel-on-interrupt", FLAG, AT(cancel_on_interrupt), NULL, "Ctrl-C and TERM cancel the run (default: it goes on)"},
    {"timeout", DURATION, AT(timeout_ms), "DURATION", "how long to wait for the verdict (exit status 124)"},
    {"run", TEXT, AT(run), "RUN", "a run that is there, by id or number (default: a new one, of these files)"},
    {"complete", FLAG, AT(complete), NULL, "with --run: nothing more will come; waits for the verdict"},
    {"cases", TEXT, AT(cases), "WHICH", "not_passed (the default), failed or all"},
    {"no-wait", FLAG, AT(no_wait), NULL, "do not wait for the verdict; prints the new run's id"},
    {"ci", TEXT, AT(ci), "SERVER", "auto, github, gitlab, jenkins, buildkite or none (the default): summary, annotations, outputs"},
    {"ci-dir", TEXT, AT(ci_dir), "DIR", "where --ci writes files (default: verdict-ci)"},
    {"status", TEXT, AT(status), "STATUS", "only cases of this status"},
    {"follow", FLAG, AT(follow), NULL, "or -f: what is written from now on too, until the run is over"},
    {"task", TEXT, AT(task), "ID", "only this task"},
    {"format", LIST, AT(formats), "FORMAT", "html (the default), junit, json, markdown or ctrf; with --output it may be repeated. upload: junit, tap, ctrf, go-json, trx or allure (default: by what is in it)"},
    {"variant", TEXT, AT(variant), "NAME", "of which platform or configuration the results are, such as linux-arm64: the same cases count once for each"},
    {"output", LIST, AT(outputs), "FILE", "write to this file: one for each --format, in their order; artifacts: below this directory"},
    {"share", DURATION, AT(share_ms), "DURATION", "a link that opens in any browser, read-only, for so long"},
    {"name", TEXT, AT(name), "TEXT", "name of the token"},
    {"scopes", TEXT, AT(scopes), "LIST", "such as runs:write,runs:read (the default)"},
    {"expires", TEXT, AT(expires), "DURATION", "such as 720h (default: never)"},
};
/* clang-format on */
#define ROWS        ARRAY_SIZE(rows)
#define OPTION_HELP ((int)ROWS + 1)

int usage_error(struct error *error, const char *format, ...)
{
    char text[ERROR_TEXT_MAX - 40];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, "usage", "%s\nusage: verdict COMMAND --help", text);
}

/* Whether `name` is one of the words of the command's list, or an option of every command. */
static bool takes(const struct cli_command *command, const char *name)
{
    AUTO(text_free) char *all = xasprintf(" url json %s ", command->options);
    AUTO(text_free) char *word = xasprintf(" %s ", name);
    return strstr(all, word) != NULL;
}

static void print_option(const struct option_row *row)
{
    AUTO(text_free)
    char *left = xasprintf("--%s%s%s", row->name, row->value == NULL ? "" : " ",
                           row->value == NULL ? "" : row->value);
    printf("  %-28s %s\n", left, row->text);
}

const struct exit_fact exit_facts[] = {
    {EXIT_PASSED, "passed"},
    {EXIT_CASES_FAILED, "cases failed"},
    {EXIT_USAGE, "wrong usage or refused (token, name)"},
    {EXIT_RUN_ERRORED, "errored or timed out"},
    {EXIT_RUN_CANCELLED, "cancelled"},
    {EXIT_NO_TESTS, "no test ran"},
    {EXIT_UNREACHABLE, "the server cannot be reached or cannot answer now"},
    {EXIT_WAIT_OVER, "the wait is over and the run goes on"},
    {EXIT_INTERRUPTED, "interrupted"},
};
const size_t exit_facts_count = ARRAY_SIZE(exit_facts);

bool options_at(const struct cli_command *command, size_t index, struct option_fact *fact_r)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((command != NULL && !takes(command, rows[i].name)) || index-- > 0)
            continue;
        *fact_r = (struct option_fact){.name = rows[i].name,
                                       .value = rows[i].value,
                                       .text = rows[i].text,
                                       .is_list = rows[i].kind == LIST};
        return true;
    }
    return false;
}

static void print_exit_statuses(void)
{
    printf("\nExit status:\n");
    for (size_t i = 0; i < exit_facts_count; i++)
        printf("  %3d %s\n", exit_facts[i].status, exit_facts[i].text);
}

static void print_command_help(const struct cli_command *command)
{
    printf("Usage: verdict %s [OPTIONS] %s\n\n%s\n\nOptions:\n", command->words, command->arguments,
           command->text);
    for (size_t i = 0; i < ROWS; i++)
        if (takes(command, rows[i].name))
            print_option(&rows[i]);
    print_exit_statuses();
}

void options_print_help(const struct cli_command *command)
{
    if (command != NULL) {
        print_command_help(command);
        return;
    }
    printf("Usage: verdict COMMAND [OPTIONS] [ARGUMENTS]\n\n"
           "Commands (verdict COMMAND --help tells more):\n");
    for (size_t i = 0; i < cli_commands_count; i++)
        printf("  %-14s  %s\n", cli_commands[i].words, cli_commands[i].text);
    printf("\nEnvironment: VERDICT_URL, VERDICT_TOKEN (or VERDICT_TOKEN_FILE), VERDICT_PROJECT,\n"
           "VERDICT_CONFIG (default ~/.config/verdict/config.yaml, with url, token and project),\n"
           "NO_COLOR.\n");
    print_exit_statuses();
}

static int set_value(struct cli_options *options, const struct option_row *row, const char *value,
                     struct error *error)
{
    void *slot = (char *)options + row->offset;
    struct error inner;
    switch (row->kind) {
    case TEXT:
        *(const char **)slot = value;
        return 0;
    case FLAG:
        *(bool *)slot = true;
        return 0;
    case LIST:
        texts_add(slot, value);
        return 0;
    case NUMBER:
        if (int_parse(value, 0, 100, slot, &inner) < 0)
            return usage_error(error, "--%s %s", row->name, inner.text);
        return 0;
    case DURATION:
        break;
    }
    if (duration_parse(value, 1, LIMIT_TIMEOUT_MAX_MS, slot, &inner) < 0)
        return usage_error(error, "--%s %s", row->name, inner.text);
    return 0;
}

static void make_long_options(struct option *out)
{
    for (size_t i = 0; i < ROWS; i++)
        out[i] = (struct option){
            rows[i].name, rows[i].kind == FLAG ? no_argument : required_argument, NULL, (int)i + 1};
    out[ROWS] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    out[ROWS + 1] = (struct option){NULL, 0, NULL, 0};
}

static const struct cli_command *find_command(int argc, char **argv, int *used_r)
{
    for (size_t i = 0; i < cli_commands_count; i++) {
        const char *words = cli_commands[i].words, *blank = strchr(words, ' ');
        size_t first = blank == NULL ? strlen(words) : (size_t)(blank - words);
        if (argc < 2 || strlen(argv[1]) != first || strncmp(argv[1], words, first) != 0)
            continue;
        if (blank != NULL && (argc < 3 || strcmp(argv[2], blank + 1) != 0))
            continue;
        *used_r = blank == NULL ? 1 : 2;
        return &cli_commands[i];
    }
    return NULL;
}

/* -f is what it is everywhere else: a log is followed, a file is named. */
static const struct option_row *row_of(const struct cli_command *command, int id)
{
    const char *name = takes(command, "follow") ? "follow" : "file";
    for (size_t i = 0; id == 'f' && i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return &rows[id - 1];
}

/* getopt moves all words behind the options: which of them stood before -- is to be seen before. */
static int count_behind_dashes(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return argc - i - 1;
    return 0;
}

static int parse_options(int argc, char **argv, const struct cli_command *command,
                         struct cli_options *options, bool *help_r, struct error *error)
{
    struct option long_options[ROWS + 2];
    const char *letters = takes(command, "follow") ? ":f" : ":f:";
    const int behind_dashes = count_behind_dashes(argc, argv);
    int id;
    make_long_options(long_options);
    opterr = 0;
    optind = 0; /* getopt's word for: from the start */
    while ((id = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        if (id == '?' || id == ':')
            return usage_error(error, "%s: %s", argv[optind - 1],
                               id == ':' ? "its value is missing" : "there is no such option");
        if (id == OPTION_HELP) {
            *help_r = true;
            return 0;
        }
        const struct option_row *row = row_of(command, id);
        if (!takes(command, row->name))
            return usage_error(error, "--%s is no option of verdict %s", row->name, command->words);
        if (set_value(options, row, optarg, error) < 0)
            return -1;
    }
    options->rest = argv + optind;
    options->rest_count = argc - optind;
    options->has_command = options->rest_count > 0 && options->rest_count == behind_dashes;
    return 0;
}

static int check_arguments(const struct cli_command *command, const struct cli_options *options,
                           struct error *error)
{
    bool wants_one = command->arguments[0] != '\0' && command->arguments[0] != '[';
    if (strcmp(command->arguments, "[FILE…]") == 0)
        return 0;
    if (wants_one && options->rest_count == 0)
        return usage_error(error, "%s is missing", command->arguments);
    if (command->arguments[0] == '[') {
        if (options->rest_count > 0 && !options->has_command)
            return usage_error(error, "%s: put -- before the command to run", options->rest[0]);
        return 0;
    }
    if (options->rest_count > (wants_one ? 1 : 0))
        return usage_error(error, "%s is not expected here", options->rest[wants_one ? 1 : 0]);
    return 0;
}

int options_parse(int argc, char **argv, struct cli_options *options,
                  const struct cli_command **command_r, struct error *error)
{
    int used = 0;
    bool help = false;
    *command_r = NULL;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        options_print_help(NULL);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("verdict %s (%s)\n", verdict_version, verdict_commit);
        return 0;
    }
    const struct cli_command *command = find_command(argc, argv, &used);
    if (command == NULL)
        return usage_error(error, "%s is no command", argc > 1 ? argv[1] : "nothing");
    if (parse_options(argc - used, argv + used, command, options, &help, error) < 0)
        return -1;
    if (help) {
        options_print_help(command);
        return 0;
    }
    if (check_arguments(command, options, error) < 0)
        return -1;
    *command_r = command;
    return 0;
}

void options_deinit(struct cli_options *options)
{
    texts_deinit(&options->parameters);
    texts_deinit(&options->requirements);
    texts_deinit(&options->variables);
    texts_deinit(&options->secrets);
    texts_deinit(&options->artifacts);
    texts_deinit(&options->formats);
    texts_deinit(&options->outputs);
}
