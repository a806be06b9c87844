/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/page.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "report/markup.h"

/* Paths count from the top of the tree. */
__asm__(".section .rodata\n.global openapi_css\nopenapi_css:\n"
        ".incbin \"services/api-ingest/openapi/page.css\"\n.byte 0\n.previous\n");

struct page {
    const json_t *document;
    FILE *out;
};

static void put(FILE *out, const char *text)
{
    fputs(text, out);
}

/* "#/components/parameters/Limit" → what stands there. */
static const json_t *resolve(const struct page *page, const json_t *part)
{
    const char *reference = json_find_text(part, "$ref");
    if (reference == NULL)
        return part;
    char path[200];
    char *rest = NULL;
    const json_t *at = page->document;
    snprintf(path, sizeof path, "%s", reference + strlen("#/"));
    for (char *name = strtok_r(path, "/", &rest); name != NULL; name = strtok_r(NULL, "/", &rest))
        at = json_object_get(at, name);
    return at;
}

/* ---- schemas in words ------------------------------------------------------------------------------ */

static void write_value(FILE *out, const json_t *value)
{
    AUTO(text_free) char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    put(out, "<code>");
    markup_text(out, text);
    put(out, "</code>");
}

static void write_values(FILE *out, const json_t *list, const char *between)
{
    size_t i;
    json_t *value;
    json_array_foreach (list, i, value) {
        put(out, i > 0 ? between : "");
        write_value(out, value);
    }
}

static void write_types(FILE *out, const json_t *type)
{
    size_t i;
    json_t *name;
    if (json_is_string(type))
        put(out, json_string_value(type));
    json_array_foreach (type, i, name)
        fprintf(out, "%s%s", i > 0 ? " or " : "", json_string_value(name));
}

static void write_bounds(FILE *out, const json_t *schema)
{
    static const struct {
        const char *name, *words;
    } bounds[] = {{"const", ", always "},
                  {"format", ", a "},
                  {"minimum", ", from "},
                  {"maximum", ", up to "},
                  {"minLength", ", characters from "},
                  {"maxLength", ", characters up to "},
                  {"minItems", ", entries from "},
                  {"maxItems", ", entries up to "},
                  {"maxProperties", ", members up to "},
                  {"pattern", ", like "},
                  {"default", ", else "}};
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        const json_t *value = json_object_get(schema, bounds[i].name);
        if (value == NULL)
            continue;
        put(out, bounds[i].words);
        if (strcmp(bounds[i].name, "format") == 0)
            markup_text(out, json_string_value(value));
        else
            write_value(out, value);
    }
}

static void write_schema(FILE *out, const json_t *schema)
{
    const char *reference = json_find_text(schema, "$ref");
    const json_t *choices = json_object_get(schema, "anyOf");
    const json_t *list = json_object_get(schema, "enum");
    const json_t *items = json_object_get(schema, "items");
    size_t i;
    json_t *choice;
    if (reference != NULL) {
        const char *name = strrchr(reference, '/') + 1;
        fprintf(out, "<a href=\"#schema-%s\">%s</a>", name, name);
        return;
    }
    json_array_foreach (choices, i, choice) {
        put(out, i > 0 ? " or " : "");
        write_schema(out, choice);
    }
    if (list != NULL) {
        put(out, "one of ");
        write_values(out, list, ", ");
    } else if (items != NULL) {
        put(out, "list of ");
        write_schema(out, items);
    } else {
        write_types(out, json_object_get(schema, "type"));
    }
    write_bounds(out, schema);
}

static bool is_required(const json_t *schema, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(schema, "required"), i, entry)
        if (strcmp(json_string_value(entry), name) == 0)
            return true;
    return false;
}

