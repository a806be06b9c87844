/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/webhook */
/* What webhooks are made of, line by line of the input: a secret and what it signs, the addresses that a name led
 * to, a sealed text. What another key would have made is never taken, and a signature is that of its own bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "address.h"
#include "auth/seal.h"
#include "base/memory.h"
#include "base/text.h"
#include "signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_signature(const char *secret, const char *body)
{
    char signature[SIGNATURE_SIZE], other[SIGNATURE_SIZE];
    struct error error;
    size_t length = strlen(body);
    if (signature_make(secret, "msg_1", 1700000000, body, length, signature, &error) < 0)
        return;
    assert(text_starts(signature, "v1,") && strlen(signature) == SIGNATURE_SIZE - 1);
    assert(signature_make(secret, "msg_1", 1700000001, body, length, other, &error) == 0);
    assert(strcmp(signature, other) != 0);
}

static void check_seal(const uint8_t *bytes, size_t length)
{
    static const uint8_t key[SEAL_KEY_BYTES] = {1};
    char text[SEAL_TEXT_MAX + 1];
    struct error error;
    assert(unseal_text(key, bytes, length, text, &error) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    memcpy(text, bytes, length);
    size_t first = strcspn(text, "\n");
    const char *rest = text[first] == '\0' ? "" : text + first + 1;
    text[first] = '\0';
    check_signature(text, rest);
    if (address_text_is_public(text))
        assert(strspn(text, "0123456789abcdefABCDEF:.") == strlen(text));
    check_seal(bytes, length);
    return 0;
}
