/* SPDX-License-Identifier: Apache-2.0 */
/* GitLab: a section of the job's log, and files that the job names as reports: junit, dotenv, annotations. Marks
 * of sections hold control characters, which are taken out of whatever tests wrote. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ci/channel.h"
#include "new_file.h"
#include "output.h"
#include "verdict_text.h"

static void mark(const char *what, const char *title)
{
    fprintf(stderr, "\033[0Ksection_%s:%lld:verdict\r\033[0K%s\n", what,
            (long long)(wall_ms() / 1000), title);
}

static void begin(void)
{
    mark("start", "Tests run by Verdict");
}

static void end(void)
{
    mark("end", "");
}

static int outputs(struct cli *cli, const json_t *run, struct error *error)
{
    return ci_save_outputs(cli, run, "verdict.env", error);
}

/* A link on the job's page. */
static int save_link(struct cli *cli, const json_t *run, struct error *error)
{
    AUTO(new_file_discard) struct new_file *file = NULL;
    AUTO(text_free) char *path = ci_path(cli, "annotations.json");
    AUTO(text_free) char *url = verdict_link(cli, run);
    AUTO(text_free) char *number = member_text(run, "number");
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free) char *label = xasprintf("run %s: %s", number, state);
    AUTO(json_free)
    json_t *links =
        json_pack("{s:[{s:{s:s, s:s}}]}", "Verdict", "external_link", "label", label, "url", url);
    AUTO(text_free) char *text = json_text(links);
    if (new_file_open(path, &file, error) < 0)
        return error_wrap(error, "%s", path);
    fprintf(new_file_out(file), "%s\n", text);
    return new_file_commit(&file, error);
}

static int report(struct cli *cli, const json_t *run, struct error *error)
{
    if (ci_save_report(cli, run, "junit", "junit.xml", error) < 0)
        return -1;
    return save_link(cli, run, error);
}

const struct ci_channel ci_gitlab = {
    .name = "gitlab", .begin = begin, .end = end, .outputs = outputs, .report = report};
