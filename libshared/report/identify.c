/* SPDX-License-Identifier: Apache-2.0 */
#include "report/identify.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/ordinals.h"

static char *copy(const char *text)
{
    return xstrdup(text == NULL ? "" : text);
}

static void read_as_reported(const struct reported_case *reported, struct case_name *name_r)
{
    name_r->class = copy(reported->class != NULL ? reported->class : reported->suite);
    case_name_split(reported->name == NULL ? "" : reported->name, &name_r->name,
                    &name_r->parameters);
    if (name_r->parameters[0] != '\0' || reported->parameters == NULL)
        return;
    text_free(&name_r->parameters);
    name_r->parameters = xstrdup(reported->parameters);
}

void case_name_read(const struct framework_facts *framework, const struct reported_case *reported,
                    struct case_name *name_r)
{
    switch (framework->naming) {
    case NAMED_AS_REPORTED:
        read_as_reported(reported, name_r);
        return;
    case NAMED_WHOLE:
        *name_r = (struct case_name){copy(reported->class), copy(reported->name), xstrdup("")};
        return;
    case NAMED_IN_GROUP:
        *name_r = (struct case_name){copy(reported->suite), copy(reported->name), xstrdup("")};
        return;
    case NAMED_ALONE:
        *name_r = (struct case_name){xstrdup(""), copy(reported->name), xstrdup("")};
        return;
    }
}

void case_name_deinit(struct case_name *name)
{
    text_free(&name->class);
    text_free(&name->name);
    text_free(&name->parameters);
}

struct identifier {
    const struct framework_facts *framework;
    char *suite;
    struct ordinals *ordinals;
};

struct identifier *identifier_new(const struct framework_facts *framework, const char *suite)
{
    struct identifier *identifier = xcalloc(1, sizeof *identifier);
    identifier->framework = framework;
    identifier->suite = xstrdup(suite);
    identifier->ordinals = ordinals_new();
    return identifier;
}

void identifier_free(struct identifier **identifier)
{
    if (*identifier == NULL)
        return;
    free((*identifier)->suite);
    ordinals_free(&(*identifier)->ordinals);
    memory_free(identifier);
}

static char *cut(const char *text)
{
    return xstrndup(text, utf8_cut(text, strlen(text), (size_t)LIMIT_CASE_NAME_BYTES));
}

void identifier_give(struct identifier *identifier, const char *file, const char *class,
                     const char *name, const char *parameters, struct identified_case *case_r)
{
    const struct framework_facts *framework = identifier->framework;
    struct case_key key =
        framework_case_key(framework, identifier->suite, file, class, name, parameters, 0);
    int64_t ordinal = ordinals_next(identifier->ordinals, key.hex);
    if (ordinal > 0)
        key = framework_case_key(framework, identifier->suite, file, class, name, parameters,
                                 ordinal);
    *case_r = (struct identified_case){.key = key,
                                       .file = cut(file),
                                       .class = cut(class),
                                       .name = cut(name),
                                       .parameters = cut(parameters)};
}

void identified_case_deinit(struct identified_case *identified)
{
    text_free(&identified->file);
    text_free(&identified->class);
    text_free(&identified->name);
    text_free(&identified->parameters);
}
