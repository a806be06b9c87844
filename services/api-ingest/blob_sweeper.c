/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_sweeper.h"

#include <pthread.h>
#include <time.h>

#include "base/memory.h"
#include "db/artifact.h"
#include "db/bundle.h"
#include "log/log.h"

#define EVERY_S 60

struct blob_sweeper {
    struct store_settings settings;
    struct blob_store *blobs;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under the lock */
};

static bool is_stopping(struct blob_sweeper *sweeper)
{
    pthread_mutex_lock(&sweeper->lock);
    bool stopping = sweeper->stopping;
    pthread_mutex_unlock(&sweeper->lock);
    return stopping;
}

/* Rows and bytes go together: what the store did not remove keeps its row. */
static int sweep_some(struct blob_sweeper *sweeper, struct store *store, int *removed_r,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (bundle_db_remove_unused(store, error) < 0 || store_begin(store, error) < 0 ||
        blob_db_take_unused(store, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++)
        if (blob_remove(sweeper->blobs, rows_text(rows, row, 0), error) < 0)
            return -1;
    *removed_r = rows_count(rows);
    return store_commit(store, error);
}

static void pass(struct blob_sweeper *sweeper)
{
    AUTO(store_close) struct store *store = NULL;
    struct error error;
    int removed = 0, total = 0, status = store_open(&sweeper->settings, &store, &error);
    do {
        if (status == 0)
            status = sweep_some(sweeper, store, &removed, &error);
        total += status == 0 ? removed : 0;
    } while (status == 0 && removed > 0 && !is_stopping(sweeper));
    if (status < 0)
        log_failure(LOG_LEVEL_WARNING, "files that nothing names stay for now", &error);
    if (total > 0)
        log_info("files removed that nothing names any more", LOG_INT("files", total));
}

static void *work(void *context)
{
    struct blob_sweeper *sweeper = context;
    while (!is_stopping(sweeper)) {
        struct timespec until;
        pass(sweeper);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += EVERY_S;
        pthread_mutex_lock(&sweeper->lock);
        if (!sweeper->stopping)
            pthread_cond_timedwait(&sweeper->wake, &sweeper->lock, &until);
        pthread_mutex_unlock(&sweeper->lock);
    }
    return NULL;
}

int blob_sweeper_start(const struct store_settings *store, struct blob_store *blobs,
                       struct blob_sweeper **sweeper_r, struct error *error)
{
    *sweeper_r = NULL;
    if (!blob_store_exists(blobs))
        return 0;
    struct blob_sweeper *sweeper = xcalloc(1, sizeof *sweeper);
    sweeper->settings = *store;
    sweeper->blobs = blobs;
    pthread_mutex_init(&sweeper->lock, NULL);
    pthread_cond_init(&sweeper->wake, NULL);
    if (pthread_create(&sweeper->thread, NULL, work, sweeper) != 0) {
        memory_free(&sweeper);
        return error_set(error, "unavailable", "cannot start a thread");
    }
    *sweeper_r = sweeper;
    return 0;
}

void blob_sweeper_stop(struct blob_sweeper **sweeper)
{
    if (*sweeper == NULL)
        return;
    pthread_mutex_lock(&(*sweeper)->lock);
    (*sweeper)->stopping = true;
    pthread_cond_signal(&(*sweeper)->wake);
    pthread_mutex_unlock(&(*sweeper)->lock);
    pthread_join((*sweeper)->thread, NULL);
    pthread_cond_destroy(&(*sweeper)->wake);
    pthread_mutex_destroy(&(*sweeper)->lock);
    memory_free(sweeper);
}
