/* SPDX-License-Identifier: Apache-2.0 */
/* Signed, expiring links: who holds one may read one thing until then, without a token. The text holds the
 * id, the time and a MAC over both; nothing is stored. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/uuid.h"

#define LINK_KEY_BYTES 32
#define LINK_TEXT_SIZE 80

/* key is the installation's; links are signed by one that is derived from it. */
void link_make(const uint8_t key[LINK_KEY_BYTES], const struct uuid *id, int64_t expires_s,
               char text_r[LINK_TEXT_SIZE]);

/* "not_found" when it was not made by this key, or was changed; "gone" when it is over at now_s. */
int link_check(const uint8_t key[LINK_KEY_BYTES], const char *text, int64_t now_s,
               struct uuid *id_r, int64_t *expires_s_r, struct error *error) WARN_UNUSED;

/* A text that only this key's holder can have made, for what has no end; it can be read by whoever holds it.
 * It should begin with what it is for. Callers free. */
char *link_text_make(const uint8_t key[LINK_KEY_BYTES], const char *text);
/* "not_found" as above. */
int link_text_check(const uint8_t key[LINK_KEY_BYTES], const char *link, char **text_r,
                    struct error *error) WARN_UNUSED;
