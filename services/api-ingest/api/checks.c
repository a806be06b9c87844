/* SPDX-License-Identifier: Apache-2.0 */
#include "api/checks.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/text.h"
#include "base/uuid.h"
#include "model/limits.h"

#define PARAMETER_NAME_BYTES 100
#define MOMENT_LENGTH        19 /* "2026-11-24T10:57:54" */
#define SEARCH_BYTES         200
#define FRACTION_DIGITS      9

int check_slug(const char *field, const char *slug, struct error *error)
{
    struct uuid id;
    if (uuid_parse(slug, &id, NULL) == 0)
        return error_field(error, field, "%s must not look like an id", field);
    if (slug_is_valid(slug))
        return 0;
    return error_field(error, field,
                       "%s must be 1 to 63 lower-case letters, digits and single inner dashes",
                       field);
}

int check_title(const char *field, const char *title, struct error *error)
{
    if (title[strspn(title, " \t\r\n")] != '\0')
        return 0;
    return error_field(error, field, "%s must not be empty", field);
}

static bool is_parameter_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= PARAMETER_NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
               length;
}

int check_parameters(const char *field, const json_t *parameters, struct error *error)
{
    const char *name;
    json_t *value;
    if (json_object_size(parameters) > (size_t)LIMIT_PARAMETERS)
        return error_field(error, field, "%s may hold %lld entries", field,
                           (long long)LIMIT_PARAMETERS);
    json_object_foreach ((json_t *)(uintptr_t)parameters, name, value) {
        if (!is_parameter_name(name))
            return error_field(error, field,
                               "%s: a name is 1 to %d letters, digits and any of _ - .", field,
                               PARAMETER_NAME_BYTES);
        if (json_is_object(value) || json_is_array(value) || json_is_null(value) ||
            json_string_length(value) > (size_t)LIMIT_TEXT_BYTES)
            return error_field(error, field,
                               "%s.%s must be a text of at most %lld bytes, a number or a boolean",
                               field, name, (long long)LIMIT_TEXT_BYTES);
    }
    return 0;
}

/* In the shape each d is a digit; all else stands for itself. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++)
        if (*shape == 'd' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    return true;
}

/* There is such a day, and such a time of it. */
static bool is_moment(const char *text)
{
    struct tm said = {.tm_sec = 0};
    if (!has_shape(text, "dddd-dd-ddTdd:dd:dd") || text_starts(text, "0000") ||
        strptime(text, "%Y-%m-%dT%H:%M:%S", &said) == NULL || said.tm_sec > 59)
        return false;
    struct tm real = said;
    timegm(&real);
    return real.tm_mday == said.tm_mday && real.tm_mon == said.tm_mon;
}

static bool is_zone(const char *text)
{
    bool is_offset =
        (*text == '+' || *text == '-') && has_shape(text + 1, "dd:dd") && text[6] == '\0';
    return strcmp(text, "Z") == 0 ||
           (is_offset && strncmp(text + 1, "14:00", 5) <= 0 && text[4] < '6');
}

int check_time(const char *field, const char *text, struct error *error)
{
    const char *rest = is_moment(text) ? text + MOMENT_LENGTH : "";
    if (*rest == '.') {
        size_t digits = strspn(rest + 1, "0123456789");
        rest += digits == 0 || digits > FRACTION_DIGITS ? 0 : digits + 1;
    }
    if (is_zone(rest))
        return 0;
    return error_field(error, field, "%s must be a time such as 2026-11-24T10:57:54Z", field);
}

int check_choices(const char *field, const char *list, const struct names *names,
                  struct error *error)
{
    AUTO(text_free) char *copy = list == NULL ? NULL : xstrdup(list);
    char *rest = NULL;
    int value;
    for (const char *name = copy == NULL ? NULL : strtok_r(copy, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        if (names_parse(names, name, &value, error) < 0)
            return error_field(error, field, "%s", error->text);
    return 0;
}

int check_search(const char *text, struct error *error)
{
    if (text == NULL || strlen(text) <= SEARCH_BYTES)
        return 0;
    return error_field(error, "search", "search is longer than %d bytes", SEARCH_BYTES);
}

int put_slug(const char *what, const json_t *there, const char *name, char **slug_r,
             struct error *error)
{
    struct uuid id;
    if (there == NULL && uuid_parse(name, &id, NULL) == 0)
        return no_such(what, name, error);
    *slug_r = xstrdup(there != NULL ? json_find_text(there, "slug") : name);
    return 0;
}

int take_slug(char **of_body, char **slug, struct error *error)
{
    if (*of_body != NULL && strcmp(*of_body, *slug) != 0)
        return error_field(error, "slug", "slug stays as it is: %.100s", *slug);
    text_free(of_body);
    *of_body = TAKE(*slug);
    return 0;
}

int no_such(const char *what, const char *name, struct error *error)
{
    return error_set(error, "not_found", "there is no %s %.100s", what, name);
}
