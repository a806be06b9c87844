/* SPDX-License-Identifier: Apache-2.0 */
/* Label predicates: parsing and deciding. */
#include "model/labels.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "model/limits.h"

#define LABEL_NAME_MAX  63
#define LABEL_VALUE_MAX 255

enum comparison { EQUAL, NOT_EQUAL, AT_LEAST, AT_MOST, ABOVE, BELOW, PRESENT, ABSENT };

/* Longer operators first, so that ">=" is not read as ">". */
static const struct {
    const char *text;
    enum comparison comparison;
} operators[] = {{"!=", NOT_EQUAL}, {">=", AT_LEAST}, {"<=", AT_MOST},
                 {"=", EQUAL},      {">", ABOVE},     {"<", BELOW}};

struct predicate {
    char name[LABEL_NAME_MAX + 1];
    enum comparison comparison;
    char *value;
    char *text; /* as written */
};

struct requirements {
    struct predicate **list;
    size_t count;
    char *class;
};

static bool name_is_valid(const char *name, size_t length)
{
    if (length < 1 || length > LABEL_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("_.-/", name[i]) == NULL)
            return false;
    return true;
}

static bool number_parse(const char *text, double *number_r)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0)
        return false;
    *number_r = number;
    return true;
}

static bool needs_number(enum comparison comparison)
{
    return comparison >= AT_LEAST && comparison <= BELOW;
}

/* Splits text into name, operator and value; the operator is the first one in it. */
static void split(const char *text, size_t *name_length_r, enum comparison *comparison_r,
                  const char **value_r)
{
    for (size_t at = 0; text[at] != '\0'; at++) {
        for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
            size_t length = strlen(operators[i].text);
            if (at > 0 && strncmp(text + at, operators[i].text, length) == 0) {
                *name_length_r = at;
                *comparison_r = operators[i].comparison;
                *value_r = text + at + length;
                return;
            }
        }
    }
    *name_length_r = strlen(text);
    *comparison_r = PRESENT;
    *value_r = "";
}

int predicate_parse(const char *text, struct predicate **predicate_r, struct error *error)
{
    bool absent = text[0] == '!';
    const char *name = text + (absent ? 1 : 0);
    size_t name_length;
    enum comparison comparison;
    const char *value;
    double number;

    split(name, &name_length, &comparison, &value);
    if (!name_is_valid(name, name_length))
        return error_set(
            error, "invalid",
            "\"%.80s\" must begin with a label's name of 1 to %d letters, digits, _ . - /", text,
            LABEL_NAME_MAX);
    if (absent && comparison != PRESENT)
        return error_set(error, "invalid", "\"%.80s\": ! goes with a name alone", text);
    if (strlen(value) > LABEL_VALUE_MAX || (comparison != PRESENT && value[0] == '\0'))
        return error_set(error, "invalid", "\"%.80s\": the value must have 1 to %d bytes", text,
                         LABEL_VALUE_MAX);
    if (needs_number(comparison) && !number_parse(value, &number))
        return error_set(error, "invalid", "\"%.80s\": only numbers can be compared so", text);

    struct predicate *predicate = xcalloc(1, sizeof *predicate);
    memcpy(predicate->name, name, name_length);
    predicate->comparison = absent ? ABSENT : comparison;
    predicate->value = xstrdup(value);
    predicate->text = xstrdup(text);
    *predicate_r = predicate;
    return 0;
}

void predicate_free(struct predicate **predicate)
{
    if (*predicate != NULL) {
        free((*predicate)->value);
        free((*predicate)->text);
    }
    memory_free(predicate);
}

static void label_text(const json_t *label, char *text, size_t size)
{
    if (json_is_string(label))
        snprintf(text, size, "%s", json_string_value(label));
    else if (json_is_integer(label))
        snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(label));
    else
        snprintf(text, size, "%s", json_is_true(label) ? "true" : "false");
}

