/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to the streams of who listens. */
#include "live/listeners.h"

#include <string.h>

#include "live/sse.h"

#define EVENT_BYTES ((size_t)1024 * 1024)

void listeners_drop(struct watch *watch, struct listener *listener)
{
    TAILQ_REMOVE(&watch->listeners, listener, link);
    listener_free(&listener);
}

static void end(struct watch *watch, struct listener *listener)
{
    stream_end(listener->stream);
    listeners_drop(watch, listener);
}

static void tell(struct watch *watch, struct listener *listener, int64_t version, const char *type,
                 const char *data)
{
    struct buffer text;
    bool is_last = strcmp(type, "run.finished") == 0;
    buffer_init(&text, EVENT_BYTES);
    sse_event(&text, version, type, data);
    int status =
        text.overflowed ? 0 : stream_write(listener->stream, buffer_text(&text), text.length, NULL);
    buffer_deinit(&text);
    if (version > listener->listen.after_version)
        listener->listen.after_version = version;
    if (status < 0 || is_last)
        end(watch, listener);
}

void listeners_tell(struct watch *watch, int64_t version, const char *type, const char *data)
{
    struct listener *listener, *next;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        if (listener_is_over(listener))
            end(watch, listener);
        else if (version < 0 || version > listener->listen.after_version)
            tell(watch, listener, version, type, data);
    }
}

void listeners_drop_over(struct watch *watch)
{
    struct listener *listener, *next;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        if (listener_is_over(listener) || stream_is_gone(listener->stream))
            end(watch, listener);
    }
}

void listeners_end(struct watch *watch)
{
    struct listener *listener, *next;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        end(watch, listener);
    }
}

int64_t listeners_least_version(const struct watch *watch)
{
    int64_t least = INT64_MAX;
    const struct listener *listener;
    TAILQ_FOREACH (listener, &watch->listeners, link)
        if (listener->listen.after_version < least)
            least = listener->listen.after_version;
    return least;
}
