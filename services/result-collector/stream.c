/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <assert.h>

enum stream_news stream_judge(const struct stream *stream, int64_t first_seq, size_t count,
                              size_t *known_r)
{
    assert(first_seq >= 1 && count > 0);
    if (stream->finished)
        return STREAM_DUPLICATE;
    if (first_seq - 1 > stream->received)
        return STREAM_GAP;
    int64_t known = stream->received - (first_seq - 1);
    if (known >= (int64_t)count)
        return STREAM_DUPLICATE;
    *known_r = (size_t)known;
    return STREAM_NEW;
}

void stream_advance(struct stream *stream, bool is_last)
{
    assert(!stream->finished);
    stream->received++;
    stream->finished = is_last;
}
