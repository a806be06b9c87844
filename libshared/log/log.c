/* SPDX-License-Identifier: Apache-2.0 */
/* JSON log lines, each by one write, so that threads and processes never mix theirs. */
#include "log/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"

static const char *const level_list[] = {"error", "warning", "info", "debug"};
const struct names log_level_names = NAMES("log level", level_list);

static char *service_name, *instance_name;
static _Atomic int highest = LOG_LEVEL_INFO;

void log_init(const char *service, const char *instance, enum log_level level)
{
    text_free(&service_name);
    text_free(&instance_name);
    service_name = xstrdup(service);
    instance_name = xstrdup(instance);
    highest = (int)level;
}

static void add_text(json_t *line, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(line, name, json_lossy(text, strlen(text)));
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    char time[TIME_TEXT_SIZE];
    if ((int)level > highest)
        return;
    AUTO(json_free) json_t *line = json_object();
    add_text(line, "time", time_format(wall_ms(), time));
    add_text(line, "level", names_get(&log_level_names, (int)level));
    add_text(line, "service", service_name);
    add_text(line, "instance", instance_name);
    add_text(line, "message", message);
    for (; fields->name != NULL; fields++) {
        if (fields->is_number)
            json_object_set_new(line, fields->name, json_integer(fields->number));
        else
            add_text(line, fields->name, fields->text);
    }
    if (highest == LOG_LEVEL_DEBUG)
        json_object_set_new(line, "monotonic_us", json_integer(monotonic_us()));
    AUTO(text_free) char *text = json_text(line);
    size_t length = strlen(text);
    text[length] = '\n'; /* in the place of the NUL: one write, no copy */
    (void)!write(STDERR_FILENO, text, length + 1);
}

void log_failure(enum log_level level, const char *what, const struct error *error)
{
    const struct log_field fields[] = {
        LOG_TEXT("reason", error->text),
        LOG_TEXT("error_code", error->code),
        LOG_TEXT("field", error->field[0] == '\0' ? NULL : error->field),
        LOG_TEXT("sqlstate", error->sqlstate[0] == '\0' ? NULL : error->sqlstate),
        {.name = NULL},
    };
    log_write(level, what, fields);
}
