/* SPDX-License-Identifier: Apache-2.0 */
#include "base/traceparent.h"

#include <stddef.h>
#include <string.h>

#define HEX "0123456789abcdef"

static bool is_id(const char *text, size_t length)
{
    return strspn(text, HEX) == length && strspn(text, "0") < length;
}

bool traceparent_is_valid(const char *text)
{
    return strlen(text) == TRACEPARENT_LENGTH && memcmp(text, "00-", 3) == 0 &&
           is_id(text + 3, 32) && text[35] == '-' && is_id(text + 36, 16) && text[52] == '-' &&
           strspn(text + 53, HEX) == 2;
}
