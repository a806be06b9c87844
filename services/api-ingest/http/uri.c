/* SPDX-License-Identifier: Apache-2.0 */
#include "http/uri.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
    return digit == NULL ? -1 : (int)(digit - digits);
}

static int decode_escape(const char *escape, size_t left, char *byte_r)
{
    if (left < 3)
        return -1;
    int high = hex_value(escape[1]), low = hex_value(escape[2]);
    if (high < 0 || low < 0 || (high | low) == 0)
        return -1;
    *byte_r = (char)(high * 16 + low);
    return 0;
}

int uri_decode(const char *encoded, size_t length, char **text_r, struct error *error)
{
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        text[used] = encoded[i];
        if (encoded[i] == '%') {
            if (decode_escape(encoded + i, length - i, &text[used]) < 0)
                return error_set(error, "invalid", "the URL has a broken percent-escape");
            i += 2;
        }
        used++;
    }
    AUTO(text_free) char *clean = utf8_clean(text, used);
    if (strlen(clean) != used || memcmp(clean, text, used) != 0)
        return error_set(error, "invalid", "the URL is not UTF-8");
    *text_r = TAKE(text);
    return 0;
}
