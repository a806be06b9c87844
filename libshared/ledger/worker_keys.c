/* SPDX-License-Identifier: Apache-2.0 */
/* Workers' keys: a worker that enrols again has a new one, so a MAC that does not fit is held against a
 * fresh key before it is refused. */
#include "ledger/worker_keys.h"

#include <stdlib.h>
#include <uthash.h>

#include "auth/mac.h"
#include "base/clock.h"
#include "base/memory.h"

#define FRESH_MS 200 /* forged messages must not cost a statement each */

struct worker_key {
    struct uuid worker_id;
    struct uuid pool_id;
    bool known; /* false: there is no such worker, or it was revoked */
    uint8_t key[MAC_KEY_BYTES];
    int64_t loaded_ms;
    UT_hash_handle hh;
};

struct worker_keys {
    struct worker_key *by_worker;
};

struct worker_keys *worker_keys_new(void)
{
    return xcalloc(1, sizeof(struct worker_keys));
}

void worker_keys_free(struct worker_keys **keys)
{
    struct worker_key *key, *next;
    if (*keys != NULL) {
        HASH_ITER (hh, (*keys)->by_worker, key, next) {
            HASH_DEL((*keys)->by_worker, key);
            free(key);
        }
    }
    memory_free(keys);
}

static int load(struct store *store, struct worker_key *key, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(
            store,
            "SELECT key, pool_id FROM api.enrolment WHERE worker_id = $1 AND revoked_at IS NULL "
            "UNION ALL SELECT key, NULL FROM api.uploader WHERE worker_id = $1",
            PARAMS(param_uuid(&key->worker_id)), &rows, error) < 0)
        return -1;
    key->known = rows_count(rows) == 1 &&
                 rows_bytes(rows, 0, 0, key->key, sizeof key->key) == sizeof key->key;
    key->pool_id = key->known ? rows_uuid(rows, 0, 1) : (struct uuid){""};
    key->loaded_ms = monotonic_ms();
    return 0;
}

static struct worker_key *get(struct worker_keys *keys, const struct uuid *worker_id)
{
    struct worker_key *key;
    HASH_FIND(hh, keys->by_worker, worker_id, sizeof *worker_id, key);
    if (key != NULL)
        return key;
    key = xcalloc(1, sizeof *key);
    key->worker_id = *worker_id;
    key->loaded_ms = monotonic_ms() - WORKER_KEY_CACHE_MS - 1;
    HASH_ADD(hh, keys->by_worker, worker_id, sizeof key->worker_id, key);
    return key;
}

static bool fits(const struct worker_key *key, const struct record *record)
{
    return key->known && record->payload != NULL &&
           mac_is_valid(key->key, record->payload, record->payload_length, record->mac);
}

int worker_keys_check(struct worker_keys *keys, struct store *store, const struct record *record,
                      struct error *error)
{
    struct uuid worker_id = {""};
    if (!record->has_mac || uuid_parse(record->worker_id, &worker_id, error) < 0)
        return error_set(error, "invalid",
                         "the message does not say by a MAC which worker it is from");
    struct worker_key *key = get(keys, &worker_id);
    int64_t age_ms = monotonic_ms() - key->loaded_ms;
    if (age_ms > WORKER_KEY_CACHE_MS && load(store, key, error) < 0)
        return -1;
    if (fits(key, record))
        return 0;
    if (age_ms > FRESH_MS && age_ms <= WORKER_KEY_CACHE_MS && load(store, key, error) < 0)
        return -1;
    if (fits(key, record))
        return 0;
    return error_set(error, "invalid", "the MAC is not by the key of worker %s", worker_id.text);
}

struct uuid worker_keys_pool(const struct worker_keys *keys, const struct uuid *worker_id)
{
    static const struct uuid none = {""};
    struct worker_key *key;
    HASH_FIND(hh, keys->by_worker, worker_id, sizeof *worker_id, key);
    return key == NULL ? none : key->pool_id;
}
