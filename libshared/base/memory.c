/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that decides what out of memory means. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *memory)
{
    if (memory == NULL) {
        static const char text[] = "out of memory\n";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        abort();
    }
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    return must(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *xrealloc(void *memory, size_t size)
{
    return must(realloc(memory, size == 0 ? 1 : size));
}

char *xstrdup(const char *text)
{
    return must(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
    return must(strndup(text, length));
}

void *xmemdup(const void *bytes, size_t length)
{
    void *copy = xcalloc(1, length);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *xasprintf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    return must(length < 0 ? NULL : text);
}

void text_free(char **text)
{
    free(*text);
    *text = NULL;
}

void memory_free(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;
    free(*pointer);
    *pointer = NULL;
}

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void *array_reserve(void *array, size_t *capacity, size_t count, size_t element_size)
{
    if (array != NULL && count < *capacity)
        return array;
    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted <= count)
        wanted = count + 1;
    size_t bytes;
    if (__builtin_mul_overflow(wanted, element_size, &bytes))
        return must(NULL);
    *capacity = wanted;
    return xrealloc(array, bytes);
}
