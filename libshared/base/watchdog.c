/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that waits for a condition or the end. */
#include "base/watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define EXIT_HUNG 3

struct watchdog {
    const char *what;
    struct timespec end;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
};

static void *watch(void *context)
{
    struct watchdog *watchdog = context;
    int status = 0;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stop && status == 0)
        status = pthread_cond_timedwait(&watchdog->stopped, &watchdog->lock, &watchdog->end);
    bool hung = !watchdog->stop;
    pthread_mutex_unlock(&watchdog->lock);
    if (hung) {
        dprintf(STDERR_FILENO,
                "{\"level\":\"error\",\"message\":\"%s takes too long: the process ends\"}\n",
                watchdog->what);
        _exit(EXIT_HUNG);
    }
    return NULL;
}

struct watchdog *watchdog_start(const char *what, int64_t limit_ms)
{
    struct watchdog *watchdog = xcalloc(1, sizeof *watchdog);
    pthread_condattr_t attributes;
    watchdog->what = what;
    clock_gettime(CLOCK_MONOTONIC, &watchdog->end);
    watchdog->end.tv_sec += limit_ms / 1000;
    watchdog->end.tv_nsec += limit_ms % 1000 * 1000000;
    if (watchdog->end.tv_nsec >= 1000000000) {
        watchdog->end.tv_sec++;
        watchdog->end.tv_nsec -= 1000000000;
    }
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watchdog->thread, NULL, watch, watchdog) != 0)
        memory_free(&watchdog);
    return watchdog;
}

void watchdog_stop(struct watchdog **watchdog_p)
{
    struct watchdog *watchdog = *watchdog_p;
    if (watchdog == NULL)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stop = true;
    pthread_cond_signal(&watchdog->stopped);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    pthread_cond_destroy(&watchdog->stopped);
    pthread_mutex_destroy(&watchdog->lock);
    memory_free(watchdog_p);
}
