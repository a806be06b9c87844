/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/token.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "limits.h"
#include "model/limits.h"

#define CACHE_MAX     10000
#define LAST_USED_MS  60000
#define BEARER        "Bearer "
#define BEARER_LENGTH (sizeof BEARER - 1)

struct entry {
    uint8_t hash[TOKEN_HASH_BYTES];
    struct token_row token; /* without an id: there is no such token */
    int64_t checked_ms;
    int64_t used_ms; /* last_used_at was written */
    UT_hash_handle hh;
};

struct auth {
    pthread_mutex_t lock;
    struct entry *entries;
};

static const unsigned implied[SCOPE_COUNT] = {
    [SCOPE_ADMIN] = (1U << SCOPE_COUNT) - 1,
    [SCOPE_RUN_WRITE] = 1U << SCOPE_RUN_READ,
    [SCOPE_CONFIG_WRITE] = 1U << SCOPE_CONFIG_READ,
};

struct auth *auth_new(void)
{
    struct auth *auth = xcalloc(1, sizeof *auth);
    pthread_mutex_init(&auth->lock, NULL);
    return auth;
}

static void forget_all(struct auth *auth)
{
    struct entry *entry, *next;
    HASH_ITER (hh, auth->entries, entry, next) {
        HASH_DEL(auth->entries, entry);
        free(entry);
    }
}

void auth_free(struct auth **auth)
{
    if (*auth == NULL)
        return;
    forget_all(*auth);
    pthread_mutex_destroy(&(*auth)->lock);
    memory_free(auth);
}

void auth_forget(struct auth *auth)
{
    pthread_mutex_lock(&auth->lock);
    forget_all(auth);
    pthread_mutex_unlock(&auth->lock);
}

int auth_read_bearer(const char *header, const char **token_r, struct error *error)
{
    if (header == NULL || strncasecmp(header, BEARER, BEARER_LENGTH) != 0)
        return error_set(error, "unauthorized",
                         "a token is needed: send the header Authorization: Bearer vd_…");
    const char *token = header + BEARER_LENGTH;
    token += strspn(token, " ");
    if (!token_is_well_formed(token))
        return error_set(error, "unauthorized",
                         "the token is not whole: its checksum is wrong, copy it again");
    *token_r = token;
    return 0;
}

int auth_scopes_parse(const json_t *names, unsigned *scopes_r, struct error *error)
{
    size_t index;
    json_t *name;
    unsigned scopes = 0;
    json_array_foreach (names, index, name) {
        int scope =
            json_is_string(name) ? names_find(&token_scope_names, json_string_value(name)) : -1;
        if (scope < 0) {
            char field[32];
            snprintf(field, sizeof field, "scopes[%zu]", index);
            return error_field(error, field, "%s is not a scope", field);
        }
        scopes |= 1U << scope | implied[scope];
    }
    *scopes_r = scopes;
    return 0;
}

/* A copy of what is remembered and still fresh. */
static bool recall(struct auth *auth, const uint8_t hash[TOKEN_HASH_BYTES], struct entry *entry_r)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&auth->lock);
    HASH_FIND(hh, auth->entries, hash, TOKEN_HASH_BYTES, entry);
    bool found = entry != NULL;
    if (found)
        *entry_r = *entry;
    else
        *entry_r = (struct entry){.checked_ms = -LIMIT_TOKEN_CACHE_MS};
    pthread_mutex_unlock(&auth->lock);
    return found && monotonic_ms() - entry_r->checked_ms < LIMIT_TOKEN_CACHE_MS;
}

static void remember(struct auth *auth, const struct entry *fresh)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&auth->lock);
    if (HASH_COUNT(auth->entries) >= CACHE_MAX)
        forget_all(auth);
    HASH_FIND(hh, auth->entries, fresh->hash, TOKEN_HASH_BYTES, entry);
    if (entry == NULL) {
        entry = xcalloc(1, sizeof *entry);
        memcpy(entry->hash, fresh->hash, TOKEN_HASH_BYTES);
        HASH_ADD(hh, auth->entries, hash, TOKEN_HASH_BYTES, entry);
    }
    entry->token = fresh->token;
    entry->checked_ms = fresh->checked_ms;
    entry->used_ms = fresh->used_ms;
    pthread_mutex_unlock(&auth->lock);
}

static int look_up(struct request *request, const uint8_t hash[TOKEN_HASH_BYTES],
                   struct entry *entry, struct error *error)
{
    struct store *store;
    int64_t now_ms = monotonic_ms();
    if (request_store(request, &store, error) < 0 ||
        token_db_find(store, hash, &entry->token, error) < 0)
        return -1;
    if (entry->token.is_valid && (entry->used_ms == 0 || now_ms - entry->used_ms > LAST_USED_MS)) {
        if (token_db_touch(store, &entry->token.id, error) < 0)
            return -1;
        entry->used_ms = now_ms;
    }
    memcpy(entry->hash, hash, TOKEN_HASH_BYTES);
    entry->checked_ms = now_ms;
    return 0;
}

static void count(const char *outcome)
{
    metric_add_labelled(&ingest_metrics[METRIC_TOKEN_CHECKS], 1, (const char *const[]){outcome});
}

int auth_check(struct auth *auth, struct request *request, struct principal *principal_r,
               struct error *error)
{
    const char *token;
    uint8_t hash[TOKEN_HASH_BYTES];
    struct entry entry;
    if (auth_read_bearer(request_header(request, "Authorization"), &token, error) < 0)
        return -1;
    token_hash(token, hash);
    if (recall(auth, hash, &entry)) {
        count("cached");
    } else {
        if (look_up(request, hash, &entry, error) < 0)
            return -1;
        remember(auth, &entry);
        count("looked_up");
    }
    if (!entry.token.is_valid) {
        count("refused");
        return error_set(error, "unauthorized", "the token is %s",
                         entry.token.why_not[0] == '\0' ? "unknown" : entry.token.why_not);
    }
    if (limits_check_token(request_ingest(request)->limits, request, hash, error) < 0) {
        count("too_many");
        return -1;
    }
    *principal_r = (struct principal){
        .id = entry.token.id, .project_id = entry.token.project_id, .scopes = entry.token.scopes};
    memcpy(principal_r->name, entry.token.name, sizeof principal_r->name);
    return 0;
}
