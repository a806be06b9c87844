/* SPDX-License-Identifier: Apache-2.0 */
/* Suites from command lines. */
#include "inline_suite.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define SLUG_MAX 63

char *slug_from(const char *text)
{
    char slug[SLUG_MAX + 1];
    size_t length = 0;
    for (const char *c = text; *c != '\0' && length < SLUG_MAX; c++) {
        if (isascii((unsigned char)*c) && isalnum((unsigned char)*c))
            slug[length++] = (char)tolower((unsigned char)*c);
        else if (length > 0 && slug[length - 1] != '-')
            slug[length++] = '-';
    }
    while (length > 0 && slug[length - 1] == '-')
        length--;
    return length == 0 ? xstrdup("suite") : xstrndup(slug, length);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool is_python(const char *program)
{
    return text_starts(base_name(program), "python");
}

/* How command lines begin, the first word without its directories. */
static const struct {
    const char *framework, *words[3];
} beginnings[] = {
    {"pytest", {"pytest"}},
    {"pytest", {"py.test"}},
    {"ctest", {"ctest"}},
    {"go-test", {"go", "test"}},
    {"jest", {"jest"}},
    {"jest", {"npx", "jest"}},
    {"vitest", {"vitest", "run"}},
    {"vitest", {"npx", "vitest", "run"}},
    {"playwright", {"playwright", "test"}},
    {"playwright", {"npx", "playwright", "test"}},
    {"surefire", {"mvn", "test"}},
    {"surefire", {"mvn", "verify"}},
    {"nextest", {"cargo", "nextest", "run"}},
    {"prove", {"prove"}},
};

/* How many words the beginning has; 0: it is another one. */
static int begins(char *const *words, int count, const char *const beginning[3])
{
    int i = 0;
    for (; i < 3 && beginning[i] != NULL; i++)
        if (i >= count || strcmp(i == 0 ? base_name(words[0]) : words[i], beginning[i]) != 0)
            return 0;
    return i;
}

const char *inline_framework(char *const *words, int count, int *skip_r)
{
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if ((*skip_r = begins(words, count, beginnings[i].words)) > 0)
            return beginnings[i].framework;
    *skip_r = 3;
    if (count >= 3 && is_python(words[0]) && strcmp(words[1], "-m") == 0 &&
        strcmp(words[2], "pytest") == 0)
        return "pytest";
    *skip_r = count;
    return "command";
}

/* Workers have a PATH of their own, the user's virtual environment is not in it: a program that is not
 * one of the system's is named by its absolute path. */
static char *find_program(const char *word)
{
    const char *path = getenv("PATH");
    if (strchr(word, '/') != NULL || path == NULL)
        return xstrdup(word);
    AUTO(text_free) char *copy = xstrdup(path);
    char *state = NULL;
    for (char *part = strtok_r(copy, ":", &state); part != NULL;
         part = strtok_r(NULL, ":", &state)) {
        AUTO(text_free) char *candidate = xasprintf("%s/%s", part, word);
        if (part[0] != '/' || access(candidate, X_OK) != 0)
            continue;
        bool is_systems = text_starts(part, "/usr/") || strcmp(part, "/bin") == 0;
        return is_systems ? xstrdup(word) : TAKE(candidate);
    }
    return xstrdup(word);
}

static json_t *words_json(char *const *words, int count, bool find)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        AUTO(text_free) char *word = i == 0 && find ? find_program(words[i]) : xstrdup(words[i]);
        json_array_append_new(list, json_lossy(word, strlen(word)));
    }
    return list;
}

