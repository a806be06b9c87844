/* SPDX-License-Identifier: Apache-2.0 */
#include "api/badges.h"

#include <stdlib.h>
#include <string.h>

#include "api/checks.h"
#include "api/share.h"
#include "auth/link.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/badge.h"
#include "http/response.h"
#include "ingest.h"
#include "model/limits.h"
#include "report/markup.h"

#define PURPOSE "badge"

struct badge_body {
    char *branch;
};
static const struct field body_list[] = {
    {.name = "branch",
     .type = FIELD_TEXT,
     .offset = offsetof(struct badge_body, branch),
     .optional = true,
     .max = LIMIT_TEXT_BYTES},
};
const struct fields badge_fields = FIELDS(struct badge_body, body_list);

/* ---- links ------------------------------------------------------------------------------------------ */

static void answer_links(struct request *request, const char *suite, const char *branch,
                         struct response *response)
{
    const struct ingest *ingest = request_ingest(request);
    AUTO(json_free)
    json_t *named =
        json_pack("[s, s, s, s?]", PURPOSE, request_project(request)->id.text, suite, branch);
    AUTO(text_free) char *text = json_text(named);
    AUTO(text_free) char *link = link_text_make(ingest->key, text);
    AUTO(text_free) char *svg_path = xasprintf("/v1/badges/%s", link);
    AUTO(text_free) char *svg = ingest_url(ingest, svg_path);
    AUTO(text_free) char *shields = xasprintf("%s?format=shields", svg);
    AUTO(text_free) char *markdown = xasprintf("![%s](%s)", suite, svg);
    response_json(
        response, 201,
        json_pack("{s:s, s:s, s:s}", "svg", svg, "shields", shields, "markdown", markdown));
}

int badges_create(struct request *request, struct response *response, struct error *error)
{
    const char *suite = request_param(request, "suite");
    struct badge_body body = {.branch = NULL};
    struct store *store;
    size_t length;
    (void)request_body(request, &length);
    if (check_slug("suite", suite, error) < 0 ||
        (length > 0 && request_decode(request, &badge_fields, &body, error) < 0))
        return -1;
    AUTO(text_free) char *branch = body.branch;
    if (request_begin(request, &store, error) < 0 ||
        audit_add(store, request, &request_project(request)->id, "badge.create",
                  &request_project(request)->id,
                  json_pack("{s:s, s:s?}", "suite", suite, "branch", branch), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    answer_links(request, suite, branch, response);
    return 0;
}

/* ---- what they show ----------------------------------------------------------------------------------- */

struct look {
    const char *state, *colour, *shields;
};
static const struct look looks[] = {
    {"passed", "#187a3c", "brightgreen"},
    {"failed", "#c0272d", "red"},
    {"errored", "#b4540a", "orange"},
    {"timed_out", "#b4540a", "orange"},
};
static const struct look no_look = {"", "#66707f", "lightgrey"};

static const struct look *look_of(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(looks) && state != NULL; i++)
        if (strcmp(looks[i].state, state) == 0)
            return &looks[i];
    return &no_look;
}

static char *message_of(const struct badge_facts *facts)
{
    if (facts->state == NULL)
        return xstrdup("no run yet");
    if (strcmp(facts->state, "passed") == 0)
        return xasprintf("%lld passed", (long long)facts->passed);
    if (strcmp(facts->state, "failed") == 0)
        return xasprintf("%lld of %lld failed", (long long)facts->failed, (long long)facts->total);
    return xstrdup(strcmp(facts->state, "timed_out") == 0 ? "timed out" : facts->state);
}

/* Letters of the usual sans-serif are some 7 units wide at this size; textLength makes it so. */
static int width_of(const char *text)
{
    int letters = 0;
    for (const char *c = text; *c != '\0'; c++)
        letters += ((unsigned char)*c & 0xC0) != 0x80 ? 1 : 0;
    return letters * 7;
}

static void write_text(FILE *out, int x, int width, const char *text)
{
    fprintf(out, "<text x=\"%d\" y=\"14\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">", x,
            width);
    markup_text(out, text);
    fputs("</text>", out);
}

static void write_svg(FILE *out, const char *label, const char *message, const char *colour)
{
    const int left = width_of(label) + 12, right = width_of(message) + 12;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"20\" role=\"img\""
            " aria-label=\"",
            left + right);
    markup_text(out, label);
    fputs(": ", out);
    markup_text(out, message);
    fprintf(out,
            "\"><rect width=\"%d\" height=\"20\" rx=\"3\" fill=\"#444b55\"/>"
            "<path d=\"M%d 0h%da3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-%dz\" fill=\"%s\"/>"
            "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">",
            left + right, left, right - 3, right - 3, colour);
    write_text(out, 6, left - 12, label);
    write_text(out, left + 6, right - 12, message);
    fputs("</g></svg>\n", out);
}

static void answer_svg(struct response *response, const char *label, const char *message,
                       const char *colour)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    write_svg(out, label, message, colour);
    fclose(out);
    response_bytes(response, 200, "image/svg+xml", text, length);
    response_header(response, "Content-Security-Policy", "default-src 'none'");
}

static void badge_facts_deinit(struct badge_facts *facts)
{
    text_free(&facts->state);
}

int badges_get(struct request *request, struct response *response, struct error *error)
{
    const char *format = request_query(request, "format");
    AUTO(badge_facts_deinit) struct badge_facts facts = {.state = NULL};
    AUTO(json_free) json_t *named = NULL;
    struct uuid project_id;
    struct store *store;
    if (format != NULL && strcmp(format, "svg") != 0 && strcmp(format, "shields") != 0)
        return error_field(error, "format", "format must be svg or shields");
    if (share_read_link(request, PURPOSE, &named, error) < 0 ||
        uuid_parse(json_string_value(json_array_get(named, 1)), &project_id, error) < 0)
        return -1;
    const char *suite = json_string_value(json_array_get(named, 2));
    if (request_store(request, &store, error) < 0 ||
        badge_db_last(store, &project_id, suite, json_string_value(json_array_get(named, 3)),
                      &facts, error) < 0)
        return -1;
    AUTO(text_free) char *message = message_of(&facts);
    const struct look *look = look_of(facts.state);
    if (format != NULL && strcmp(format, "shields") == 0)
        response_json(response, 200,
                      json_pack("{s:i, s:s, s:s, s:s}", "schemaVersion", 1, "label", suite,
                                "message", message, "color", look->shields));
    else
        answer_svg(response, suite, message, look->colour);
    response_header(response, "Cache-Control", "public, max-age=60");
    return 0;
}
