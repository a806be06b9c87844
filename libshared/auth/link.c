/* SPDX-License-Identifier: Apache-2.0 */
/* Signed links: id (16 bytes), seconds (8, big-endian), MAC (32), in URL-safe base64. */
#include "auth/link.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define VARIANT     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define ID_BYTES    16
#define SIGNED      (ID_BYTES + 8)
#define MAC_SIZE    crypto_auth_BYTES
#define TOTAL_BYTES (SIGNED + MAC_SIZE)

static_assert(LINK_KEY_BYTES == crypto_auth_KEYBYTES, "key size");
static_assert(sodium_base64_ENCODED_LEN(TOTAL_BYTES, VARIANT) <= LINK_TEXT_SIZE, "text size");

/* A key of its own, so that a link can never be taken for anything else that the installation's signs. */
static void derive(const uint8_t key[LINK_KEY_BYTES], const char *purpose,
                   uint8_t derived_r[LINK_KEY_BYTES])
{
    crypto_generichash(derived_r, LINK_KEY_BYTES, (const unsigned char *)purpose,
                       strlen(purpose) + 1, key, LINK_KEY_BYTES);
}

static void sign(const uint8_t key[LINK_KEY_BYTES], uint8_t bytes[TOTAL_BYTES])
{
    uint8_t derived[LINK_KEY_BYTES];
    derive(key, "verdict: signed links, 1", derived);
    crypto_auth(bytes + SIGNED, bytes, SIGNED, derived);
    sodium_memzero(derived, sizeof derived);
}

void link_make(const uint8_t key[LINK_KEY_BYTES], const struct uuid *id, int64_t expires_s,
               char text_r[LINK_TEXT_SIZE])
{
    uint8_t bytes[TOTAL_BYTES];
    size_t length;
    if (sodium_hex2bin(bytes, ID_BYTES, id->text, strlen(id->text), "-", &length, NULL) != 0 ||
        length != ID_BYTES)
        abort(); /* ids are canonical */
    for (int i = 0; i < 8; i++)
        bytes[ID_BYTES + i] = (uint8_t)((uint64_t)expires_s >> (56 - 8 * i));
    sign(key, bytes);
    sodium_bin2base64(text_r, LINK_TEXT_SIZE, bytes, sizeof bytes, VARIANT);
}

static int read_id(const uint8_t bytes[ID_BYTES], struct uuid *id_r, struct error *error)
{
    char hex[2 * ID_BYTES + 1], text[UUID_TEXT_SIZE];
    sodium_bin2hex(hex, sizeof hex, bytes, ID_BYTES);
    snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
    return uuid_parse(text, id_r, error);
}

int link_check(const uint8_t key[LINK_KEY_BYTES], const char *text, int64_t now_s,
               struct uuid *id_r, int64_t *expires_s_r, struct error *error)
{
    uint8_t bytes[TOTAL_BYTES], right[TOTAL_BYTES];
    size_t length;
    int64_t expires_s = 0;
    if (sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL, &length, NULL, VARIANT) !=
            0 ||
        length != sizeof bytes)
        return error_set(error, "not_found", "this is no link of ours");
    memcpy(right, bytes, sizeof right);
    sign(key, right);
    if (sodium_memcmp(bytes, right, sizeof bytes) != 0)
        return error_set(error, "not_found", "this is no link of ours");
    for (int i = 0; i < 8; i++)
        expires_s = (int64_t)((uint64_t)expires_s << 8 | bytes[ID_BYTES + i]);
    if (now_s >= expires_s)
        return error_set(error, "gone", "this link has expired");
    *expires_s_r = expires_s;
    return read_id(bytes, id_r, error);
}

static void sign_text(const uint8_t key[LINK_KEY_BYTES], const char *text, size_t length,
                      uint8_t mac_r[MAC_SIZE])
{
    uint8_t derived[LINK_KEY_BYTES];
    derive(key, "verdict: signed texts, 1", derived);
    crypto_auth(mac_r, (const unsigned char *)text, length, derived);
    sodium_memzero(derived, sizeof derived);
}

char *link_text_make(const uint8_t key[LINK_KEY_BYTES], const char *text)
{
    const size_t length = strlen(text), total = MAC_SIZE + length;
    AUTO(text_free) char *bytes = xcalloc(total + 1, 1);
    const size_t size = sodium_base64_ENCODED_LEN(total, VARIANT);
    char *link = xcalloc(size, 1);
    sign_text(key, text, length, (uint8_t *)bytes);
    memcpy(bytes + MAC_SIZE, text, length);
    return sodium_bin2base64(link, size, (const unsigned char *)bytes, total, VARIANT);
}

int link_text_check(const uint8_t key[LINK_KEY_BYTES], const char *link, char **text_r,
                    struct error *error)
{
    const size_t size = strlen(link);
    AUTO(text_free) char *bytes = xcalloc(size + 1, 1);
    uint8_t mac[MAC_SIZE];
    size_t length;
    if (sodium_base642bin((unsigned char *)bytes, size, link, size, NULL, &length, NULL, VARIANT) !=
            0 ||
        length < MAC_SIZE)
        return error_set(error, "not_found", "this is no link of ours");
    sign_text(key, bytes + MAC_SIZE, length - MAC_SIZE, mac);
    if (sodium_memcmp(mac, bytes, MAC_SIZE) != 0)
        return error_set(error, "not_found", "this is no link of ours");
    *text_r = xstrndup(bytes + MAC_SIZE, length - MAC_SIZE);
    return 0;
}
