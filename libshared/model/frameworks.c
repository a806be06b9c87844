/* SPDX-License-Identifier: Apache-2.0 */
/* The frameworks, as far as all services know them. */
#include "model/frameworks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

#define QUOTE "\u203a" /* with which Playwright joins titles */

/* "tests/test_a.py::TestX::test_y[1-2]" → file, class "tests.test_a.TestX", name, parameters: the class
 * is spelled as in pytest's own JUnit file. */
static void read_pytest(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    const char *bracket = strchr(selector, '[');
    size_t searched = bracket == NULL ? strlen(selector) : (size_t)(bracket - selector);
    const char *first = memmem(selector, searched, "::", 2), *last = first;
    for (const char *next = first; next != NULL;
         next = memmem(next + 2, searched - (size_t)(next + 2 - selector), "::", 2))
        last = next;
    if (first == NULL) {
        *file_r = xstrdup("");
        *class_r = xstrdup("");
        case_name_split(selector, name_r, parameters_r);
        return;
    }
    struct buffer class;
    buffer_init(&class, 64 * 1024);
    buffer_add(&class, selector, (size_t)(first - selector));
    if (class.length > 3 && strcmp(class.data + class.length - 3, ".py") == 0) {
        class.length -= 3;
        class.data[class.length] = '\0';
    }
    for (char *c = class.data; c != NULL && *c != '\0'; c++)
        if (*c == '/')
            *c = '.';
    for (const char *part = first; part != last;
         part = memmem(part + 2, (size_t)(last - part), "::", 2)) {
        const char *end = memmem(part + 2, (size_t)(last - part), "::", 2);
        buffer_add_char(&class, '.');
        buffer_add(&class, part + 2, (size_t)(end - (part + 2)));
    }
    *file_r = xstrndup(selector, (size_t)(first - selector));
    *class_r = buffer_take(&class);
    case_name_split(last + 2, name_r, parameters_r);
}

/* "group.test" → class "group", name "test"; a name alone has no class. */
static void read_dotted(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    const char *dot = strchr(selector, '.');
    *file_r = xstrdup("");
    *class_r = dot == NULL ? xstrdup("") : xstrndup(selector, (size_t)(dot - selector));
    *name_r = xstrdup(dot == NULL ? selector : dot + 1);
    *parameters_r = xstrdup("");
}

/* "class name": what the class is has no space in it. */
static void read_spaced(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    const char *space = strchr(selector, ' ');
    *file_r = xstrdup("");
    *class_r = space == NULL ? xstrdup("") : xstrndup(selector, (size_t)(space - selector));
    *name_r = xstrdup(space == NULL ? selector : space + 1);
    *parameters_r = xstrdup("");
}

/* "[project] file > group > test" → file, which is also the class, name "group > test", parameters "project". A
 * file alone is the case that it could not be loaded, named as it is. */
static void read_titles(const char *selector, const char *behind_project, const char *between,
                        char **file_r, char **class_r, char **name_r, char **parameters_r)
{
    const char *end = selector[0] == '[' ? strstr(selector, behind_project) : NULL;
    const char *begin = end == NULL ? selector : end + strlen(behind_project);
    const char *titles = strstr(begin, between);
    *parameters_r =
        end == NULL ? xstrdup("") : xstrndup(selector + 1, (size_t)(end - selector - 1));
    *file_r = titles == NULL ? xstrdup(begin) : xstrndup(begin, (size_t)(titles - begin));
    *class_r = xstrdup(*file_r);
    *name_r = xstrdup(titles == NULL ? begin : titles + strlen(between));
}

static void read_arrows(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    read_titles(selector, "] ", " > ", file_r, class_r, name_r, parameters_r);
}

static void read_quotes(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    read_titles(selector, "] " QUOTE " ", " " QUOTE " ", file_r, class_r, name_r, parameters_r);
}

/* "org.example.CalcTest#adds(int)[1]" → class, name, parameters. */
static void read_method(const char *selector, char **file_r, char **class_r, char **name_r,
                        char **parameters_r)
{
    const char *hash = strchr(selector, '#');
    *file_r = xstrdup("");
    *class_r = hash == NULL ? xstrdup("") : xstrndup(selector, (size_t)(hash - selector));
    case_name_split(hash == NULL ? selector : hash + 1, name_r, parameters_r);
}

/* "calc::bin/tool" → "calc::tool", since its events do not say what kind of binary one is; and "calc" where the
 * binary is named as its package, as libraries are. Caller frees. */
