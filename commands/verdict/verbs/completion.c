/* SPDX-License-Identifier: Apache-2.0 */
/* completion: what a shell completes, from the tables of commands and options. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "options.h"
#include "output.h"

/* Options whose values are known; those of one command stand behind those of all others. */
static const struct choice {
    const char *command, *option, *values;
} choices[] = {
    {NULL, "ci", "auto github gitlab jenkins buildkite none"},
    {NULL, "format", "html junit json markdown ctrf"},
    {"upload", "format", "auto junit tap ctrf go-json trx allure"},
    {NULL, "cases", "not_passed failed all"},
    {NULL, "status", "passed failed errored skipped blocked"},
};
static const char shells[] = "bash zsh fish";

static const char *values_of(const struct cli_command *command, const struct option_fact *fact)
{
    const char *values = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
        if (strcmp(choices[i].option, fact->name) == 0 &&
            (choices[i].command == NULL || strcmp(choices[i].command, command->words) == 0))
            values = choices[i].values;
    return values;
}

static bool is_file(const struct option_fact *fact)
{
    return strcmp(fact->value, "FILE") == 0;
}

static bool is_folder(const struct option_fact *fact)
{
    return strcmp(fact->value, "DIR") == 0;
}

/* "worker list": the second word, and how long the first one is. NULL when there is one word. */
static const char *second_word(const struct cli_command *command, int *first_r)
{
    const char *blank = strchr(command->words, ' ');
    *first_r = (int)strcspn(command->words, " ");
    return blank == NULL ? NULL : blank + 1;
}

/* Whether an earlier command begins with the same word. */
static bool is_seen(size_t index)
{
    int length, other;
    (void)second_word(&cli_commands[index], &length);
    for (size_t i = 0; i < index; i++) {
        (void)second_word(&cli_commands[i], &other);
        if (other == length &&
            strncmp(cli_commands[i].words, cli_commands[index].words, (size_t)length) == 0)
            return true;
    }
    return false;
}

/* Inside '…': `special` are the characters that get a backslash, `quote` stands for the quote itself. */
static void put_quoted(FILE *out, const char *text, const char *special, const char *quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs(quote, out);
        else
            fprintf(out, "%s%c", strchr(special, *text) == NULL ? "" : "\\", *text);
    }
}

/* ---- bash ----------------------------------------------------------------------------------------- */

/* Whether there are any. */
static bool put_bash_choices(FILE *out, const char *option)
{
    bool has_any = false;
    for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
        const struct choice *choice = &choices[i];
        if (strcmp(choice->option, option) != 0)
            continue;
        if (choice->command != NULL)
            fprintf(out, "[ \"$command\" != %s ] || ", choice->command);
        fprintf(out, "words='%s'; ", choice->values);
        has_any = true;
    }
    if (has_any)
        fputs("COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); return ;;\n", out);
    return has_any;
}

/* Of all commands at once: an option means the same nearly everywhere. */
static void put_bash_values(FILE *out)
{
    struct option_fact fact;
    for (size_t i = 0; options_at(NULL, i, &fact); i++) {
        if (fact.value == NULL)
            continue;
        fprintf(out, "    --%s) ", fact.name);
        if (put_bash_choices(out, fact.name))
            continue;
        if (is_file(&fact) || is_folder(&fact))
            fprintf(out, "_verdict_paths -%c \"$word\"; return ;;\n", is_file(&fact) ? 'f' : 'd');
        else
            fputs("return ;;\n", out);
    }
}

static void put_bash_words(FILE *out)
{
    for (size_t i = 0; i < cli_commands_count; i++) {
        int first;
        (void)second_word(&cli_commands[i], &first);
        if (!is_seen(i))
            fprintf(out, "%s%.*s", i == 0 ? "" : " ", first, cli_commands[i].words);
    }
    fputs(" help", out);
}

static void put_bash_commands(FILE *out)
{
    struct option_fact fact;
    for (size_t i = 0; i < cli_commands_count; i++) {
        fprintf(out, "    '%s') words='", cli_commands[i].words);
        for (size_t o = 0; options_at(&cli_commands[i], o, &fact); o++)
            fprintf(out, "--%s ", fact.name);
        fputs("--help' ;;\n", out);
    }
}

static void put_bash_groups(FILE *out)
{
    for (size_t i = 0; i < cli_commands_count; i++) {
        int first, other;
        const char *second = second_word(&cli_commands[i], &first);
        if (second == NULL || is_seen(i))
            continue;
        fprintf(out, "    '%.*s') words='", first, cli_commands[i].words);
        for (size_t j = i; j < cli_commands_count; j++) {
            second = second_word(&cli_commands[j], &other);
            if (second != NULL && other == first &&
                strncmp(cli_commands[i].words, cli_commands[j].words, (size_t)first) == 0)
                fprintf(out, "%s ", second);
        }
        fputs("--help' ;;\n", out);
    }
}

