/* SPDX-License-Identifier: Apache-2.0 */
#include "base/roff.h"

/* One character of UTF-8 beyond ASCII; *text stands behind it afterwards. */
static unsigned take_character(const unsigned char **text)
{
    const unsigned char *c = *text;
    int more = c[0] >= 0xF0 ? 3 : c[0] >= 0xE0 ? 2 : 1;
    unsigned value = c[0] & (0x3FU >> more);
    for ((*text)++; more > 0 && (**text & 0xC0) == 0x80; more--, (*text)++)
        value = value << 6 | (**text & 0x3F);
    return value;
}

void roff_text(FILE *out, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (*c == '.' || *c == '\'')
        fputs("\\&", out);
    while (*c != '\0') {
        if (*c >= 0x80) {
            fprintf(out, "\\[u%04X]", take_character(&c));
            continue;
        }
        if (*c == '\\')
            fputs("\\e", out);
        else
            fprintf(out, *c == '-' ? "\\-" : "%c", *c);
        c++;
    }
}
