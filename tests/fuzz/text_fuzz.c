/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/text */
/* Small texts of requests: percent-escapes, tokens, links, ids, numbers, durations, predicates. What is taken is
 * valid text, within its bounds, and never a thing that only our key can have made. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/link.h"
#include "auth/token.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/uuid.h"
#include "http/uri.h"
#include "model/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_uri(const char *bytes, size_t length)
{
    struct error error;
    AUTO(text_free) char *decoded = NULL;
    if (uri_decode(bytes, length, &decoded, &error) < 0)
        return;
    AUTO(text_free) char *clean = utf8_clean(decoded, strlen(decoded));
    assert(strcmp(clean, decoded) == 0 && strlen(decoded) <= length);
}

static void check_secrets(const char *text)
{
    static const uint8_t key[LINK_KEY_BYTES] = {1};
    struct error error;
    struct uuid id;
    int64_t expires_s;
    uint8_t hash[TOKEN_HASH_BYTES];
    AUTO(text_free) char *named = NULL;
    if (token_is_well_formed(text))
        assert(strlen(text) < TOKEN_TEXT_SIZE);
    token_hash(text, hash);
    assert(link_check(key, text, 0, &id, &expires_s, &error) < 0);
    assert(link_text_check(key, text, &named, &error) < 0);
}

static void check_values(const char *text)
{
    struct error error;
    struct uuid id;
    struct predicate *predicate;
    int64_t value;
    if (uuid_parse(text, &id, &error) == 0)
        assert(strcasecmp(id.text, text) == 0);
    if (int_parse(text, -5, 5000, &value, &error) == 0)
        assert(value >= -5 && value <= 5000);
    if (duration_parse(text, 10, 60000, &value, &error) == 0)
        assert(value >= 10 && value <= 60000);
    if (predicate_parse(text, &predicate, &error) == 0) {
        AUTO(json_free) json_t *labels = json_pack("{s:i, s:s}", "memory_mb", 1, "os", "linux");
        predicate_holds(predicate, labels);
        predicate_free(&predicate);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    memcpy(text, bytes, length);
    check_uri((const char *)bytes, length);
    check_secrets(text);
    check_values(text);
    return 0;
}
