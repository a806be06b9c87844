/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/sse */
/* text/event-stream as the command reads it: whole and in pieces it is the same events. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct seen {
    size_t events, bytes;
    int64_t last_id;
    uint32_t hash;
};

static void see(void *context, const char *type, const char *data)
{
    struct seen *seen = context;
    assert(type[0] != '\0' && strlen(data) <= SSE_EVENT_BYTES);
    seen->events++;
    seen->bytes += strlen(data);
    seen->hash = seen->hash * 31 + text_crc32(type) + text_crc32(data);
}

static struct seen read_in(const uint8_t *bytes, size_t length, size_t piece)
{
    struct seen seen = {.events = 0};
    struct sse_reader reader;
    sse_reader_init(&reader, see, &seen);
    for (size_t at = 0; at < length; at += piece)
        sse_reader_feed(&reader, (const char *)bytes + at,
                        length - at < piece ? length - at : piece);
    seen.last_id = reader.last_id;
    sse_reader_deinit(&reader);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct seen whole = read_in(bytes, length, length + 1), pieces = read_in(bytes, length, 3);
    assert(whole.events == pieces.events && whole.bytes == pieces.bytes);
    assert(whole.hash == pieces.hash && whole.last_id == pieces.last_id);
    return 0;
}
