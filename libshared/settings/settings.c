/* SPDX-License-Identifier: Apache-2.0 */
/* Settings from the environment: one codec per type, one walk over the table. */
#include "settings/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/names.h"
#include "base/text.h"

#define SECRET_FILE_MAX (64 * 1024)

struct setting_codec {
    const char *what; /* for --help */
    int (*parse)(const struct setting *, const char *text, void *slot, struct error *);
    bool owns_text;
};

static int parse_text(const struct setting *setting, const char *text, void *slot,
                      struct error *error)
{
    size_t length = strlen(text);
    if (setting->max > 0 && (length < (size_t)setting->min || length > (size_t)setting->max))
        return error_set(error, "invalid", "must have from %" PRId64 " to %" PRId64 " bytes",
                         setting->min, setting->max);
    *(char **)slot = xstrdup(text);
    return 0;
}

static int parse_int(const struct setting *setting, const char *text, void *slot,
                     struct error *error)
{
    return int_parse(text, setting->min, setting->max, slot, error);
}

static int parse_duration(const struct setting *setting, const char *text, void *slot,
                          struct error *error)
{
    return duration_parse(text, setting->min, setting->max, slot, error);
}

static int parse_bool(const struct setting *setting, const char *text, void *slot,
                      struct error *error)
{
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no",
                                                                                "off"};
    (void)setting;
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (strcasecmp(text, yes[i]) != 0 && strcasecmp(text, no[i]) != 0)
            continue;
        *(bool *)slot = strcasecmp(text, yes[i]) == 0;
        return 0;
    }
    return error_set(error, "invalid", "must be true or false");
}

static int parse_enum(const struct setting *setting, const char *text, void *slot,
                      struct error *error)
{
    return names_parse(setting->names, text, slot, error);
}

static int parse_listen(const struct setting *setting, const char *text, void *slot,
                        struct error *error)
{
    struct listen_address address = {.host = "", .port = 0};
    const char *colon = strrchr(text, ':');
    const char *host = text;
    struct error inner;
    int64_t port;
    (void)setting;
    if (colon == NULL || int_parse(colon + 1, 1, 65535, &port, &inner) < 0)
        return error_set(error, "invalid", "must be host:port, with a port from 1 to 65535");
    size_t length = (size_t)(colon - text);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length >= sizeof address.host)
        return error_set(error, "invalid", "the host is longer than %zu bytes",
                         sizeof address.host - 1);
    memcpy(address.host, host, length);
    address.port = (uint16_t)port;
    *(struct listen_address *)slot = address;
    return 0;
}

static const struct setting_codec codecs[] = {
    [SETTING_TEXT] = {.what = "text", .parse = parse_text, .owns_text = true},
    [SETTING_SECRET] = {.what = "secret", .parse = parse_text, .owns_text = true},
    [SETTING_INT] = {.what = "number", .parse = parse_int},
    [SETTING_DURATION] = {.what = "duration", .parse = parse_duration},
    [SETTING_BOOL] = {.what = "true/false", .parse = parse_bool},
    [SETTING_ENUM] = {.what = "choice", .parse = parse_enum},
    [SETTING_LISTEN] = {.what = "host:port", .parse = parse_listen},
};

/* Content of the file without the line's end. */
static int read_file(const char *path, char **text_r, struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, "invalid", "file %s: %s", path, strerror(errno));
    char *text = xcalloc(1, SECRET_FILE_MAX + 1);
    size_t length = fread(text, 1, SECRET_FILE_MAX, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    if (failed || length == 0) {
        free(text);
        return error_set(error, "invalid", "file %s: %s", path,
                         failed ? "cannot be read" : "is empty");
    }
    *text_r = text;
    return 0;
}

/* NAME, else the content of the file that NAME_FILE names, else the fallback (NULL when there is none). */
static int find_text(const struct setting *setting, char **text_r, struct error *error)
{
    AUTO(text_free) char *file_name = xasprintf("%s_FILE", setting->name);
    const char *direct = getenv(setting->name), *file = getenv(file_name);
    if (direct != NULL && direct[0] != '\0' && file != NULL && file[0] != '\0')
        return error_set(error, "invalid", "is given twice, directly and by %s", file_name);
    if (file != NULL && file[0] != '\0')
        return read_file(file, text_r, error);
    if (direct != NULL && direct[0] != '\0')
        *text_r = xstrdup(direct);
    else
        *text_r = setting->fallback == NULL ? NULL : xstrdup(setting->fallback);
    return 0;
}

static int load_one(const struct setting *setting, void *out, struct error *error)
{
    AUTO(text_free) char *text = NULL;
    void *slot = (char *)out + setting->offset;
    if (find_text(setting, &text, error) < 0)
        return -1;
    if (text == NULL)
        return error_set(error, "missing", "is missing: %s", setting->text);
    if (text[0] == '\0' && codecs[setting->type].owns_text && setting->min == 0) {
        *(char **)slot = xstrdup("");
        return 0;
    }
    return codecs[setting->type].parse(setting, text, slot, error);
}

int settings_load(const struct settings_table *table, void *out, FILE *problems)
{
    int status = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct error error;
        if (load_one(&table->list[i], out, &error) == 0)
            continue;
        fprintf(problems, "%s %s\n", table->list[i].name, error.text);
        status = -1;
    }
    return status;
}

void settings_free(const struct settings_table *table, void *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *setting = &table->list[i];
        if (codecs[setting->type].owns_text)
            text_free((char **)(void *)((char *)out + setting->offset));
    }
}

/* "number, 1 to 256", "choice: error, warning, info, debug" */
static void print_type(const struct setting *setting, FILE *out)
{
    fprintf(out, "%s", codecs[setting->type].what);
    if (setting->type == SETTING_INT)
        fprintf(out, ", %" PRId64 " to %" PRId64, setting->min, setting->max);
    if (setting->type == SETTING_DURATION)
        fprintf(out, ", %" PRId64 " ms to %" PRId64 " ms", setting->min, setting->max);
    for (int i = 0; setting->type == SETTING_ENUM && i < setting->names->count; i++)
        fprintf(out, "%s%s", i == 0 ? ": " : ", ", setting->names->list[i]);
}

static const char *fallback_text(const struct setting *setting)
{
    if (setting->fallback == NULL)
        return "required";
    return setting->fallback[0] == '\0' ? "none" : setting->fallback;
}

void settings_print_help(const struct settings_table *table, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *setting = &table->list[i];
        fprintf(out, "  %s  (", setting->name);
        print_type(setting, out);
        fprintf(out, "; default: %s)\n      %s\n", fallback_text(setting), setting->text);
    }
}

void settings_print_markdown(const struct settings_table *table, FILE *out)
{
    fprintf(out, "| setting | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *setting = &table->list[i];
        fprintf(out, "| `%s` | ", setting->name);
        print_type(setting, out);
        fprintf(out, " | %s | %s |\n", fallback_text(setting), setting->text);
    }
}
