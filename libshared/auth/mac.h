/* SPDX-License-Identifier: Apache-2.0 */
/* Workers share pools' topics, so a message must prove its sender: HMAC-SHA-512/256 (libsodium's
 * crypto_auth) over the payload by the worker's key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_BYTES     32
#define MAC_KEY_BYTES 32

void mac_make(const uint8_t key[MAC_KEY_BYTES], const char *payload, size_t length,
              uint8_t mac_r[MAC_BYTES]);
bool mac_is_valid(const uint8_t key[MAC_KEY_BYTES], const char *payload, size_t length,
                  const uint8_t mac[MAC_BYTES]);
