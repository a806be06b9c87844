/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int error_set(struct error *error, const char *code, const char *format, ...)
{
    if (error == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    char text[ERROR_TEXT_MAX]; /* the arguments may point into *error */
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    memset(error, 0, sizeof *error);
    snprintf(error->code, sizeof error->code, "%s", code);
    memcpy(error->text, text, sizeof text);
    return -1;
}

int error_field(struct error *error, const char *field, const char *format, ...)
{
    if (error == NULL)
        return -1;
    char text[ERROR_TEXT_MAX], path[ERROR_FIELD_MAX];
    va_list args;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    text_format(path, sizeof path, "%s", field);
    memset(error, 0, sizeof *error);
    snprintf(error->code, sizeof error->code, "invalid");
    memcpy(error->field, path, sizeof path);
    memcpy(error->text, text, sizeof text);
    return -1;
}

int error_wrap(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return -1;
    char context[ERROR_TEXT_MAX], text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    text_vformat(context, sizeof context, format, args);
    va_end(args);
    text_format(text, sizeof text, "%s: %s", context, error->text);
    memcpy(error->text, text, ERROR_TEXT_MAX);
    return -1;
}

int error_in(struct error *error, const char *prefix)
{
    if (error == NULL)
        return -1;
    char path[ERROR_FIELD_MAX], text[ERROR_TEXT_MAX];
    size_t length = strlen(error->field);
    const char *dot = error->field[0] == '\0' || error->field[0] == '[' ? "" : ".";
    text_format(path, sizeof path, "%s%s%s", prefix, dot, error->field);
    /* A text that begins with the field says the whole path from now on. */
    if (strncmp(error->text, error->field, length) == 0) {
        text_format(text, sizeof text, "%s%s%s", path, length == 0 ? " " : "",
                    error->text + length);
        memcpy(error->text, text, ERROR_TEXT_MAX);
    }
    memcpy(error->field, path, ERROR_FIELD_MAX);
    return -1;
}

bool error_is(const struct error *error, const char *code)
{
    return strcmp(error->code, code) == 0;
}
