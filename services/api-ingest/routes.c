/* SPDX-License-Identifier: Apache-2.0 */
/* The routes, and finding one. */
#include "routes.h"

#include <string.h>

#include "api/about.h"
#include "base/memory.h"
#include "base/names.h"

#define SUITE_BODY_BYTES ((size_t)16 * 1024 * 1024)

#define API(method_, pattern_, scope_, handler_, text_)                                            \
    {                                                                                              \
        .door = "api", .method = (method_), .pattern = (pattern_), .scope = (scope_),              \
        .handler = (handler_), .text = (text_)                                                     \
    }
#define API_INSTALLATION(method_, pattern_, scope_, handler_, text_)                               \
    {                                                                                              \
        .door = "api", .method = (method_), .pattern = (pattern_), .scope = (scope_),              \
        .installation = true, .handler = (handler_), .text = (text_)                               \
    }

/* clang-format off */
const struct route routes[] = {
    API("GET", "/v1/version", ROUTE_OPEN, about_version, "what runs here"),
    API("GET", "/v1/me", ROUTE_TOKEN, about_me, "whose token this is, and what it may"),
};
/* clang-format on */
const size_t routes_count = ARRAY_SIZE(routes);

/* The next segment of a path or pattern; NULL behind the last. */
static const char *next_segment(const char **rest, size_t *length_r)
{
    *length_r = 0;
    if (**rest != '/')
        return NULL;
    const char *segment = *rest + 1;
    *length_r = strcspn(segment, "/");
    *rest = segment + *length_r;
    return segment;
}

static bool is_parameter(const char *segment, size_t length)
{
    return length > 2 && segment[0] == '{';
}

static bool fits(const char *pattern, const char *path, struct route_match *match)
{
    const char *want, *have;
    size_t want_length, have_length;
    match->count = 0;
    for (;;) {
        want = next_segment(&pattern, &want_length);
        have = next_segment(&path, &have_length);
        if (want == NULL || have == NULL)
            return want == have && *path == '\0';
        if (!is_parameter(want, want_length)) {
            if (want_length != have_length || memcmp(want, have, want_length) != 0)
                return false;
            continue;
        }
        if (have_length == 0)
            return false;
        match->params[match->count].name = want + 1;
        match->params[match->count].name_length = want_length - 2;
        match->params[match->count].value = have;
        match->params[match->count].value_length = have_length;
        match->count++;
    }
}

bool route_patterns_overlap(const char *a, const char *b)
{
    const char *in_a, *in_b;
    size_t a_length, b_length;
    for (;;) {
        in_a = next_segment(&a, &a_length);
        in_b = next_segment(&b, &b_length);
        if (in_a == NULL || in_b == NULL)
            return in_a == in_b;
        bool same = a_length == b_length && memcmp(in_a, in_b, a_length) == 0;
        if (!same && !is_parameter(in_a, a_length) && !is_parameter(in_b, b_length))
            return false;
    }
}

static void allow_method(char allow[64], const char *method)
{
    if (strstr(allow, method) != NULL)
        return;
    if (allow[0] != '\0')
        strncat(allow, ", ", 64 - strlen(allow) - 1);
    strncat(allow, method, 64 - strlen(allow) - 1);
}

int route_find(const char *method, const char *path, struct route_match *match_r, char allow[64],
               struct error *error)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    struct route_match match;
    allow[0] = '\0';
    for (size_t i = 0; i < routes_count; i++) {
        if (!fits(routes[i].pattern, path, &match))
            continue;
        if (strcmp(routes[i].method, wanted) == 0) {
            match.route = &routes[i];
            *match_r = match;
            allow[0] = '\0';
            return 0;
        }
        allow_method(allow, routes[i].method);
    }
    if (allow[0] != '\0')
        return error_set(error, "method_not_allowed", "%s is not allowed here, but %s", method,
                         allow);
    return error_set(error, "not_found", "there is nothing at %.200s", path);
}

static const char *who(const struct route *route)
{
    if (route->scope == ROUTE_OPEN)
        return "everybody";
    if (route->scope == ROUTE_TOKEN)
        return "any token";
    return names_get(&token_scope_names, route->scope);
}

void routes_print_markdown(FILE *out)
{
    fprintf(out, "| method | path | who may | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < routes_count; i++)
        fprintf(out, "| %s | `%s` | %s%s | %s |\n", routes[i].method, routes[i].pattern,
                who(&routes[i]), routes[i].installation ? " (not bound to a project)" : "",
                routes[i].text);
}