static char *binary_class(const char *id, size_t length)
{
    AUTO(text_free) char *package = xstrndup(id, length);
    char *colons = strstr(package, "::");
    if (colons == NULL)
        return TAKE(package);
    const char *slash = strchr(colons, '/');
    const char *binary = slash == NULL ? colons + 2 : slash + 1;
    size_t at = 0, end = (size_t)(colons - package);
    while (at < end && (binary[at] == package[at] || (binary[at] == '_' && package[at] == '-')))
        at++;
    if (at == end && binary[at] == '\0')
        return xstrndup(package, end);
    return xasprintf("%.*s::%s", (int)end, package, binary);
}

/* "calc::whole tests::adds", as `cargo nextest list` writes it. */
static void read_nextest(const char *selector, char **file_r, char **class_r, char **name_r,
                         char **parameters_r)
{
    const char *space = strchr(selector, ' ');
    *file_r = xstrdup("");
    *class_r = space == NULL ? xstrdup("") : binary_class(selector, (size_t)(space - selector));
    *name_r = xstrdup(space == NULL ? selector : space + 1);
    *parameters_r = xstrdup("");
}

static void read_plain(const char *selector, char **file_r, char **class_r, char **name_r,
                       char **parameters_r)
{
    *file_r = xstrdup("");
    *class_r = xstrdup("");
    *name_r = xstrdup(selector);
    *parameters_r = xstrdup("");
}

/* The file comes back as the class' beginning: what is behind that are the classes. */
static char *write_pytest(const char *file, const char *class, const char *name,
                          const char *parameters)
{
    size_t length = strlen(file);
    if (length > 3 && strcmp(file + length - 3, ".py") == 0)
        length -= 3;
    const char *classes = strlen(class) > length && class[length] == '.' ? class + length + 1 : "";
    struct buffer selector;
    buffer_init(&selector, 64 * 1024);
    buffer_add_text(&selector, file);
    while (*classes != '\0') {
        size_t part = strcspn(classes, ".");
        buffer_add_text(&selector, "::");
        buffer_add(&selector, classes, part);
        classes += part + (classes[part] == '.' ? 1 : 0);
    }
    buffer_addf(&selector, "%s%s", file[0] == '\0' ? "" : "::", name);
    if (parameters[0] != '\0')
        buffer_addf(&selector, "[%s]", parameters);
    return buffer_take(&selector);
}

/* What Go says of a package as a whole is in brackets, and no test. */
static char *write_spaced(const char *file, const char *class, const char *name,
                          const char *parameters)
{
    bool is_test = class[0] != '\0' && name[0] != '(' && parameters[0] == '\0' && file[0] == '\0';
    return is_test ? xasprintf("%s %s", class, name) : NULL;
}

/* Surefire's lists join methods by a + and classes by a comma. */
static char *write_method(const char *file, const char *class, const char *name,
                          const char *parameters)
{
    bool is_method = class[0] != '\0' && name[0] != '(' && name[0] != '\0' && file[0] == '\0' &&
                     strpbrk(class, ",+") == NULL && strcspn(name, ",+") >= strcspn(name, "([{");
    bool has_parameters = parameters[0] != '\0';
    return !is_method ? NULL
                      : xasprintf("%s#%s%s%s%s", class, name, has_parameters ? "[" : "", parameters,
                                  has_parameters ? "]" : "");
}

/* What our reporters say of what is around the tests has a last title in brackets: "g > (group)", "(errors)". */
static bool is_around_tests(const char *name, const char *between)
{
    const char *last = name;
    for (const char *next; (next = strstr(last, between)) != NULL;)
        last = next + strlen(between);
    return last[0] == '(' && last[strlen(last) - 1] == ')';
}

static char *write_titles(const char *class, const char *name, const char *parameters,
                          const char *behind_project, const char *between)
{
    bool has_project = parameters[0] != '\0', is_file = strcmp(class, name) == 0;
    if (is_around_tests(name, between))
        return NULL;
    return xasprintf("%s%s%s%s%s%s", has_project ? "[" : "", parameters,
                     has_project ? behind_project : "", class, is_file ? "" : between,
                     is_file ? "" : name);
}

static char *write_arrows(const char *file, const char *class, const char *name,
                          const char *parameters)
{
    (void)file; /* is the class */
    return write_titles(class, name, parameters, "] ", " > ");
}

static char *write_quotes(const char *file, const char *class, const char *name,
                          const char *parameters)
{
    (void)file;
    return write_titles(class, name, parameters, "] " QUOTE " ", " " QUOTE " ");
}

static char *write_plain(const char *file, const char *class, const char *name,
                         const char *parameters)
{
    bool is_plain = file[0] == '\0' && class[0] == '\0' && parameters[0] == '\0';
    return is_plain ? xstrdup(name) : NULL;
}

