/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: a bounded buffer between a writer and libmicrohttpd's content reader, which suspends its
 * connection while there is nothing to send. */
#include "http/stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#define KEEP_ALIVE_MS 15000
#define BLOCK_BYTES   ((size_t)16 * 1024)

struct stream {
    pthread_mutex_t lock;
    atomic_int references;
    struct buffer buffer;
    const char *keep_alive;
    struct MHD_Connection *connection; /* NULL: not answered yet, or over */
    bool suspended;
    bool ended; /* nothing more will be written */
    bool gone;  /* nobody reads any more */
    int64_t last_write_ms;
    struct stream_list *list;
    TAILQ_ENTRY(stream) link;
};
TAILQ_HEAD(streams, stream);

/* Lock order: list, then stream. */
struct stream_list {
    pthread_mutex_t lock;
    struct streams open;
};

struct stream *stream_new(size_t buffer_bytes, const char *keep_alive)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    pthread_mutex_init(&stream->lock, NULL);
    stream->references = 1;
    buffer_init(&stream->buffer, buffer_bytes);
    stream->keep_alive = keep_alive;
    stream->last_write_ms = monotonic_ms();
    return stream;
}

struct stream *stream_ref(struct stream *stream)
{
    atomic_fetch_add(&stream->references, 1);
    return stream;
}

void stream_unref(struct stream **stream)
{
    struct stream *last = TAKE(*stream);
    if (last == NULL || atomic_fetch_sub(&last->references, 1) > 1)
        return;
    buffer_deinit(&last->buffer);
    pthread_mutex_destroy(&last->lock);
    memory_free(&last);
}

/* Under the lock. */
static void wake(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
}

static int write_locked(struct stream *stream, const char *bytes, size_t length)
{
    if (stream->gone || stream->ended)
        return -1;
    buffer_add(&stream->buffer, bytes, length);
    if (stream->buffer.overflowed)
        stream->gone = true; /* too slow: the content reader ends the connection */
    stream->last_write_ms = monotonic_ms();
    wake(stream);
    return stream->gone ? -1 : 0;
}

int stream_write(struct stream *stream, const char *bytes, size_t length, struct error *error)
{
    pthread_mutex_lock(&stream->lock);
    int status = write_locked(stream, bytes, length);
    pthread_mutex_unlock(&stream->lock);
    return status == 0 ? 0 : error_set(error, "gone", "nobody listens to the stream any more");
}

void stream_end(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
}

bool stream_is_gone(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool gone = stream->gone;
    pthread_mutex_unlock(&stream->lock);
    return gone;
}

size_t stream_waiting(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    size_t length = stream->buffer.length;
    pthread_mutex_unlock(&stream->lock);
    return length;
}

/* Called by libmicrohttpd on the thread of the connection. */
static ssize_t read_some(void *context, uint64_t position, char *bytes, size_t size)
{
    struct stream *stream = context;
    ssize_t length = 0;
    (void)position;
    pthread_mutex_lock(&stream->lock);
    if (stream->gone) {
        length = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (stream->buffer.length > 0) {
        length = (ssize_t)(stream->buffer.length < size ? stream->buffer.length : size);
        memcpy(bytes, stream->buffer.data, (size_t)length);
        buffer_remove_front(&stream->buffer, (size_t)length);
    } else if (stream->ended) {
        length = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->lock);
    return length;
}

/* The answer is over, whoever ended it. */
static void on_over(void *context)
{
    struct stream *stream = context;
    pthread_mutex_lock(&stream->list->lock);
    pthread_mutex_lock(&stream->lock);
    TAILQ_REMOVE(&stream->list->open, stream, link);
    stream->gone = true;
    stream->connection = NULL;
    pthread_mutex_unlock(&stream->lock);
    pthread_mutex_unlock(&stream->list->lock);
    stream_unref(&stream);
}

/* Without a list it was never handed over: on_over will not come. */
void stream_abandon(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    if (stream->list == NULL)
        stream->gone = true;
    pthread_mutex_unlock(&stream->lock);
}

struct MHD_Response *stream_answer(struct stream *stream, struct stream_list *list,
                                   struct MHD_Connection *connection)
{
    pthread_mutex_lock(&list->lock);
    pthread_mutex_lock(&stream->lock);
    stream_ref(stream); /* until on_over */
    stream->connection = connection;
    stream->list = list;
    TAILQ_INSERT_TAIL(&list->open, stream, link);
    pthread_mutex_unlock(&stream->lock);
    pthread_mutex_unlock(&list->lock);
    struct MHD_Response *answer = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                                                    read_some, stream, on_over);
    if (answer == NULL)
        on_over(stream);
    return answer;
}

struct stream_list *stream_list_new(void)
{
    struct stream_list *list = xcalloc(1, sizeof *list);
    pthread_mutex_init(&list->lock, NULL);
    TAILQ_INIT(&list->open);
    return list;
}

void stream_list_free(struct stream_list **list)
{
    if (*list != NULL)
        pthread_mutex_destroy(&(*list)->lock);
    memory_free(list);
}

void stream_list_keep_alive(struct stream_list *list, int64_t now_ms)
{
    struct stream *stream;
    pthread_mutex_lock(&list->lock);
    TAILQ_FOREACH (stream, &list->open, link) {
        pthread_mutex_lock(&stream->lock);
        if (stream->keep_alive != NULL && now_ms - stream->last_write_ms >= KEEP_ALIVE_MS)
            (void)write_locked(stream, stream->keep_alive, strlen(stream->keep_alive));
        pthread_mutex_unlock(&stream->lock);
    }
    pthread_mutex_unlock(&list->lock);
}

void stream_list_end_all(struct stream_list *list)
{
    struct stream *stream;
    pthread_mutex_lock(&list->lock);
    TAILQ_FOREACH (stream, &list->open, link) {
        stream_end(stream);
    }
    pthread_mutex_unlock(&list->lock);
}
