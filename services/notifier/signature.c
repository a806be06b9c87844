/* SPDX-License-Identifier: Apache-2.0 */
/* Signing with libsodium. */
#include "signature.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SECRET_PREFIX    "whsec_"
#define SECRET_BYTES_MIN 16
#define SECRET_BYTES_MAX 192
#define VERSION          "v1,"

static_assert(SIGNATURE_SIZE >= sizeof VERSION - 1 +
                                    sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES,
                                                              sodium_base64_VARIANT_ORIGINAL),
              "room for the signature");

static int read_secret(const char *secret, uint8_t key[SECRET_BYTES_MAX], size_t *length_r,
                       struct error *error)
{
    const char *base64 = secret + (text_starts(secret, SECRET_PREFIX) ? strlen(SECRET_PREFIX) : 0);
    const char *end;
    if (sodium_base642bin(key, SECRET_BYTES_MAX, base64, strlen(base64), NULL, length_r, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        *end != '\0' || *length_r < SECRET_BYTES_MIN)
        return error_set(error, "invalid",
                         "the endpoint's secret is not " SECRET_PREFIX
                         " with the base64 of %d to %d bytes",
                         SECRET_BYTES_MIN, SECRET_BYTES_MAX);
    return 0;
}

int signature_make(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                   size_t length, char signature_r[SIGNATURE_SIZE], struct error *error)
{
    uint8_t key[SECRET_BYTES_MAX], mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char timestamp[32];
    size_t key_length;
    if (read_secret(secret, key, &key_length, error) < 0)
        return -1;
    int timestamp_length = snprintf(timestamp, sizeof timestamp, ".%lld.", (long long)timestamp_s);
    crypto_auth_hmacsha256_init(&state, key, key_length);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)id, strlen(id));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)timestamp, (size_t)timestamp_length);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, length);
    crypto_auth_hmacsha256_final(&state, mac);
    memcpy(signature_r, VERSION, sizeof VERSION);
    sodium_bin2base64(signature_r + strlen(VERSION), SIGNATURE_SIZE - strlen(VERSION), mac,
                      sizeof mac, sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(key, sizeof key);
    sodium_memzero(&state, sizeof state);
    return 0;
}