static const struct framework_facts frameworks[] = {
    {.name = "pytest",
     .selects_cases = true,
     .streams = true,
     .needs_command = false,
     .empty_status = 5,
     .read_selector = read_pytest,
     .write_selector = write_pytest,
     .file_in_key = false},
    {.name = "cmocka",
     .selects_cases = false,
     .streams = false,
     .needs_command = true,
     .read_selector = read_dotted,
     .naming = NAMED_IN_GROUP,
     .file_in_key = false},
    {.name = "ctest",
     .selects_cases = true,
     .streams = false,
     .needs_command = false,
     .read_selector = read_plain,
     .write_selector = write_plain,
     .naming = NAMED_ALONE,
     .file_in_key = false},
    {.name = "go-test",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_spaced,
     .write_selector = write_spaced,
     .naming = NAMED_WHOLE},
    {.name = "jest",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_arrows,
     .write_selector = write_arrows,
     .naming = NAMED_WHOLE},
    {.name = "vitest",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_arrows,
     .write_selector = write_arrows,
     .naming = NAMED_WHOLE},
    {.name = "playwright",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_quotes,
     .write_selector = write_quotes,
     .naming = NAMED_WHOLE},
    {.name = "surefire",
     .selects_cases = true,
     .read_selector = read_method,
     .write_selector = write_method},
    {.name = "nextest",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_nextest,
     .write_selector = write_spaced,
     .naming = NAMED_WHOLE},
    {.name = "prove",
     .selects_cases = true,
     .streams = true,
     .read_selector = read_arrows,
     .write_selector = write_arrows,
     .naming = NAMED_WHOLE},
    {.name = "command",
     .selects_cases = false,
     .streams = false,
     .needs_command = true,
     .read_selector = read_plain,
     .file_in_key = true},
};

const struct framework_facts *framework_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(frameworks); i++)
        if (strcmp(frameworks[i].name, name) == 0)
            return &frameworks[i];
    return NULL;
}

const struct framework_facts *framework_at(int index)
{
    return index >= 0 && (size_t)index < ARRAY_SIZE(frameworks) ? &frameworks[index] : NULL;
}

const char *framework_list(void)
{
    return "pytest, cmocka, ctest, go-test, jest, vitest, playwright, surefire, nextest, prove, command";
}

/* "tests/test_a.py" is named by the class "tests.test_a.TestX", and by "tests/test_a.py > group". */
static bool is_named(const char *file, const char *class)
{
    const char *slash = strrchr(file, '/');
    const char *dot = strrchr(slash == NULL ? file : slash, '.');
    size_t whole = strlen(file), stem = dot == NULL || dot == file ? whole : (size_t)(dot - file);
    if (strncmp(class, file, whole) == 0)
        return true;
    for (size_t i = 0; i < stem; i++)
        if (class[i] != (file[i] == '/' ? '.' : file[i]))
            return false;
    return class[stem] == '\0' || class[stem] == '.';
}

struct case_key framework_case_key(const struct framework_facts *framework, const char *suite,
                                   const char *file, const char *class, const char *name,
                                   const char *parameters, int64_t ordinal)
{
    bool is_in_key =
        framework->file_in_key && (file == NULL || class == NULL || !is_named(file, class));
    return case_key_make(&(struct case_identity){.suite = suite,
                                                 .file = is_in_key ? file : "",
                                                 .class = class,
                                                 .name = name,
                                                 .parameters = parameters,
                                                 .ordinal = ordinal});
}

/* What was made is read again: a case whose key does not come out of that (one of several equal names, a
 * report that names no file) would be another case. */
char *framework_selector(const struct framework_facts *framework, const char *suite,
                         const char *key_hex, const char *file, const char *class, const char *name,
                         const char *parameters)
{
    if (!framework->selects_cases || framework->write_selector == NULL)
        return NULL;
    AUTO(text_free) char *selector = framework->write_selector(file, class, name, parameters);
    if (selector == NULL || selector[0] == '\0' || strpbrk(selector, "\r\n") != NULL)
        return NULL;
    AUTO(text_free)
    char *read_file = NULL, *read_class = NULL, *read_name = NULL, *read_parameters = NULL;
    framework->read_selector(selector, &read_file, &read_class, &read_name, &read_parameters);
    const struct case_key key =
        framework_case_key(framework, suite, read_file, read_class, read_name, read_parameters, 0);
    return strcmp(key.hex, key_hex) == 0 ? TAKE(selector) : NULL;
}