bool predicate_holds(const struct predicate *predicate, const json_t *labels)
{
    const json_t *label = json_object_get(labels, predicate->name);
    bool present = label != NULL && !json_is_false(label);
    if (predicate->comparison == PRESENT)
        return present;
    if (predicate->comparison == ABSENT)
        return !present;
    if (label == NULL)
        return predicate->comparison == NOT_EQUAL;

    char text[LABEL_VALUE_MAX + 1];
    double have, want;
    label_text(label, text, sizeof text);
    bool numbers = number_parse(text, &have) && number_parse(predicate->value, &want);
    bool equal = numbers ? !(have < want) && !(have > want) : strcmp(text, predicate->value) == 0;
    switch (predicate->comparison) {
    case EQUAL:
        return equal;
    case NOT_EQUAL:
        return !equal;
    case AT_LEAST:
        return numbers && have >= want;
    case AT_MOST:
        return numbers && have <= want;
    case ABOVE:
        return numbers && have > want;
    default:
        return numbers && have < want;
    }
}

static int compare_text(const void *a, const void *b)
{
    const struct predicate *const *left = a, *const *right = b;
    return strcmp((*left)->text, (*right)->text);
}

static void make_class(struct requirements *requirements)
{
    struct buffer class;
    buffer_init(&class, (LABEL_NAME_MAX + LABEL_VALUE_MAX + 8) * (size_t)LIMIT_REQUIREMENTS);
    if (requirements->count > 0)
        qsort(requirements->list, requirements->count, sizeof *requirements->list, compare_text);
    for (size_t i = 0; i < requirements->count; i++)
        buffer_addf(&class, "%s%s", i > 0 ? "," : "", requirements->list[i]->text);
    requirements->class = buffer_take(&class);
}

int requirements_parse(const json_t *list, struct requirements **requirements_r,
                       struct error *error)
{
    if (list != NULL && !json_is_array(list))
        return error_field(error, "requirements", "requirements must be a list of predicates");
    if (json_array_size(list) > LIMIT_REQUIREMENTS)
        return error_field(error, "requirements", "requirements has more than %d entries",
                           (int)LIMIT_REQUIREMENTS);
    AUTO(requirements_free) struct requirements *requirements = xcalloc(1, sizeof *requirements);
    requirements->list = xcalloc(json_array_size(list), sizeof *requirements->list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        char field[40];
        struct error inner;
        snprintf(field, sizeof field, "requirements[%zu]", i);
        if (text == NULL)
            return error_field(error, field, "%s must be a string", field);
        if (predicate_parse(text, &requirements->list[i], &inner) < 0)
            return error_field(error, field, "%s: %s", field, inner.text);
        requirements->count++;
    }
    make_class(requirements);
    *requirements_r = TAKE(requirements);
    return 0;
}

void requirements_free(struct requirements **requirements)
{
    if (*requirements != NULL) {
        for (size_t i = 0; i < (*requirements)->count; i++)
            predicate_free(&(*requirements)->list[i]);
        free((*requirements)->list);
        free((*requirements)->class);
    }
    memory_free(requirements);
}

const char *requirements_unmet(const struct requirements *requirements, const json_t *labels)
{
    for (size_t i = 0; i < requirements->count; i++)
        if (!predicate_holds(requirements->list[i], labels))
            return requirements->list[i]->text;
    return NULL;
}

bool requirements_hold(const struct requirements *requirements, const json_t *labels)
{
    return requirements_unmet(requirements, labels) == NULL;
}

const char *requirements_class(const struct requirements *requirements)
{
    return requirements->class;
}

int labels_check(const json_t *labels, struct error *error)
{
    const char *name;
    const json_t *label;
    if (!json_is_object(labels))
        return error_field(error, "labels", "labels must be an object");
    if (json_object_size(labels) > LIMIT_LABELS)
        return error_field(error, "labels", "labels has more than %d entries", (int)LIMIT_LABELS);
    json_object_foreach ((json_t *)(uintptr_t)labels, name, label) {
        if (!name_is_valid(name, strlen(name)))
            return error_field(
                error, "labels",
                "labels: \"%.80s\" is no label's name (1 to %d letters, digits, _ . - /)", name,
                LABEL_NAME_MAX);
        if (!json_is_string(label) && !json_is_integer(label) && !json_is_boolean(label))
            return error_field(error, "labels",
                               "labels.%s must be a string, a whole number or a boolean", name);
        if (json_is_string(label) && json_string_length(label) > LABEL_VALUE_MAX)
            return error_field(error, "labels", "labels.%s is longer than %d bytes", name,
                               LABEL_VALUE_MAX);
    }
    return 0;
}
