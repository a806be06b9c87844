/* SPDX-License-Identifier: Apache-2.0 */
/* A body without an end: written by any thread, sent by the HTTP threads. A reader that is slower than
 * its buffer is cut off (it comes back with Last-Event-ID); one that is gone is noticed by the next keep-
 * alive. Reference-counted: the writer holds one, the answer another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct MHD_Connection;
struct MHD_Response;
struct stream;
struct stream_list; /* all open ones of a server */

/* keep_alive is what is sent when nothing was for 15 s (a literal; NULL: nothing). */
struct stream *stream_new(size_t buffer_bytes, const char *keep_alive);
struct stream *stream_ref(struct stream *stream);
void stream_unref(struct stream **stream);

/* -1 "gone": nobody listens any more, or too slowly. */
int stream_write(struct stream *stream, const char *bytes, size_t length,
                 struct error *error) WARN_UNUSED;
/* What is written still goes out. */
void stream_end(struct stream *stream);
bool stream_is_gone(struct stream *stream);
size_t stream_waiting(struct stream *stream); /* bytes that the reader has not taken yet */

/* For the server: */
struct stream_list *stream_list_new(void);
void stream_list_free(struct stream_list **list);
void stream_list_keep_alive(struct stream_list *list, int64_t now_ms);
void stream_list_end_all(struct stream_list *list);
/* The answer takes a reference and puts the stream on the list until it is over. NULL: it is over already. */
struct MHD_Response *stream_answer(struct stream *stream, struct stream_list *list,
                                   struct MHD_Connection *connection);
/* Where no answer was made of it, and none will be: its writer finds it gone. */
void stream_abandon(struct stream *stream);
