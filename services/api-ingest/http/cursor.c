/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cursor.h"

#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define CURSOR_MAX   4096
#define NUMBERS_MAX  4
#define NUMBER_BYTES 24
/* libsodium takes some bytes that are not of it. */
#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define VARIANT  sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *cursor_encode(const char *text)
{
    size_t length = strlen(text), size = sodium_base64_ENCODED_LEN(length, VARIANT);
    char *cursor = xcalloc(size, 1);
    return sodium_bin2base64(cursor, size, (const unsigned char *)text, length, VARIANT);
}

int cursor_refuse(struct error *error)
{
    return error_field(error, "cursor", "cursor must be one that an earlier page gave");
}

int cursor_decode(const char *cursor, char **text_r, struct error *error)
{
    size_t length = strlen(cursor), decoded = 0;
    const char *end = NULL;
    if (length > CURSOR_MAX || strspn(cursor, ALPHABET) != length)
        return cursor_refuse(error);
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    if (sodium_base642bin((unsigned char *)text, length, cursor, length, NULL, &decoded, &end,
                          VARIANT) != 0 ||
        end != cursor + length)
        return cursor_refuse(error);
    AUTO(text_free) char *clean = utf8_clean(text, decoded);
    if (strlen(clean) != decoded || memcmp(clean, text, decoded) != 0)
        return cursor_refuse(error);
    *text_r = TAKE(text);
    return 0;
}

int cursor_numbers(const char *text, int64_t min, const int64_t max[], size_t count,
                   int64_t numbers_r[], const char **rest_r, struct error *error)
{
    int64_t numbers[NUMBERS_MAX];
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        char number[NUMBER_BYTES];
        size_t length = strcspn(at, ".");
        bool is_end = rest_r == NULL && i + 1 == count;
        if (length >= sizeof number || (at[length] == '\0') != is_end)
            return cursor_refuse(error);
        memcpy(number, at, length);
        number[length] = '\0';
        if (int_parse(number, min, max[i], &numbers[i], NULL) < 0)
            return cursor_refuse(error);
        at += length + 1;
    }
    memcpy(numbers_r, numbers, count * sizeof *numbers);
    if (rest_r != NULL)
        *rest_r = at;
    return 0;
}
