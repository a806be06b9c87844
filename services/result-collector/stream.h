/* SPDX-License-Identifier: Apache-2.0 */
/* How far the numbered stream of one dispatch has come, and what of a message is new. Judged by numbers
 * alone: whether an item's row was inserted, absorbed or refused never matters here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
    int64_t received; /* everything up to this number was taken */
    bool finished;    /* its last item was taken: nothing comes after it */
};

enum stream_news {
    STREAM_NEW,       /* some of it is new */
    STREAM_DUPLICATE, /* all of it was taken before */
    STREAM_GAP,       /* something before it is missing: the worker sends again from there */
};

/* Of `count` items from number first_seq on, all but the first *known_r are new. */
enum stream_news stream_judge(const struct stream *stream, int64_t first_seq, size_t count,
                              size_t *known_r);

/* The next item was taken. */
void stream_advance(struct stream *stream, bool is_last);
