/* SPDX-License-Identifier: Apache-2.0 */
/* Case keys. */
#include "model/case_key.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Length-prefixed, so that ("ab","c") and ("a","bc") differ. */
static void add(crypto_generichash_state *state, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    uint8_t prefix[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                         (uint8_t)length};
    crypto_generichash_update(state, prefix, sizeof prefix);
    if (length > 0)
        crypto_generichash_update(state, (const uint8_t *)text, length);
}

struct case_key case_key_make(const struct case_identity *identity)
{
    crypto_generichash_state state;
    const uint8_t version = CASE_KEY_VERSION;
    char ordinal[24] = "";
    if (identity->ordinal > 0)
        snprintf(ordinal, sizeof ordinal, "%lld", (long long)identity->ordinal);
    crypto_generichash_init(&state, NULL, 0, CASE_KEY_BYTES);
    crypto_generichash_update(&state, &version, 1);
    add(&state, identity->suite);
    add(&state, identity->file);
    add(&state, identity->class);
    add(&state, identity->name);
    add(&state, identity->parameters);
    add(&state, ordinal);
    uint8_t hash[CASE_KEY_BYTES];
    crypto_generichash_final(&state, hash, sizeof hash);
    struct case_key key;
    sodium_bin2hex(key.hex, sizeof key.hex, hash, sizeof hash);
    return key;
}

int case_key_parse(const char *hex, struct case_key *key_r, struct error *error)
{
    struct case_key key = {""};
    if (strlen(hex) != CASE_KEY_HEX_SIZE - 1)
        return error_set(error, "invalid", "is not a case key (%d hex digits)",
                         CASE_KEY_HEX_SIZE - 1);
    for (size_t i = 0; i < CASE_KEY_HEX_SIZE - 1; i++) {
        if (!isxdigit((unsigned char)hex[i]))
            return error_set(error, "invalid", "is not a case key (%d hex digits)",
                             CASE_KEY_HEX_SIZE - 1);
        key.hex[i] = (char)tolower((unsigned char)hex[i]);
    }
    *key_r = key;
    return 0;
}

void case_name_split(const char *text, char **name_r, char **parameters_r)
{
    size_t length = strlen(text);
    const char *open = strchr(text, '[');
    if (open == NULL || open == text || text[length - 1] != ']') {
        *name_r = xstrdup(text);
        *parameters_r = xstrdup("");
        return;
    }
    *name_r = xstrndup(text, (size_t)(open - text));
    *parameters_r = xstrndup(open + 1, (size_t)(text + length - 1 - (open + 1)));
}
