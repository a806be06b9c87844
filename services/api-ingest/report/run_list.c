/* SPDX-License-Identifier: Apache-2.0 */
#include "report/run_list.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "model/states.h"
#include "report/frame.h"
#include "report/markup.h"

#define COMMIT_SHOWN 12 /* bytes */

/* ---- what is asked for ------------------------------------------------------------------------------ */

static void write_states(const struct run_list *list, FILE *out)
{
    fputs("<select name=\"state\" aria-label=\"State\"><option value=\"\">any state</option>", out);
    for (int i = RUN_QUEUED; i < run_state_names.count; i++) {
        const char *state = names_get(&run_state_names, i);
        bool is_asked = list->state != NULL && strcmp(list->state, state) == 0;
        fprintf(out, "<option%s>%s</option>", is_asked ? " selected" : "", state);
    }
    fputs("</select>", out);
}

static void write_input(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<input type=\"search\" name=\"%s\" placeholder=\"%s\" aria-label=\"%s\"", name,
            name, name);
    markup_attribute(out, "value", value == NULL ? "" : value);
    fputs(">", out);
}

static void write_filter(const struct run_list *list, FILE *out)
{
    fputs("<form class=\"tools\" method=\"get\">", out);
    write_states(list, out);
    write_input(out, "suite", list->suite);
    write_input(out, "branch", list->branch);
    fputs("<button>Show</button></form>\n", out);
}

static void write_hidden(FILE *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    fprintf(out, "<input type=\"hidden\" name=\"%s\"", name);
    markup_attribute(out, "value", value);
    fputs(">", out);
}

static void write_next(const struct run_list *list, FILE *out)
{
    if (list->next_cursor == NULL)
        return;
    if (list->is_bounded)
        fprintf(
            out,
            "<p id=\"bound\">%lld runs were looked through for these; there are older ones.</p>\n",
            (long long)LIMIT_LINK_RUNS);
    fputs("<form method=\"get\">", out);
    write_hidden(out, "state", list->state);
    write_hidden(out, "suite", list->suite);
    write_hidden(out, "branch", list->branch);
    write_hidden(out, "cursor", list->next_cursor);
    fputs("<button id=\"more\">Older runs</button></form>\n", out);
}

/* ---- the runs --------------------------------------------------------------------------------------- */

static void write_where(const json_t *run, FILE *out)
{
    const char *const texts[] = {json_text_of(json_object_get(run, "suite"), "slug"),
                                 json_text_of(run, "environment"), json_text_of(run, "branch"),
                                 json_text_of(run, "build_version")};
    fputs("<span class=\"where\">", out);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (texts[i][0] == '\0')
            continue;
        fputs(i == 0 ? "" : " · ", out);
        markup_text(out, texts[i]);
    }
    const char *commit = json_text_of(run, "commit");
    AUTO(text_free)
    char *shown = xasprintf("%.*s", (int)utf8_cut(commit, strlen(commit), COMMIT_SHOWN), commit);
    fputs(shown[0] == '\0' ? "" : " · ", out);
    markup_text(out, shown);
    fputs("</span>", out);
}

static void write_totals(const json_t *run, FILE *out)
{
    static const struct {
        const char *member, *name;
    } parts[] = {{"failed", "failed"},   {"errored", "errored"}, {"blocked", "blocked"},
                 {"not_run", "not run"}, {"passed", "passed"},   {"skipped", "skipped"}};
    const char *separator = "";
    fputs("<span class=\"message\">", out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int64_t count = json_find_int(json_object_get(run, "totals"), parts[i].member, 0);
        if (count == 0)
            continue;
        fprintf(out, "%s%lld %s", separator, (long long)count, parts[i].name);
        separator = ", ";
    }
    fputs("</span>", out);
}

static void write_run(const json_t *run, FILE *out)
{
    const char *made = json_text_of(run, "created_at");
    fputs("<tr><td>", out);
    frame_badge(out, json_text_of(run, "state"), NULL);
    fputs("</td><td><a", out);
    markup_attribute(out, "href", json_text_of(run, "page"));
    fprintf(out, ">%lld: ", (long long)json_find_int(run, "number", 0));
    markup_text(out, json_text_of(run, "title"));
    fputs("</a>", out);
    write_where(run, out);
    write_totals(run, out);
    fprintf(out, "</td><td>%.10s %.5s UTC</td></tr>\n", made,
            strlen(made) > strlen("2026-11-24T") ? made + strlen("2026-11-24T") : "");
}

void run_list_write(const struct run_list *list, FILE *out)
{
    size_t i;
    const json_t *run;
    AUTO(text_free) char *title = xasprintf("Runs of %s", json_text_of(list->project, "title"));
    frame_begin(out, title, list->nonce, "runs");
    fputs("<header><p class=\"crumb\">", out);
    markup_text(out, json_text_of(list->project, "slug"));
    fputs(" / runs</p><h1>", out);
    markup_text(out, title);
    fputs("</h1></header>\n<main>", out);
    write_filter(list, out);
    fprintf(out,
            "<table id=\"runs\"><caption>%zu runs, the newest first</caption><thead><tr>"
            "<th scope=\"col\">State</th><th scope=\"col\">Run</th><th scope=\"col\">Triggered</th>"
            "</tr></thead><tbody>\n",
            json_array_size(list->runs));
    json_array_foreach (list->runs, i, run)
        write_run(run, out);
    fputs("</tbody></table>\n", out);
    write_next(list, out);
    fputs("</main><footer>Verdict</footer></div>\n</body></html>\n", out);
}
