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
static void write_id(uint8_t *id, size_t bytes, char *text)
{
    char hex[TRACE_ID_SIZE];
    id[0] |= 0x80;
    sodium_bin2hex(hex, sizeof hex, id, bytes);
    memcpy(text, hex, 2 * bytes);
}

static void add_id(char *text, size_t bytes)
{
    uint8_t id[16];
    randombytes_buf(id, bytes);
    write_id(id, bytes, text);
}

void traceparent_begin(char text_r[TRACEPARENT_SIZE])
{
    memcpy(text_r, "00-", 3);
    add_id(text_r + 3, 16);
    text_r[35] = '-';
    add_id(text_r + 36, 8);
    memcpy(text_r + 52, "-01", 4);
}

bool traceparent_is_sampled(const char *text)
{
    return (strchr(HEX, text[54]) - HEX) % 2 == 1;
}

void traceparent_trace_id(const char *text, char id_r[TRACE_ID_SIZE])
{
    memcpy(id_r, text + 3, 32);
    id_r[32] = '\0';
}

void traceparent_span_id(const char *text, char id_r[SPAN_ID_SIZE])
{
    memcpy(id_r, text + 36, 16);
    id_r[16] = '\0';
}

void traceparent_below(const char *text, const char *span_id, char text_r[TRACEPARENT_SIZE])
{
    memmove(text_r, text, TRACEPARENT_SIZE);
    memcpy(text_r + 36, span_id, 16);
}

void span_id_of(const struct uuid *id, const char *word, char id_r[SPAN_ID_SIZE])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)id->text, strlen(id->text),
                       (const uint8_t *)word, strlen(word));
    write_id(hash, 8, id_r);
    id_r[16] = '\0';
}

void span_id_random(char id_r[SPAN_ID_SIZE])
{
    add_id(id_r, 8);
    id_r[16] = '\0';
}
