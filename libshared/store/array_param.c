/* SPDX-License-Identifier: Apache-2.0 */
/* Array literals for set-wise statements: {"a","b\"c",NULL}. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "store/store.h"

#define ARRAY_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct array_param {
    struct buffer text;
    bool closed;
    int count;
    char first[ERROR_ABOUT_MAX];
};

struct array_param *array_param_new(void)
{
    struct array_param *array = xcalloc(1, sizeof *array);
    buffer_init(&array->text, ARRAY_BYTES_MAX);
    buffer_add_char(&array->text, '{');
    return array;
}

void array_param_free(struct array_param **array)
{
    if (*array != NULL)
        buffer_deinit(&(*array)->text);
    memory_free(array);
}

static void separate(struct array_param *array)
{
    if (array->closed) { /* more after a get: open it again */
        array->text.length--;
        array->closed = false;
    }
    if (array->text.length > 1)
        buffer_add_char(&array->text, ',');
}

void array_param_add(struct array_param *array, const char *text)
{
    separate(array);
    if (array->count++ == 0)
        snprintf(array->first, sizeof array->first, "%s", text == NULL ? "" : text);
    if (text == NULL) {
        buffer_add_text(&array->text, "NULL");
        return;
    }
    buffer_add_char(&array->text, '"');
    for (size_t plain; *text != '\0'; text += plain) {
        plain = strcspn(text, "\"\\");
        buffer_add(&array->text, text, plain);
        if (text[plain] != '\0') {
            const char escaped[2] = {'\\', text[plain++]};
            buffer_add(&array->text, escaped, sizeof escaped);
        }
    }
    buffer_add_char(&array->text, '"');
}

void array_param_add_int(struct array_param *array, int64_t number)
{
    separate(array);
    array->count++;
    buffer_addf(&array->text, "%lld", (long long)number);
}

struct param array_param_get(struct array_param *array)
{
    if (!array->closed) {
        buffer_add_char(&array->text, '}');
        array->closed = true;
    }
    if (array->text.overflowed)
        abort();
    return param_text(array->text.data);
}

const char *array_param_only(const struct array_param *array)
{
    return array->count == 1 ? array->first : "";
}
