/* SPDX-License-Identifier: Apache-2.0 */
/* manual: verdict(1), from the tables of commands, options and exit statuses. */
#include <string.h>

#include "base/memory.h"
#include "base/roff.h"
#include "base/version.h"
#include "options.h"
#include "output.h"

static void put_option(FILE *out, const struct option_fact *fact)
{
    fputs(".TP\n\\fB", out);
    AUTO(text_free) char *name = xasprintf("--%s", fact->name);
    roff_text(out, name);
    fputs("\\fR", out);
    if (fact->value != NULL) {
        fputs(" \\fI", out);
        roff_text(out, fact->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff_text(out, fact->text);
    fputc('\n', out);
}

/* "run url json": those that every command takes stand once, further up. */
static bool is_common(const struct option_fact *fact)
{
    return strcmp(fact->name, "url") == 0 || strcmp(fact->name, "json") == 0;
}

static void put_command(FILE *out, const struct cli_command *command)
{
    struct option_fact fact;
    AUTO(text_free) char *words = xasprintf("verdict %s", command->words);
    fputs(".SS ", out);
    roff_text(out, words);
    if (command->arguments[0] != '\0') {
        fputc(' ', out);
        roff_text(out, command->arguments);
    }
    fputc('\n', out);
    roff_text(out, command->text);
    fputs(".\n", out);
    for (size_t i = 0; options_at(command, i, &fact); i++)
        if (!is_common(&fact))
            put_option(out, &fact);
}

static void put_common_options(FILE *out)
{
    struct option_fact fact;
    fputs(".SH OPTIONS\nEvery command takes these.\n", out);
    for (size_t i = 0; options_at(NULL, i, &fact); i++)
        if (is_common(&fact))
            put_option(out, &fact);
    fputs(".TP\n\\fB\\-\\-help\\fR\nwhat the command is and takes\n", out);
}

static void put_exit_statuses(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < exit_facts_count; i++) {
        fprintf(out, ".TP\n.B %d\n", exit_facts[i].status);
        roff_text(out, exit_facts[i].text);
        fputc('\n', out);
    }
}

static void put_environment(FILE *out)
{
    static const char *const variables[][2] = {
        {"VERDICT_URL", "the server"},
        {"VERDICT_TOKEN", "the token; it is never taken from the command line"},
        {"VERDICT_TOKEN_FILE", "a file whose first line is the token"},
        {"VERDICT_PROJECT", "the project"},
        {"VERDICT_CONFIG", "the configuration file"},
        {"NO_COLOR", "when set, there are no colours"},
    };
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        fprintf(out, ".TP\n.B %s\n", variables[i][0]);
        roff_text(out, variables[i][1]);
        fputc('\n', out);
    }
    fputs(
        ".SH FILES\n.TP\n.I ~/.config/verdict/config.yaml\nurl, token or token_file, and project\n"
        ".TP\n.I verdict.yaml\nwhat describes a project: verdict apply, verdict run\n",
        out);
}

static void put_manual(FILE *out)
{
    fputs(".TH VERDICT 1 2026-11-29 \"Verdict ", out);
    roff_text(out, verdict_version);
    fputs("\" \"User Commands\"\n"
          ".SH NAME\nverdict \\- run automated tests and wait for the verdict\n"
          ".SH SYNOPSIS\n.B verdict\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
          ".SH DESCRIPTION\n"
          "Verdict runs the automated tests of a build on machines that can run them, keeps every\n"
          "result, and answers with one verdict: the exit status. Data goes to standard output,\n"
          "what is for people to standard error.\n"
          ".PP\n"
          "Runs are named by number or by id.\n"
          ".SH COMMANDS\n",
          out);
    for (size_t i = 0; i < cli_commands_count; i++)
        put_command(out, &cli_commands[i]);
    put_common_options(out);
    put_exit_statuses(out);
    put_environment(out);
    fputs(".SH EXAMPLES\n.nf\n"
          "verdict run \\-\\- pytest tests\n"
          "verdict run \\-\\-template nightly \\-\\-ci auto\n"
          "verdict why 12\n"
          ".fi\n",
          out);
}

int cmd_manual(struct cli *cli, struct error *error)
{
    (void)error;
    return print_document(cli->options.json, "page", "verdict.1", put_manual);
}