static void write_members(FILE *out, const json_t *schema)
{
    const char *name;
    json_t *member;
    put(out, "<table>\n");
    json_object_foreach (json_object_get(schema, "properties"), name, member) {
        fprintf(out, "<tr><td><code>%s</code>%s</td><td>", name,
                is_required(schema, name) ? "" : " <span class=\"soft\">optional</span>");
        write_schema(out, member);
        if (json_find_text(member, "description") != NULL) {
            put(out, ": ");
            markup_text(out, json_find_text(member, "description"));
        }
        put(out, "</td></tr>\n");
        const json_t *inner = json_object_get(member, "properties");
        if (inner != NULL) {
            put(out, "<tr><td></td><td>");
            write_members(out, member);
            put(out, "</td></tr>\n");
        }
    }
    put(out, "</table>\n");
}

/* ---- operations ------------------------------------------------------------------------------------ */

static void write_parameters(const struct page *page, const json_t *list)
{
    size_t i;
    json_t *entry;
    if (json_array_size(list) == 0)
        return;
    put(page->out, "<h4>Parameters</h4><table>\n");
    json_array_foreach (list, i, entry) {
        const json_t *parameter = resolve(page, entry);
        fprintf(page->out, "<tr><td><code>%s</code> <span class=\"soft\">%s</span></td><td>",
                json_find_text(parameter, "name"), json_find_text(parameter, "in"));
        markup_text(page->out, json_find_text(parameter, "description"));
        put(page->out, " <span class=\"soft\">(");
        write_schema(page->out, json_object_get(parameter, "schema"));
        put(page->out, ")</span></td></tr>\n");
    }
    put(page->out, "</table>\n");
}

static void write_content(FILE *out, const json_t *content)
{
    const char *type;
    json_t *media;
    json_object_foreach ((json_t *)(uintptr_t)content, type, media) {
        const json_t *schema = json_object_get(media, "schema");
        const json_t *items = json_object_get(
            json_object_get(json_object_get(schema, "properties"), "items"), "items");
        fprintf(out, " <code>%s</code> ", type);
        put(out, items != NULL ? "a page of " : "");
        if (items != NULL || json_object_get(schema, "$ref") != NULL)
            write_schema(out, items != NULL ? items : schema);
    }
}

static void write_answers(const struct page *page, const json_t *responses)
{
    const char *status;
    json_t *entry;
    put(page->out, "<h4>Answers</h4><table>\n");
    json_object_foreach ((json_t *)(uintptr_t)responses, status, entry) {
        if (status[0] >= '4')
            continue;
        const json_t *response = resolve(page, entry);
        fprintf(page->out, "<tr><td>%s <span class=\"soft\">%s</span></td><td>", status,
                json_find_text(response, "description"));
        write_content(page->out, json_object_get(response, "content"));
        put(page->out, "</td></tr>\n");
    }
    put(page->out, "<tr><td class=\"soft\">problems</td><td class=\"soft\">");
    json_object_foreach ((json_t *)(uintptr_t)responses, status, entry)
        if (status[0] >= '4')
            fprintf(page->out, "%s ", status);
    put(page->out, "</td></tr></table>\n");
}

static void write_operation(const struct page *page, const char *path, const char *method,
                            const json_t *operation)
{
    FILE *out = page->out;
    const char *scope = json_find_text(operation, "x-scope");
    const json_t *body = json_object_get(operation, "requestBody");
    fprintf(out, "<section class=\"operation\" id=\"%s\"><h3><span class=\"method %s\">",
            json_find_text(operation, "operationId"), method);
    for (const char *c = method; *c != '\0'; c++)
        fputc(*c & ~0x20, out);
    fprintf(out, "</span> <code>%s</code></h3><p>", path);
    markup_text(out, json_find_text(operation, "summary"));
    if (scope != NULL)
        fprintf(out, " <span class=\"soft\">Needs <code>%s</code>%s.</span>", scope,
                json_find_bool(operation, "x-installation", false) ? ", not bound to a project"
                                                                   : "");
    put(out, "</p>\n");
    write_parameters(page, json_object_get(operation, "parameters"));
    if (body != NULL) {
        put(out, "<h4>Body</h4>");
        write_content(out, json_object_get(body, "content"));
    }
    write_answers(page, json_object_get(operation, "responses"));
    put(out, "</section>\n");
}

