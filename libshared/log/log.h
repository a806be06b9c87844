/* SPDX-License-Identifier: Apache-2.0 */
/* JSON log lines on stderr, one object a line: time, level, service, instance, message, and the ids
 * of the context; monotonic_us, too, in a process that writes debug lines. Thread-safe. Functions that
 * return errors never log; who gives up logs once. */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
extern const struct names log_level_names;

/* Fields of one line, ended by {NULL}. Values of NULL are left out. */
struct log_field {
    const char *name;
    const char *text; /* or: */
    int64_t number;
    int is_number;
};
#define LOG_TEXT(name_, text_) ((struct log_field){.name = (name_), .text = (text_)})
#define LOG_INT(name_, number_)                                                                    \
    ((struct log_field){.name = (name_), .number = (number_), .is_number = 1})

void log_init(const char *service, const char *instance, enum log_level level);

void log_write(enum log_level level, const char *message, const struct log_field *fields);
/* log_info("worker lost", LOG_TEXT("worker_id", id), LOG_INT("silent_ms", 61000)); */
#define log_info(...)    LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, {.name = NULL})
#define log_warning(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__, {.name = NULL})
#define log_error(...)   LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, {.name = NULL})
#define log_debug(...)   LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, {.name = NULL})
#define LOG_AT(level, message, ...)                                                                \
    log_write((level), (message), (const struct log_field[]){__VA_ARGS__})

/* "<what>: <error text>" with error_code and field. */
void log_failure(enum log_level level, const char *what, const struct error *error);
