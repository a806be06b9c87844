/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that never fails (out of memory aborts, here and nowhere else), and ownership:
 *   AUTO(task_free) struct task *t = task_new(); …; return TAKE(t);
 * A destructor takes pointer-to-pointer, accepts NULL and half-built objects, and sets NULL. */
#pragma once

#include <stddef.h>

#define AUTO(destructor) __attribute__((cleanup(destructor)))

/* Hands the value over: the variable is NULL afterwards, its destructor has nothing to do. */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __auto_type take_ = (pointer);                                                             \
        (pointer) = NULL;                                                                          \
        take_;                                                                                     \
    })

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *memory, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *bytes, size_t length) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Destructors for AUTO: */
void text_free(char **text);
void memory_free(void *pointer_to_pointer);
void fd_close(int *fd); /* -1 is nothing to close; sets -1 */

/* Grows *array (of *capacity elements of element_size) so that index `count` is valid. */
void *array_reserve(void *array, size_t *capacity, size_t count, size_t element_size)
    __attribute__((returns_nonnull));
