/* SPDX-License-Identifier: Apache-2.0 */
/* Message authentication of workers. */
#include "auth/mac.h"

#include <sodium.h>

void mac_make(const uint8_t key[MAC_KEY_BYTES], const char *payload, size_t length,
              uint8_t mac_r[MAC_BYTES])
{
    crypto_auth(mac_r, (const uint8_t *)payload, length, key);
}

bool mac_is_valid(const uint8_t key[MAC_KEY_BYTES], const char *payload, size_t length,
                  const uint8_t mac[MAC_BYTES])
{
    return crypto_auth_verify(mac, (const uint8_t *)payload, length, key) == 0;
}