static int make_source(const struct cli_options *options, json_t **source_r, struct error *error)
{
    char path[PATH_MAX];
    const char *given = options->path == NULL ? "." : options->path;
    if (options->bundle != NULL) {
        if (options->git != NULL || options->path != NULL || options->ref != NULL ||
            options->pinned)
            return usage_error(error, "--bundle goes without --path, --git, --ref and --pinned");
        if (realpath(options->bundle, path) == NULL)
            return usage_error(error, "--bundle %s: %s", options->bundle, strerror(errno));
        *source_r = json_pack("{s:s}", "kind", "bundle");
        return 0;
    }
    if (options->git != NULL) {
        *source_r = json_pack("{s:s, s:s, s:s*, s:s*}", "kind", "git", "url", options->git, "ref",
                              options->ref, "path", options->path);
        if (options->pinned)
            json_object_set_new(*source_r, "pinned", json_true());
        return 0;
    }
    if (options->ref != NULL || options->pinned)
        return usage_error(error, "--ref and --pinned go with --git only");
    if (realpath(given, path) == NULL)
        return usage_error(error, "--path %s: %s", given, strerror(errno));
    *source_r = json_pack("{s:s, s:o}", "kind", "path", "path", json_lossy(path, strlen(path)));
    return 0;
}

static json_t *make_report(const struct cli_options *options, const char *framework)
{
    const char *path = options->report;
    if (path != NULL) {
        const char *format = text_ends(path, ".tap")   ? "tap"
                             : text_ends(path, ".xml") ? "junit"
                                                       : "auto"; /* its reader knows the others */
        return json_pack("{s:s, s:s}", "format", format, "path", path);
    }
    return json_pack("{s:s}", "format", strcmp(framework, "command") == 0 ? "none" : "auto");
}

static int make_variables(const struct texts *variables, json_t **variables_r, struct error *error)
{
    AUTO(json_free) json_t *object = json_object();
    for (size_t i = 0; i < variables->count; i++) {
        const char *text = variables->list[i], *equals = strchr(text, '=');
        if (equals == NULL || equals == text)
            return usage_error(error, "--env %s: must be NAME=VALUE", text);
        AUTO(text_free) char *name = xstrndup(text, (size_t)(equals - text));
        json_object_set_new(object, name, json_lossy(equals + 1, strlen(equals + 1)));
    }
    *variables_r = TAKE(object);
    return 0;
}

char *inline_project(const struct cli_options *options)
{
    char path[PATH_MAX];
    if (options->git != NULL) {
        AUTO(text_free) char *name = xstrdup(base_name(options->git));
        if (text_ends(name, ".git"))
            name[strlen(name) - strlen(".git")] = '\0';
        return slug_from(name);
    }
    const char *here = options->bundle != NULL ? options->bundle : options->path;
    if (realpath(here == NULL ? "." : here, path) == NULL)
        return slug_from("");
    return slug_from(base_name(path));
}

static json_t *texts_json(const struct texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_lossy(texts->list[i], strlen(texts->list[i])));
    return list;
}

int inline_suite(const struct cli_options *options, json_t **suite_r, struct error *error)
{
    AUTO(json_free) json_t *source = NULL, *variables = NULL;
    int skip;
    const char *framework = inline_framework(options->rest, options->rest_count, &skip);
    bool is_guessed = strcmp(framework, "command") != 0;
    if (options->framework != NULL && strcmp(options->framework, framework) != 0) {
        framework = options->framework;
        skip = options->rest_count;
        is_guessed = false;
    }
    if (make_source(options, &source, error) < 0 ||
        make_variables(&options->variables, &variables, error) < 0)
        return -1;

    const char *program =
        is_guessed || strcmp(framework, "pytest") == 0 ? framework : base_name(options->rest[0]);
    AUTO(text_free) char *project = inline_project(options);
    AUTO(text_free) char *name = xasprintf("%.40s-%s", project, program);
    AUTO(text_free) char *slug = slug_from(options->suite == NULL ? name : options->suite);
    json_t *secrets = texts_json(&options->secrets);
    *suite_r =
        json_pack("{s:s, s:s, s:O, s:o, s:o, s:o, s:O, s:o, s:s*}", "slug", slug, "framework",
                  framework, "source", source, "command", words_json(options->rest, skip, true),
                  "arguments", words_json(options->rest + skip, options->rest_count - skip, false),
                  "report", make_report(options, framework), "environment", variables, "secrets",
                  secrets, "directory", options->directory);
    if (*suite_r != NULL && options->artifacts.count > 0)
        json_object_set_new(*suite_r, "artifacts", texts_json(&options->artifacts));
    if (*suite_r == NULL)
        return usage_error(error, "the command line is not UTF-8");
    return 0;
}
