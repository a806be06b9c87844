/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/memory.h"

#define SLOTS   ((size_t)1 << 15)
#define PROBES  8
#define BURST_S 2

struct slot {
    uint64_t key;   /* 0: free */
    int64_t due_us; /* the theoretical arrival time: when all that was asked is worked off */
};

struct limiter {
    pthread_mutex_t lock;
    int64_t interval_us, burst;
    unsigned char secret[crypto_shorthash_KEYBYTES]; /* nobody finds keys that meet in one place */
    struct slot slots[SLOTS];
};

struct limiter *limiter_new(int64_t per_second)
{
    if (per_second == 0)
        return NULL;
    struct limiter *limiter = xcalloc(1, sizeof *limiter);
    pthread_mutex_init(&limiter->lock, NULL);
    limiter->interval_us = 1000000 / per_second;
    limiter->burst = BURST_S * per_second;
    crypto_shorthash_keygen(limiter->secret);
    return limiter;
}

void limiter_free(struct limiter **limiter)
{
    if (*limiter != NULL)
        pthread_mutex_destroy(&(*limiter)->lock);
    memory_free(limiter);
}

static uint64_t hash_key(const struct limiter *limiter, const void *key, size_t length)
{
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash;
    crypto_shorthash(bytes, key, length, limiter->secret);
    memcpy(&hash, bytes, sizeof hash);
    return hash == 0 ? 1 : hash;
}

/* Its own slot; or a new one, in the place of the one that was quiet longest. */
static struct slot *find_slot(struct limiter *limiter, uint64_t key)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &limiter->slots[(key + i) % SLOTS];
        if (slot->key == key)
            return slot;
        if (oldest == NULL || slot->due_us < oldest->due_us)
            oldest = slot;
    }
    *oldest = (struct slot){.key = key, .due_us = INT64_MIN};
    return oldest;
}

static int64_t seconds_up(int64_t us)
{
    return us <= 0 ? 0 : (us + 999999) / 1000000;
}

static struct limit_answer take(const struct limiter *limiter, struct slot *slot, int64_t now_us)
{
    const int64_t interval_us = limiter->interval_us, window_us = limiter->burst * interval_us;
    const int64_t due_us = slot->due_us > now_us ? slot->due_us : now_us;
    const int64_t too_early_us = due_us + interval_us - now_us - window_us;
    struct limit_answer answer = {.limit = limiter->burst, .refused = too_early_us > 0};
    if (answer.refused)
        answer.retry_after_s = seconds_up(too_early_us);
    slot->due_us = answer.refused ? due_us : due_us + interval_us;
    answer.remaining = (window_us - (slot->due_us - now_us)) / interval_us;
    answer.reset_s = seconds_up(slot->due_us - now_us);
    return answer;
}

struct limit_answer limiter_take(struct limiter *limiter, const void *key, size_t length,
                                 int64_t now_us)
{
    const uint64_t hash = hash_key(limiter, key, length);
    pthread_mutex_lock(&limiter->lock);
    struct limit_answer answer = take(limiter, find_slot(limiter, hash), now_us);
    pthread_mutex_unlock(&limiter->lock);
    return answer;
}
