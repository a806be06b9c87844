/* SPDX-License-Identifier: Apache-2.0 */
/* A count per key. */
#include "report/ordinals.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"

struct entry {
    char *key;
    int64_t count;
    UT_hash_handle hh;
};

struct ordinals {
    struct entry *entries;
};

struct ordinals *ordinals_new(void)
{
    return xcalloc(1, sizeof(struct ordinals));
}

void ordinals_free(struct ordinals **ordinals)
{
    struct entry *entry, *next;
    if (*ordinals == NULL)
        return;
    HASH_ITER (hh, (*ordinals)->entries, entry, next) {
        HASH_DEL((*ordinals)->entries, entry);
        free(entry->key);
        free(entry);
    }
    memory_free(ordinals);
}

int64_t ordinals_next(struct ordinals *ordinals, const char *key)
{
    struct entry *entry = NULL;
    HASH_FIND_STR(ordinals->entries, key, entry);
    if (entry != NULL)
        return entry->count++;
    entry = xcalloc(1, sizeof *entry);
    entry->key = xstrdup(key);
    entry->count = 1;
    HASH_ADD_KEYPTR(hh, ordinals->entries, entry->key, strlen(entry->key), entry);
    return 0;
}
