/* SPDX-License-Identifier: Apache-2.0 */
/* Requests go in by a locked list, come back by another one and an eventfd. */
#include "worker/flusher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

struct request {
    STAILQ_ENTRY(request) next;
    int fd, directory_fd;
    uint64_t tag;
    bool durable;
};
STAILQ_HEAD(requests, request);

struct flusher {
    struct loop *loop;
    flusher_on_flushed *on_flushed;
    void *context;
    int event_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct requests waiting, done; /* under the lock */
    bool closing;
};

static bool make_durable(const struct request *request)
{
    return fdatasync(request->fd) == 0 &&
           (request->directory_fd < 0 || fsync(request->directory_fd) == 0);
}

static void *run(void *context)
{
    struct flusher *flusher = context;
    const uint64_t one = 1;
    pthread_mutex_lock(&flusher->lock);
    for (;;) {
        struct request *request = STAILQ_FIRST(&flusher->waiting);
        if (request == NULL && flusher->closing)
            break;
        if (request == NULL) {
            pthread_cond_wait(&flusher->asked, &flusher->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&flusher->waiting, next);
        pthread_mutex_unlock(&flusher->lock);
        request->durable = make_durable(request);
        pthread_mutex_lock(&flusher->lock);
        STAILQ_INSERT_TAIL(&flusher->done, request, next);
        (void)!write(flusher->event_fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&flusher->lock);
    return NULL;
}

static void request_free(struct request *request)
{
    fd_close(&request->fd);
    fd_close(&request->directory_fd);
    free(request);
}

static void on_done(void *context)
{
    struct flusher *flusher = context;
    struct requests done = STAILQ_HEAD_INITIALIZER(done);
    struct request *request;
    uint64_t count;
    (void)!read(flusher->event_fd, &count, sizeof count);
    pthread_mutex_lock(&flusher->lock);
    STAILQ_CONCAT(&done, &flusher->done);
    pthread_mutex_unlock(&flusher->lock);
    while ((request = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, next);
        flusher->on_flushed(flusher->context, request->tag, request->durable);
        request_free(request);
    }
}

int flusher_open(struct loop *loop, flusher_on_flushed *on_flushed, void *context,
                 struct flusher **flusher_r, struct error *error)
{
    struct flusher *flusher = xcalloc(1, sizeof *flusher);
    *flusher = (struct flusher){.loop = loop, .on_flushed = on_flushed, .context = context};
    STAILQ_INIT(&flusher->waiting);
    STAILQ_INIT(&flusher->done);
    pthread_mutex_init(&flusher->lock, NULL);
    pthread_cond_init(&flusher->asked, NULL);
    flusher->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (flusher->event_fd < 0 || pthread_create(&flusher->thread, NULL, run, flusher) != 0) {
        fd_close(&flusher->event_fd);
        free(flusher);
        return error_set(error, "unavailable", "no thread for flushing: %s", strerror(errno));
    }
    loop_add_fd(loop, flusher->event_fd, POLLIN, on_done, flusher);
    *flusher_r = flusher;
    return 0;
}

static void free_all(struct requests *requests)
{
    struct request *request;
    while ((request = STAILQ_FIRST(requests)) != NULL) {
        STAILQ_REMOVE_HEAD(requests, next);
        request_free(request);
    }
}

void flusher_close(struct flusher **flusher_p)
{
    struct flusher *flusher = *flusher_p;
    if (flusher == NULL)
        return;
    pthread_mutex_lock(&flusher->lock);
    flusher->closing = true;
    pthread_cond_signal(&flusher->asked);
    pthread_mutex_unlock(&flusher->lock);
    pthread_join(flusher->thread, NULL);
    free_all(&flusher->done);
    loop_remove_fd(flusher->loop, flusher->event_fd);
    fd_close(&flusher->event_fd);
    pthread_mutex_destroy(&flusher->lock);
    pthread_cond_destroy(&flusher->asked);
    memory_free(flusher_p);
}

void flusher_request(struct flusher *flusher, int fd, int directory_fd, uint64_t tag)
{
    struct request *request = xcalloc(1, sizeof *request);
    request->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    request->directory_fd = directory_fd < 0 ? -1 : fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
    request->tag = tag;
    pthread_mutex_lock(&flusher->lock);
    STAILQ_INSERT_TAIL(&flusher->waiting, request, next);
    pthread_cond_signal(&flusher->asked);
    pthread_mutex_unlock(&flusher->lock);
}
