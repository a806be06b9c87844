/* SPDX-License-Identifier: Apache-2.0 */
#include "runs/numbers.h"

#include <pthread.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/memory.h"

struct entry {
    struct numbered_run run;
    int64_t added_ms;
    UT_hash_handle hh;
};

struct numbers {
    pthread_mutex_t lock;
    struct entry *entries;
};

struct numbers *numbers_new(void)
{
    struct numbers *numbers = xcalloc(1, sizeof *numbers);
    pthread_mutex_init(&numbers->lock, NULL);
    return numbers;
}

static void forget_all(struct numbers *numbers)
{
    struct entry *entry, *next;
    HASH_ITER (hh, numbers->entries, entry, next) {
        HASH_DEL(numbers->entries, entry);
        free(entry);
    }
}

void numbers_free(struct numbers **numbers)
{
    if (*numbers == NULL)
        return;
    forget_all(*numbers);
    pthread_mutex_destroy(&(*numbers)->lock);
    memory_free(numbers);
}

void numbers_add(struct numbers *numbers, const struct numbered_run *run, int64_t now_ms)
{
    struct entry *entry;
    pthread_mutex_lock(&numbers->lock);
    HASH_FIND(hh, numbers->entries, &run->number, sizeof run->number, entry);
    if (entry == NULL) {
        if (HASH_COUNT(numbers->entries) >= NUMBERS_MAX)
            forget_all(numbers);
        entry = xcalloc(1, sizeof *entry);
        entry->run.number = run->number;
        HASH_ADD(hh, numbers->entries, run.number, sizeof entry->run.number, entry);
    }
    entry->run = *run;
    entry->added_ms = now_ms;
    pthread_mutex_unlock(&numbers->lock);
}

bool numbers_find(struct numbers *numbers, int64_t number, int64_t now_ms,
                  struct numbered_run *run_r)
{
    struct entry *entry;
    pthread_mutex_lock(&numbers->lock);
    HASH_FIND(hh, numbers->entries, &number, sizeof number, entry);
    bool is_known = entry != NULL && now_ms - entry->added_ms < NUMBERS_MS;
    if (is_known)
        *run_r = entry->run;
    pthread_mutex_unlock(&numbers->lock);
    return is_known;
}