/* First words of commands that have two. */
static void put_bash_group_names(FILE *out)
{
    const char *between = "";
    for (size_t i = 0; i < cli_commands_count; i++) {
        int first;
        if (second_word(&cli_commands[i], &first) == NULL || is_seen(i))
            continue;
        fprintf(out, "%s%.*s", between, first, cli_commands[i].words);
        between = " | ";
    }
}

static void put_bash(FILE *out)
{
    fputs(
        "# bash completion of verdict: verdict completion bash\n"
        "# shellcheck disable=SC2207  # bash 3.2 has no mapfile\n"
        "_verdict_paths() {\n"
        "    local IFS=$'\\n'\n"
        "    COMPREPLY=($(compgen \"$1\" -- \"$2\"))\n"
        "    compopt -o filenames 2>/dev/null\n"
        "}\n\n"
        "_verdict() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' i\n"
        "    local command=${COMP_WORDS[1]}\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        if [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
        "            _verdict_paths -f \"$word\"\n"
        "            return\n"
        "        fi\n"
        "    done\n"
        "    if [ \"$word\" = = ]; then\n"
        "        word=''\n"
        "    elif [ \"$before\" = = ]; then\n"
        "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    fi\n"
        "    case $before in\n",
        out);
    put_bash_values(out);
    fputs("    esac\n"
          "    case $command in\n    ",
          out);
    put_bash_group_names(out);
    fputs(")\n"
          "        [ \"$COMP_CWORD\" = 2 ] || command+=\" ${COMP_WORDS[2]}\"\n"
          "        ;;\n"
          "    esac\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
          "        command=''\n"
          "    fi\n"
          "    case $command in\n"
          "    '') words='",
          out);
    put_bash_words(out);
    fputs("' ;;\n", out);
    put_bash_groups(out);
    put_bash_commands(out);
    fputs("    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\n\n"
          "complete -F _verdict verdict\n",
          out);
}

/* ---- zsh ------------------------------------------------------------------------------------------ */

#define ZSH_SPECIAL "\\:[]"
#define ZSH_QUOTE   "'\\''"

static void put_zsh_option(FILE *out, const struct cli_command *command,
                           const struct option_fact *fact)
{
    const char *values = values_of(command, fact);
    fprintf(out, "            '%s--%s%s[", fact->is_list ? "*" : "", fact->name,
            fact->value == NULL ? "" : "=");
    put_quoted(out, fact->text, ZSH_SPECIAL, ZSH_QUOTE);
    fputc(']', out);
    if (fact->value != NULL) {
        fputc(':', out);
        put_quoted(out, fact->value, ZSH_SPECIAL, ZSH_QUOTE);
        fputc(':', out);
    }
    if (fact->value != NULL && values != NULL)
        fprintf(out, "(%s)", values);
    else if (fact->value != NULL && (is_file(fact) || is_folder(fact)))
        fputs(is_file(fact) ? "_files" : "_files -/", out);
    fputs("' \\\n", out);
}

static void put_zsh_command(FILE *out, const struct cli_command *command)
{
    struct option_fact fact;
    fprintf(out, "    ('%s') _arguments -S \\\n", command->words);
    for (size_t i = 0; options_at(command, i, &fact); i++)
        put_zsh_option(out, command, &fact);
    fputs("            '--help[what it is and takes]' \\\n", out);
    if (strcmp(command->arguments, "SHELL") == 0)
        fprintf(out, "            '1:shell:(%s)' ;;\n", shells);
    else if (command->arguments[0] == '[')
        fputs("            '*::command:_normal' ;;\n", out);
    else
        fputs("            '*: :' ;;\n", out);
}

/* The words that may stand at that place: first ones, or second ones behind `group`. */
static void put_zsh_words(FILE *out, const char *group, int group_length)
{
    fputs("words_here=(\n", out);
    for (size_t i = 0; i < cli_commands_count; i++) {
        int first;
        const char *second = second_word(&cli_commands[i], &first);
        bool is_in = group != NULL && second != NULL && first == group_length &&
                     strncmp(cli_commands[i].words, group, (size_t)group_length) == 0;
        if (group == NULL ? is_seen(i) : !is_in)
            continue;
        if (group == NULL)
            fprintf(out, "        '%.*s:", first, cli_commands[i].words);
        else
            fprintf(out, "        '%s:", second);
        put_quoted(out, group == NULL && second != NULL ? "more words" : cli_commands[i].text,
                   ZSH_SPECIAL, ZSH_QUOTE);
        fputs("'\n", out);
    }
    fputs("        )\n        _describe command words_here\n        return\n", out);
}

