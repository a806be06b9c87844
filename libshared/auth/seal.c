/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with libsodium's secretbox. */
#include "auth/seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define KEY_FILE_BYTES 256

static_assert(SEAL_KEY_BYTES == crypto_secretbox_KEYBYTES, "key");
static_assert(SEAL_ADDED_BYTES == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "added");

int seal_key_read(const char *path, uint8_t key_r[SEAL_KEY_BYTES], struct error *error)
{
    char text[KEY_FILE_BYTES];
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "invalid", "cannot open the key file %s: %s", path,
                         strerror(errno));
    ssize_t length = read(fd, text, sizeof text);
    size_t bytes = 0;
    int status = length < 0 ? -1
                            : sodium_hex2bin(key_r, SEAL_KEY_BYTES, text, (size_t)length, " \n\r\t",
                                             &bytes, NULL);
    sodium_memzero(text, sizeof text);
    if (status != 0 || bytes != SEAL_KEY_BYTES)
        return error_set(error, "invalid", "the key file %s must hold %d hex digits", path,
                         2 * SEAL_KEY_BYTES);
    return 0;
}

size_t seal_text(const uint8_t key[SEAL_KEY_BYTES], const char *text, uint8_t *sealed_r)
{
    size_t length = strlen(text);
    assert(length <= SEAL_TEXT_MAX);
    randombytes_buf(sealed_r, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(sealed_r + crypto_secretbox_NONCEBYTES, (const unsigned char *)text,
                          length, sealed_r, key);
    return length + SEAL_ADDED_BYTES;
}

int unseal_text(const uint8_t key[SEAL_KEY_BYTES], const uint8_t *sealed, size_t length,
                char text_r[SEAL_TEXT_MAX + 1], struct error *error)
{
    if (length < SEAL_ADDED_BYTES || length > SEAL_ADDED_BYTES + SEAL_TEXT_MAX ||
        crypto_secretbox_open_easy((unsigned char *)text_r, sealed + crypto_secretbox_NONCEBYTES,
                                   length - crypto_secretbox_NONCEBYTES, sealed, key) != 0)
        return error_set(error, "invalid", "the secret was sealed by another key, or changed");
    text_r[length - SEAL_ADDED_BYTES] = '\0';
    return 0;
}
