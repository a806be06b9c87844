/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer that grows up to a maximum given at init. Appending beyond it keeps what was there,
 * appends nothing and marks the buffer `overflowed`: check once at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct buffer {
    char *data; /* always NUL-terminated once something was appended; NULL before */
    size_t length;
    size_t capacity;
    size_t max_bytes;
    bool overflowed;
};

void buffer_init(struct buffer *buffer, size_t max_bytes);
void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory, forgets the overflow */
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_addf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_remove_front(struct buffer *buffer, size_t length);
const char *buffer_text(const struct buffer *buffer); /* "" when empty */
char *buffer_take(struct buffer *buffer);             /* caller frees; buffer is empty afterwards */
int buffer_check(const struct buffer *buffer, const char *what, struct error *error) WARN_UNUSED;
