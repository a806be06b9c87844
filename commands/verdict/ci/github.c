/* SPDX-License-Identifier: Apache-2.0 */
/* GitHub Actions: a step summary, annotations by workflow commands, outputs. Its runner takes commands out of
 * both streams of a step: out of lines that begin with "::" after blanks, and that hold "##[" anywhere. So what
 * tests wrote stands between stop-commands and a word that nobody can guess. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/uuid.h"
#include "ci/channel.h"
#include "ci/place.h"
#include "output.h"
#include "verdict_text.h"

#define SUMMARY_BYTES     ((size_t)1024 * 1024) /* of a step; more is not shown at all */
#define ANNOTATIONS_SHOWN ((size_t)10)          /* of one kind and step */
#define TITLE_BYTES       ((size_t)250)
#define MESSAGE_BYTES     ((size_t)2000)

static struct uuid word; /* that lets commands through again */

static void begin(void)
{
    word = uuid_random();
    fprintf(stderr, "::stop-commands::%s\n", word.text);
}

static void end(void)
{
    fprintf(stderr, "::%s::\n", word.text);
}

static FILE *open_named(const char *variable, struct error *error)
{
    const char *path = getenv(variable);
    FILE *out = path == NULL || path[0] == '\0' ? NULL : fopen(path, "ae");
    if (out == NULL)
        error_set(error, "io", "%s: %s", variable,
                  path == NULL || path[0] == '\0' ? "is not set" : strerror(errno));
    return out;
}

static int close_named(FILE *out, const char *variable, struct error *error)
{
    bool is_lost = ferror(out) != 0;
    if (fclose(out) == 0 && !is_lost)
        return 0;
    return error_set(error, "io", "%s: not all could be written", variable);
}

static int outputs(struct cli *cli, const json_t *run, struct error *error)
{
    FILE *out = open_named("GITHUB_OUTPUT", error);
    if (out == NULL)
        return -1;
    ci_write_outputs(out, cli, run, false);
    return close_named(out, "GITHUB_OUTPUT", error);
}

/* Other commands of the step write to the same file. */
static size_t room_in(FILE *out)
{
    struct stat status;
    if (fstat(fileno(out), &status) < 0 || (size_t)status.st_size >= SUMMARY_BYTES)
        return 0;
    return SUMMARY_BYTES - (size_t)status.st_size;
}

static int summary(struct cli *cli, const json_t *run, struct error *error)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    int status = ci_write_report(cli, run, "markdown", memory, error);
    fclose(memory);
    AUTO(text_free) char *report = text;
    FILE *out = status < 0 ? NULL : open_named("GITHUB_STEP_SUMMARY", error);
    if (out == NULL)
        return -1;
    AUTO(text_free) char *line = verdict_line(run), *url = verdict_link(cli, run);
    AUTO(text_free) char *brief = xasprintf("`%s` [All results](<%s>)\n\n", line, url);
    if (length < room_in(out))
        fprintf(out, "%s\n", report);
    else if (strlen(brief) < room_in(out))
        fputs(brief, out);
    return close_named(out, "GITHUB_STEP_SUMMARY", error);
}

static void write_escaped(const char *text, size_t max, bool is_property)
{
    size_t length = utf8_cut(text, strlen(text), max);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_special = c == '%' || c == '\n' || c == '\r' || (is_property && strchr(":,", c));
        if (is_special)
            fprintf(stderr, "%%%02X", c);
        else
            fputc(c, stderr);
    }
}

static void annotate_case(struct cli *cli, const json_t *result)
{
    AUTO(text_free) char *title = case_title(result);
    AUTO(text_free) char *status = member_text(result, "status");
    AUTO(text_free) char *message = member_text(result, "message");
    AUTO(text_free) char *trace = member_text(result, "trace");
    AUTO(text_free) char *heading = xasprintf("%s %s", status, title);
    AUTO(text_free) char *file = place_of_case(&cli->options, getenv("GITHUB_WORKSPACE"), result);
    int64_t line = place_line_of_case(result);
    fputs("::error ", stderr);
    if (file[0] != '\0') {
        fputs("file=", stderr);
        write_escaped(file, strlen(file), true);
        if (line > 0)
            fprintf(stderr, ",line=%" PRId64, line);
        fputc(',', stderr);
    }
    fputs("title=", stderr);
    write_escaped(heading, TITLE_BYTES, true);
    fputs("::", stderr);
    const char *text = message[0] != '\0' ? message : trace;
    write_escaped(text[0] != '\0' ? text : heading, MESSAGE_BYTES, false);
    fputc('\n', stderr);
}

static void annotate_run(const json_t *run, const char *more)
{
    AUTO(text_free) char *line = verdict_line(run);
    AUTO(text_free) char *reason = member_text(run, "reason_text");
    fputs("::error title=Verdict::", stderr);
    write_escaped(line, MESSAGE_BYTES, false);
    write_escaped(more[0] != '\0' ? more : reason, MESSAGE_BYTES, false);
    fputc('\n', stderr);
}

static int annotate(struct cli *cli, const json_t *run, struct error *error)
{
    AUTO(text_free) char *id = member_text(run, "id");
    AUTO(json_free) json_t *items = NULL;
    AUTO(text_free)
    char *path = xasprintf("/v1/runs/%s/results?status=failed,errored,blocked", id);
    if (api_list(cli, path, ANNOTATIONS_SHOWN + 1, &items, error) < 0)
        return -1;
    size_t count = json_array_size(items);
    size_t shown = count > ANNOTATIONS_SHOWN ? ANNOTATIONS_SHOWN - 1 : count;
    for (size_t i = 0; i < shown; i++)
        annotate_case(cli, json_array_get(items, i));
    if (count > shown)
        annotate_run(run, "; the summary has the others");
    else if (count == 0)
        annotate_run(run, "");
    return 0;
}

static int report(struct cli *cli, const json_t *run, struct error *error)
{
    struct error second;
    int status = verdict_exit(run) == EXIT_PASSED ? 0 : annotate(cli, run, error);
    if (summary(cli, run, status < 0 ? &second : error) < 0)
        return -1;
    return status;
}

const struct ci_channel ci_github = {
    .name = "github", .begin = begin, .end = end, .outputs = outputs, .report = report};
