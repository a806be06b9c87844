/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that must be read again (webhook secrets) are stored sealed by the key of a file
 * (VERDICT_KEY_FILE, 64 hex digits): crypto_secretbox, the nonce before the box. What is sealed is the
 * secret as users see it: "whsec_…". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SEAL_KEY_BYTES   32
#define SEAL_ADDED_BYTES 40 /* nonce and MAC */
#define SEAL_TEXT_MAX    256

int seal_key_read(const char *path, uint8_t key_r[SEAL_KEY_BYTES], struct error *error) WARN_UNUSED;

/* sealed_r has room for strlen(text) + SEAL_ADDED_BYTES. Returns that length. */
size_t seal_text(const uint8_t key[SEAL_KEY_BYTES], const char *text, uint8_t *sealed_r);
/* "invalid" when it was sealed by another key, or changed. */
int unseal_text(const uint8_t key[SEAL_KEY_BYTES], const uint8_t *sealed, size_t length,
                char text_r[SEAL_TEXT_MAX + 1], struct error *error) WARN_UNUSED;