static void put_zsh_groups(FILE *out)
{
    for (size_t i = 0; i < cli_commands_count; i++) {
        int first;
        if (second_word(&cli_commands[i], &first) == NULL || is_seen(i))
            continue;
        fprintf(out,
                "    if [[ $words[2] == %.*s ]]; then\n"
                "        if ((CURRENT == 3)); then\n        ",
                first, cli_commands[i].words);
        put_zsh_words(out, cli_commands[i].words, first);
        fputs("        fi\n"
              "        command+=\" $words[3]\"\n"
              "        shift words\n"
              "        ((CURRENT--))\n"
              "    fi\n",
              out);
    }
}

static void put_zsh(FILE *out)
{
    fputs("#compdef verdict\n"
          "# zsh completion of verdict: verdict completion zsh\n\n"
          "_verdict() {\n"
          "    local -a words_here\n"
          "    local command=$words[2]\n"
          "    if ((CURRENT == 2)); then\n        ",
          out);
    put_zsh_words(out, NULL, 0);
    fputs("    fi\n", out);
    put_zsh_groups(out);
    fputs("    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; i < cli_commands_count; i++)
        put_zsh_command(out, &cli_commands[i]);
    fputs("    esac\n"
          "}\n\n"
          "if [[ $funcstack[1] == _verdict ]]; then\n"
          "    _verdict \"$@\"\n"
          "else\n"
          "    compdef _verdict verdict\n"
          "fi\n",
          out);
}

/* ---- fish ----------------------------------------------------------------------------------------- */

#define FISH_SPECIAL "\\"
#define FISH_QUOTE   "\\'"

static void put_fish_text(FILE *out, const char *text)
{
    fputs(" -d '", out);
    put_quoted(out, text, FISH_SPECIAL, FISH_QUOTE);
    fputs("'\n", out);
}

/* Where that command has been typed. */
static void put_fish_condition(FILE *out, const struct cli_command *command)
{
    int first;
    const char *second = second_word(command, &first);
    fprintf(out, "complete -c verdict -n '__fish_seen_subcommand_from %.*s", first, command->words);
    if (second != NULL)
        fprintf(out, "; and __fish_seen_subcommand_from %s", second);
    fputc('\'', out);
}

static void put_fish_word(FILE *out, size_t index)
{
    const struct cli_command *command = &cli_commands[index];
    int first;
    const char *second = second_word(command, &first);
    if (!is_seen(index)) {
        fprintf(out, "complete -c verdict -n __fish_use_subcommand -a %.*s", first, command->words);
        put_fish_text(out, second == NULL ? command->text : "more words");
    }
    if (second == NULL)
        return;
    fprintf(
        out,
        "complete -c verdict -n '__fish_seen_subcommand_from %.*s; and test (count (commandline -opc)) "
        "-eq 2' -a %s",
        first, command->words, second);
    put_fish_text(out, command->text);
}

static void put_fish_option(FILE *out, const struct cli_command *command,
                            const struct option_fact *fact)
{
    const char *values = values_of(command, fact);
    put_fish_condition(out, command);
    fprintf(out, " -l %s", fact->name);
    if (fact->value != NULL && values != NULL)
        fprintf(out, " -x -a '%s'", values);
    else if (fact->value != NULL && is_folder(fact))
        fputs(" -x -a '(__fish_complete_directories)'", out);
    else if (fact->value != NULL)
        fputs(is_file(fact) ? " -r -F" : " -x", out);
    put_fish_text(out, fact->text);
}

static void put_fish(FILE *out)
{
    struct option_fact fact;
    fputs("# fish completion of verdict: verdict completion fish\n"
          "complete -c verdict -f\n",
          out);
    for (size_t i = 0; i < cli_commands_count; i++) {
        put_fish_word(out, i);
        for (size_t o = 0; options_at(&cli_commands[i], o, &fact); o++)
            put_fish_option(out, &cli_commands[i], &fact);
        if (strcmp(cli_commands[i].arguments, "SHELL") == 0) {
            put_fish_condition(out, &cli_commands[i]);
            fprintf(out, " -a '%s'\n", shells);
        }
    }
    fputs("complete -c verdict -l help -d 'what it is and takes'\n", out);
}

int cmd_completion(struct cli *cli, struct error *error)
{
    static const struct {
        const char *shell;
        void (*put)(FILE *out);
    } scripts[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    const char *shell = cli->options.rest[0];
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
        if (strcmp(scripts[i].shell, shell) == 0)
            return print_document(cli->options.json, "shell", shell, scripts[i].put);
    return usage_error(error, "%s: one of bash, zsh, fish", shell);
}
