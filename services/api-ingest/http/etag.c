/* SPDX-License-Identifier: Apache-2.0 */
#include "http/etag.h"

#include <string.h>

/* The length of the tag at the beginning of the text, quotes included; 0: there is none. */
static size_t tag_length(const char *text)
{
    if (text[0] != '"')
        return 0;
    size_t inner = strcspn(text + 1, "\"");
    return text[1 + inner] == '"' ? inner + 2 : 0;
}

bool etag_is_named(const char *list, const char *etag, enum etag_comparison comparison)
{
    const char *at = list + strspn(list, " \t,");
    if (strcmp(at, "*") == 0)
        return true;
    while (*at != '\0') {
        bool is_weak = strncmp(at, "W/", 2) == 0;
        at += is_weak ? 2 : 0;
        size_t length = tag_length(at);
        if (length == 0)
            return false;
        if (length == strlen(etag) && memcmp(at, etag, length) == 0 &&
            (comparison == ETAG_WEAK || !is_weak))
            return true;
        at += length;
        at += strspn(at, " \t,");
    }
    return false;
}
