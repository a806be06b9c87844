/* SPDX-License-Identifier: Apache-2.0 */
/* Making and checking tokens. The checksum is CRC-32 of what stands before it, in base 36. */
#include "auth/token.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

#define SECRET_BYTES   32
#define CHECKSUM_CHARS 6

static const char *const scope_list[SCOPE_COUNT] = {
#define X(name, text, help) text,
    TOKEN_SCOPES(X)
#undef X
};
const struct names token_scope_names = NAMES("scope", scope_list);

const char *const token_scope_help[SCOPE_COUNT] = {
#define X(name, text, help) help,
    TOKEN_SCOPES(X)
#undef X
};

static void checksum(const char *text, char out[CHECKSUM_CHARS + 1])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    uint32_t crc = text_crc32(text);
    for (int i = CHECKSUM_CHARS - 1; i >= 0; i--) {
        out[i] = digits[crc % 36];
        crc /= 36;
    }
    out[CHECKSUM_CHARS] = '\0';
}

void token_make(const char *prefix, char text_r[TOKEN_TEXT_SIZE])
{
    uint8_t secret[SECRET_BYTES];
    char encoded[48], sum[CHECKSUM_CHARS + 1];
    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(encoded, sizeof encoded, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(text_r, TOKEN_TEXT_SIZE, "%s_%s", prefix, encoded);
    checksum(text_r, sum);
    size_t length = strlen(text_r);
    snprintf(text_r + length, TOKEN_TEXT_SIZE - length, "_%s", sum);
    sodium_memzero(secret, sizeof secret);
}

bool token_is_well_formed(const char *text)
{
    char before[TOKEN_TEXT_SIZE], sum[CHECKSUM_CHARS + 1];
    size_t length = strlen(text);
    if (length <= CHECKSUM_CHARS + 1 || length >= TOKEN_TEXT_SIZE || !text_starts(text, "vd"))
        return false;
    size_t at = length - CHECKSUM_CHARS - 1;
    if (text[at] != '_')
        return false;
    memcpy(before, text, at);
    before[at] = '\0';
    checksum(before, sum);
    return strcmp(sum, text + at + 1) == 0;
}

void token_hash(const char *text, uint8_t hash_r[TOKEN_HASH_BYTES])
{
    crypto_hash_sha256(hash_r, (const uint8_t *)text, strlen(text));
}
