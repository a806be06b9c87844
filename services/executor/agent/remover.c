/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/remover.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define OPEN_DIRECTORIES 64
#define STOP             1 /* ends nftw */

struct doomed {
    STAILQ_ENTRY(doomed) next;
    char *path;
};
STAILQ_HEAD(doomed_list, doomed);

struct remover {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct doomed_list waiting; /* under the lock */
    atomic_bool closing;
};

/* nftw hands nothing through to its callbacks. */
static _Thread_local const struct remover *current;

static int stop_when_closing(void)
{
    return atomic_load(&current->closing) ? STOP : 0;
}

/* Tests may leave directories that they have closed even to us. */
static int open_up(const char *path, const struct stat *stat_, int flag, struct FTW *at)
{
    (void)stat_;
    (void)at;
    if (flag == FTW_D || flag == FTW_DNR)
        (void)!chmod(path, 0700);
    return stop_when_closing();
}

static int remove_one(const char *path, const struct stat *stat_, int flag, struct FTW *at)
{
    (void)stat_;
    (void)flag;
    (void)at;
    remove(path);
    return stop_when_closing();
}

static void remove_tree(const char *path)
{
    const int flags = FTW_PHYS | FTW_MOUNT;
    if (nftw(path, remove_one, OPEN_DIRECTORIES, FTW_DEPTH | flags) == STOP ||
        access(path, F_OK) < 0)
        return;
    if (nftw(path, open_up, OPEN_DIRECTORIES, flags) != STOP)
        nftw(path, remove_one, OPEN_DIRECTORIES, FTW_DEPTH | flags);
}

static void doomed_free(struct doomed *doomed)
{
    free(doomed->path);
    free(doomed);
}

static void *run(void *context)
{
    struct remover *remover = context;
    current = remover;
    pthread_mutex_lock(&remover->lock);
    while (!atomic_load(&remover->closing)) {
        struct doomed *doomed = STAILQ_FIRST(&remover->waiting);
        if (doomed == NULL) {
            pthread_cond_wait(&remover->asked, &remover->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&remover->waiting, next);
        pthread_mutex_unlock(&remover->lock);
        remove_tree(doomed->path);
        doomed_free(doomed);
        pthread_mutex_lock(&remover->lock);
    }
    pthread_mutex_unlock(&remover->lock);
    return NULL;
}

int remover_open(struct remover **remover_r, struct error *error)
{
    struct remover *remover = xcalloc(1, sizeof *remover);
    STAILQ_INIT(&remover->waiting);
    pthread_mutex_init(&remover->lock, NULL);
    pthread_cond_init(&remover->asked, NULL);
    if (pthread_create(&remover->thread, NULL, run, remover) != 0) {
        free(remover);
        return error_set(error, "unavailable", "no thread for removing: %s", strerror(errno));
    }
    *remover_r = remover;
    return 0;
}

void remover_close(struct remover **remover_p)
{
    struct remover *remover = *remover_p;
    struct doomed *doomed;
    if (remover == NULL)
        return;
    pthread_mutex_lock(&remover->lock);
    atomic_store(&remover->closing, true);
    pthread_cond_signal(&remover->asked);
    pthread_mutex_unlock(&remover->lock);
    pthread_join(remover->thread, NULL);
    while ((doomed = STAILQ_FIRST(&remover->waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&remover->waiting, next);
        doomed_free(doomed);
    }
    pthread_mutex_destroy(&remover->lock);
    pthread_cond_destroy(&remover->asked);
    memory_free(remover_p);
}

void remover_add(struct remover *remover, const char *path)
{
    struct doomed *doomed = xcalloc(1, sizeof *doomed);
    doomed->path = xstrdup(path);
    pthread_mutex_lock(&remover->lock);
    STAILQ_INSERT_TAIL(&remover->waiting, doomed, next);
    pthread_cond_signal(&remover->asked);
    pthread_mutex_unlock(&remover->lock);
}
