/* SPDX-License-Identifier: Apache-2.0 */
#include "base/traceparent.h"

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
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

/* Zeros would be no id: the first bit is set. */
static void add_id(char *text, size_t bytes)
{
    uint8_t id[16];
    char hex[2 * sizeof id + 1];
    randombytes_buf(id, bytes);
    id[0] |= 0x80;
    sodium_bin2hex(hex, sizeof hex, id, bytes);
    memcpy(text, hex, 2 * bytes);
}

void traceparent_begin(char text_r[TRACEPARENT_SIZE])
{
    memcpy(text_r, "00-", 3);
    add_id(text_r + 3, 16);
    text_r[35] = '-';
    add_id(text_r + 36, 8);
    memcpy(text_r + 52, "-01", 4);
}
