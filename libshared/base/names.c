/* SPDX-License-Identifier: Apache-2.0 */
/* Names of enum values. */
#include "base/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *names_get(const struct names *names, int value)
{
    assert(value >= 0 && value < names->count);
    return names->list[value];
}

int names_find(const struct names *names, const char *text)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->list[i], text) == 0)
            return i;
    return -1;
}

int names_parse(const struct names *names, const char *text, int *value_r, struct error *error)
{
    int value = names_find(names, text);
    if (value >= 0) {
        *value_r = value;
        return 0;
    }
    char all[256] = "";
    size_t length = 0;
    for (int i = 0; i < names->count && length < sizeof all; i++)
        length += (size_t)snprintf(all + length, sizeof all - length, "%s%s", i ? ", " : "",
                                   names->list[i]);
    return error_set(error, "invalid", "is no %s: one of %s", names->what, all);
}
