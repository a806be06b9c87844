/* SPDX-License-Identifier: Apache-2.0 */
/* manual: verdict-admin(8), from the tables of commands and options. */
#include <stdio.h>

#include "admin.h"
#include "base/memory.h"
#include "base/roff.h"
#include "base/version.h"

static void put_entry(const char *name, const char *value, const char *text)
{
    fputs(".TP\n\\fB", stdout);
    roff_text(stdout, name);
    fputs("\\fR", stdout);
    if (value[0] != '\0') {
        fputs(" \\fI", stdout);
        roff_text(stdout, value);
        fputs("\\fR", stdout);
    }
    fputc('\n', stdout);
    roff_text(stdout, text);
    fputc('\n', stdout);
}

static void put_command(const struct admin_command *command)
{
    AUTO(text_free) char *words = xasprintf("verdict-admin %s", command->words);
    fputs(".SS ", stdout);
    roff_text(stdout, words);
    fputc('\n', stdout);
    roff_text(stdout, command->text);
    fputs(".\n", stdout);
    for (size_t i = 0; i < admin_option_facts_count; i++) {
        const struct admin_option *fact = &admin_option_facts[i];
        AUTO(text_free) char *name = xasprintf("--%s", fact->name);
        if (admin_takes(command, fact->name))
            put_entry(name, fact->value, fact->text);
    }
}

static void put_environment(void)
{
    static const char *const variables[][2] = {
        {"VERDICT_POSTGRES_URL", "the database"},
        {"VERDICT_KAFKA_BROKERS", "the brokers, with commas between them"},
        {"VERDICT_REDIS_URL", "Redis: of doctor alone"},
        {"VERDICT_TOPIC_PREFIX", "what the names of topics begin with (default: verdict)"},
    };
    fputs(".SH ENVIRONMENT\n", stdout);
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        put_entry(variables[i][0], "", variables[i][1]);
}

int run_manual(const struct admin_options *options, struct error *error)
{
    (void)options;
    (void)error;
    fputs(".TH VERDICT-ADMIN 8 2026-11-29 \"Verdict ", stdout);
    roff_text(stdout, verdict_version);
    fputs("\" \"System Administration\"\n"
          ".SH NAME\nverdict\\-admin \\- set up an installation of Verdict and look after it\n"
          ".SH SYNOPSIS\n.B verdict\\-admin\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
          ".SH DESCRIPTION\n"
          "It works on the servers themselves, and needs no service that runs. A secret is shown\n"
          "once, or written to a new file.\n"
          ".SH COMMANDS\n",
          stdout);
    for (size_t i = 0; i < admin_commands_count; i++)
        put_command(&admin_commands[i]);
    put_environment();
    fputs(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nit failed\n.TP\n.B 2\nwrong usage\n"
          ".SH SEE ALSO\n.BR verdict (1)\n",
          stdout);
    return 0;
}
