/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding whether a log is the log that it was. */
#include "ledger/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct record_hash record_hash_make(const struct record *record)
{
    struct record_hash hash = {.known = true};
    char head[64];
    int length = snprintf(head, sizeof head, "%lld:%zu:", (long long)record->timestamp_ms,
                          record->key_length);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, RECORD_HASH_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)head, (unsigned long long)length);
    if (record->key_length > 0)
        crypto_generichash_update(&state, (const uint8_t *)record->key, record->key_length);
    if (record->payload_length > 0)
        crypto_generichash_update(&state, (const uint8_t *)record->payload, record->payload_length);
    crypto_generichash_final(&state, hash.bytes, RECORD_HASH_BYTES);
    return hash;
}

bool record_hash_equal(const struct record_hash *a, const struct record_hash *b)
{
    return a->known && b->known && memcmp(a->bytes, b->bytes, RECORD_HASH_BYTES) == 0;
}

enum log_identity log_identity_of_record(int64_t next_offset, const struct record_hash *stored,
                                         const struct record *first, int64_t log_start)
{
    if (!stored->known)
        return LOG_IS_SAME; /* nothing was ever taken from it */
    if (first == NULL)
        return LOG_NOT_KNOWN;
    if (first->offset == next_offset - 1) {
        struct record_hash hash = record_hash_make(first);
        return record_hash_equal(&hash, stored) ? LOG_IS_SAME : LOG_IS_OTHER;
    }
    return first->offset >= next_offset && log_start <= next_offset ? LOG_IS_SAME : LOG_IS_OTHER;
}

enum log_identity log_identity_of_range(int64_t next_offset, int64_t log_start, int64_t log_end)
{
    return log_start <= next_offset && next_offset <= log_end ? LOG_IS_SAME : LOG_IS_OTHER;
}
