/* SPDX-License-Identifier: Apache-2.0 */
/* Event types and subscription patterns. */
#include "model/events.h"

#include <string.h>

#include "base/text.h"

const struct event_type event_types[EVENT_TYPE_COUNT] = {
#define X(name, type, text) {type, text},
    EVENT_TYPES(X)
#undef X
};

bool event_pattern_covers(const char *pattern, const char *type)
{
    size_t length = strlen(pattern);
    if (strcmp(pattern, "*") == 0)
        return true;
    if (length > 2 && text_ends(pattern, ".*"))
        return strncmp(pattern, type, length - 1) == 0;
    return strcmp(pattern, type) == 0;
}

bool event_pattern_is_valid(const char *pattern)
{
    for (int i = 0; i < EVENT_TYPE_COUNT; i++)
        if (event_pattern_covers(pattern, event_types[i].type))
            return true;
    return false;
}