/* ---- the page -------------------------------------------------------------------------------------- */

typedef void on_operation(const struct page *page, const char *path, const char *method,
                          const json_t *operation);

static const char *tag_of(const json_t *operation)
{
    return json_string_value(json_array_get(json_object_get(operation, "tags"), 0));
}

static void each_of_tag(const struct page *page, const char *tag, on_operation *on)
{
    const char *path, *method;
    json_t *methods, *operation;
    json_object_foreach (json_object_get(page->document, "paths"), path, methods)
        json_object_foreach (methods, method, operation)
            if (strcmp(tag_of(operation), tag) == 0)
                on(page, path, method, operation);
}

static void write_link(const struct page *page, const char *path, const char *method,
                       const json_t *operation)
{
    (void)path;
    fprintf(page->out, "<li><a href=\"#%s\"><span class=\"method %s\">%s</span> ",
            json_find_text(operation, "operationId"), method, method);
    markup_text(page->out, json_find_text(operation, "summary"));
    put(page->out, "</a></li>\n");
}

/* In the order in which they come first. */
static json_t *read_tags(const json_t *document)
{
    json_t *tags = json_object();
    const char *path, *method;
    json_t *methods, *operation;
    json_object_foreach (json_object_get(document, "paths"), path, methods)
        json_object_foreach (methods, method, operation)
            json_object_set_new(tags, tag_of(operation), json_true());
    return tags;
}

static void write_schemas(const struct page *page)
{
    const char *name;
    json_t *schema;
    put(page->out, "<h2 id=\"schemas\">Schemas</h2>\n");
    json_object_foreach (json_object_get(json_object_get(page->document, "components"), "schemas"),
                         name, schema) {
        fprintf(page->out, "<section class=\"schema\" id=\"schema-%s\"><h3>%s</h3><p>", name, name);
        markup_text(page->out, json_find_text(schema, "description"));
        put(page->out, " <span class=\"soft\">");
        write_schema(page->out, schema);
        put(page->out, "</span></p>\n");
        if (json_object_get(schema, "properties") != NULL)
            write_members(page->out, schema);
        put(page->out, "</section>\n");
    }
}

static void write_page(const struct page *page)
{
    const json_t *info = json_object_get(page->document, "info");
    AUTO(json_free) json_t *tags = read_tags(page->document);
    FILE *out = page->out;
    const char *tag;
    json_t *is_there;
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<title>Verdict: API</title><style>%s</style></head><body><div class=\"page\">\n"
            "<header><h1>Verdict API <span class=\"soft\">%s</span></h1><p>",
            openapi_css, json_find_text(info, "version"));
    markup_text(out, json_find_text(info, "description"));
    put(out, " For programs: <a href=\"/v1/openapi.json\">openapi.json</a>.</p>"
             "<pre>curl -H \"Authorization: Bearer $VERDICT_TOKEN\" "
             "\"$VERDICT_URL/v1/runs?limit=5\"</pre></header>\n<nav aria-label=\"Operations\">\n");
    json_object_foreach (tags, tag, is_there) {
        fprintf(out, "<b><a href=\"#tag-%s\">%s</a></b><ul>\n", tag, tag);
        each_of_tag(page, tag, write_link);
        put(out, "</ul>\n");
    }
    put(out, "<b><a href=\"#schemas\">schemas</a></b></nav>\n<main>\n");
    json_object_foreach (tags, tag, is_there) {
        fprintf(out, "<h2 id=\"tag-%s\">%s</h2>\n", tag, tag);
        each_of_tag(page, tag, write_operation);
    }
    write_schemas(page);
    put(out, "</main></div></body></html>\n");
}

char *openapi_page(const json_t *document)
{
    char *text = NULL;
    size_t length;
    struct page page = {.document = document, .out = open_memstream(&text, &length)};
    assert(page.out != NULL);
    write_page(&page);
    int status = fclose(page.out);
    assert(status == 0);
    return text;
}
