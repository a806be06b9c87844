/* SPDX-License-Identifier: Apache-2.0 */
/* Failures and verdicts for people. */
#include "verdict_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

#define FAILURES_SHOWN  20
#define LOG_LINES_SHOWN 20

int verdict_exit(const json_t *run)
{
    const char *reason = json_find_text(run, "reason");
    int value = names_find(&reason_names, reason == NULL ? "" : reason);
    if (value >= 0)
        return ending_get((enum reason)value)->exit_code;
    return (int)json_find_int(run, "exit_code", EXIT_RUN_ERRORED); /* of a newer server */
}

static void add_count(char **text, const json_t *run, const char *name, const char *word)
{
    int64_t count = json_find_int(json_object_get(run, "totals"), name, 0);
    if (count == 0)
        return;
    AUTO(text_free) char *before = *text;
    *text = xasprintf("%s%s%" PRId64 " %s", before, before[0] == '\0' ? "" : ", ", count, word);
}

char *verdict_line(const json_t *run)
{
    static const char *const counts[][2] = {{"passed", "passed"},   {"failed", "failed"},
                                            {"errored", "errored"}, {"skipped", "skipped"},
                                            {"blocked", "blocked"}, {"not_run", "not run"}};
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free) char *number = member_text(run, "number");
    AUTO(text_free) char *project = member_text(run, "project.slug");
    AUTO(text_free) char *suite = member_text(run, "suite.slug");
    AUTO(text_free) char *totals = xstrdup("");
    char span[SPAN_TEXT_SIZE];
    for (char *c = state; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : (char)toupper((unsigned char)*c);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        add_count(&totals, run, counts[i][0], counts[i][1]);
    int64_t tests_ms = json_find_int(json_object_get(run, "totals"), "duration_ms", 0);
    return xasprintf("%s  run %s, %s/%s: %s; tests took %s", state, number, project, suite,
                     totals[0] == '\0' ? "no case ran" : totals, span_format(tests_ms, span));
}

static void print_indented(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        fprintf(stderr, "    %.*s\n", (int)length, line);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

static void print_failure(const json_t *result)
{
    AUTO(text_free) char *title = case_title(result);
    AUTO(text_free) char *status = member_text(result, "status");
    AUTO(text_free) char *file = member_text(result, "file");
    AUTO(text_free) char *message = member_text(result, "message");
    AUTO(text_free) char *trace = member_text(result, "trace");
    fprintf(stderr, "\n%s%s%s  %s%s%s%s\n", colour_begin(stderr, status), status,
            colour_end(stderr), title, file[0] == '\0' ? "" : "  (", file,
            file[0] == '\0' ? "" : ")");
    /* A trace mostly ends with the message. */
    if (message[0] != '\0' && strstr(trace, message) == NULL)
        print_indented(message);
    print_indented(trace);
}

static void print_failures(struct cli *cli, const json_t *run)
{
    static const char *const statuses[] = {"failed", "errored", "blocked"};
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(text_free) char *number = member_text(run, "number");
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        int64_t count = json_find_int(json_object_get(run, "totals"), statuses[i], 0);
        AUTO(json_free) json_t *items = NULL;
        struct error error;
        json_t *result;
        size_t index;
        if (count == 0)
            continue;
        AUTO(text_free) char *path = xasprintf("/v1/runs/%s/results?status=%s", id, statuses[i]);
        if (api_list(cli, path, FAILURES_SHOWN, &items, &error) < 0) {
            fprintf(stderr, "verdict: the cases that %s cannot be shown: %s\n", statuses[i],
                    error.text);
            continue;
        }
        json_array_foreach (items, index, result)
            print_failure(result);
        if (count > (int64_t)json_array_size(items))
            fprintf(stderr, "\n… and %" PRId64 " more: verdict results %s --status %s\n",
                    count - (int64_t)json_array_size(items), number, statuses[i]);
    }
}

/* The end of what the tests wrote, when no case says what was wrong. */
static void print_log_end(struct cli *cli, const json_t *run)
{
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(text_free) char *path = xasprintf("/v1/runs/%s/logs", id);
    struct error error;
    char *text = NULL;
    size_t length = 0, lines = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return;
    int status = api_download(cli, path, "text/plain", memory, &error);
    fclose(memory);
    AUTO(text_free) char *clean = status == 0 ? clean_text(text) : xstrdup("");
    free(text);
    const char *from = clean + strlen(clean);
    while (from > clean && (lines += from[-1] == '\n' ? 1 : 0) <= LOG_LINES_SHOWN)
        from--;
    if (*from == '\0')
        return;
    fprintf(stderr, "\nThe end of its output:\n");
    print_indented(from);
}

static void print_reason(const json_t *run)
{
    AUTO(text_free) char *reason = member_text(run, "reason");
    AUTO(text_free) char *text = member_text(run, "reason_text");
    AUTO(text_free) char *detail = member_text(run, "reason_detail");
    bool says_nothing_new = strcmp(reason, "cases_failed") == 0 || strcmp(reason, "cancelled") == 0;
    if (reason[0] == '\0' || says_nothing_new)
        return;
    fprintf(stderr, "%s%s%s\n", text[0] == '\0' ? reason : text, detail[0] == '\0' ? "" : ": ",
            detail);
    if (strcmp(reason, "source_failed") == 0)
        fprintf(stderr,
                "A directory must be visible to a worker: its VERDICT_SOURCE_ROOTS must hold "
                "it. Or let it fetch: --git URL --ref REF.\n");
}

void verdict_print(struct cli *cli, const json_t *run)
{
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free) char *line = verdict_line(run);
    const json_t *totals = json_object_get(run, "totals");
    bool names_cases = json_find_int(totals, "failed", 0) + json_find_int(totals, "errored", 0) +
                           json_find_int(totals, "blocked", 0) >
                       0;
    print_failures(cli, run);
    if (!names_cases && (strcmp(state, "errored") == 0 || strcmp(state, "timed_out") == 0))
        print_log_end(cli, run);
    fprintf(stderr, "\n%s%s%s\n", colour_begin(stderr, state), line, colour_end(stderr));
    print_reason(run);
}

char *verdict_url(struct cli *cli, const json_t *run)
{
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(text_free) char *html = member_text(run, "links.html");
    AUTO(text_free) char *report = xasprintf("/v1/runs/%s/report?format=html", id);
    return api_absolute(cli, html[0] != '\0' ? html : report);
}

char *verdict_link(struct cli *cli, const json_t *run)
{
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(text_free) char *path = api_path("/v1/runs/%s/share", id);
    AUTO(json_free) json_t *answer = NULL;
    struct error ignored;
    if (cli->link == NULL && api_post_repeatable(cli, path, NULL, &answer, &ignored) == 0) {
        AUTO(text_free) char *url = member_text(answer, "url");
        cli->link = api_absolute(cli, url);
    }
    return cli->link == NULL ? verdict_url(cli, run) : xstrdup(cli->link);
}
