/* SPDX-License-Identifier: Apache-2.0 */
/* Masks → limit → chunks. */
#include "agent/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define PENDING_BYTES_MAX ((size_t)1024 * 1024)

struct output {
    enum log_stream stream;
    const struct masks *masks;
    struct output_budget *budget;
    output_emit *emit;
    void *context;
    struct buffer raw;     /* kept back by the masks */
    struct buffer pending; /* masked, not yet emitted */
    int64_t pending_since_ms;
};

struct output *output_new(enum log_stream stream, const struct masks *masks,
                          struct output_budget *budget, output_emit *emit, void *context)
{
    struct output *output = xcalloc(1, sizeof *output);
    *output = (struct output){
        .stream = stream, .masks = masks, .budget = budget, .emit = emit, .context = context};
    buffer_init(&output->raw, PENDING_BYTES_MAX);
    buffer_init(&output->pending, 4 * PENDING_BYTES_MAX);
    return output;
}

void output_free(struct output **output)
{
    if (*output == NULL)
        return;
    buffer_deinit(&(*output)->raw);
    buffer_deinit(&(*output)->pending);
    memory_free(output);
}

/* A UTF-8 sequence whose end has not arrived yet: its bytes at the end of the text. */
static size_t incomplete_tail(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)text[length - back];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t wanted = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return wanted > back ? back : 0;
    }
    return 0;
}

/* Cleaning makes three bytes of an invalid one, so what was one chunk may be three. */
static void emit_front(struct output *output, size_t length)
{
    AUTO(text_free) char *text = utf8_clean(output->pending.data, length);
    size_t left = strlen(text);
    for (char *piece = text; left > 0;) {
        size_t cut = utf8_cut(piece, left, (size_t)LIMIT_LOG_CHUNK_BYTES);
        char behind = piece[cut];
        piece[cut] = '\0';
        output->emit(output->context, output->stream, piece);
        piece[cut] = behind;
        piece += cut;
        left -= cut;
    }
    buffer_remove_front(&output->pending, length);
    output->pending_since_ms = monotonic_ms();
}

static void emit_full_chunks(struct output *output)
{
    const size_t chunk = (size_t)LIMIT_LOG_CHUNK_BYTES;
    while (output->pending.length >= chunk) {
        size_t cut = utf8_cut(output->pending.data, output->pending.length, chunk);
        emit_front(output, cut > 0 ? cut : chunk);
    }
}

static void say_where_it_is_cut(struct output *output)
{
    AUTO(text_free)
    char *mark = xasprintf("\n[verdict: output cut here, more than %" PRId64 " bytes]\n",
                           output->budget->limit_bytes);
    output->budget->truncated = true;
    output->emit(output->context, LOG_VERDICT, mark);
}

static void keep(struct output *output, const char *bytes, size_t length)
{
    struct output_budget *budget = output->budget;
    size_t left = (size_t)(budget->limit_bytes - budget->kept_bytes);
    size_t kept = length <= left ? length : left;
    if (output->pending.length == 0)
        output->pending_since_ms = monotonic_ms();
    buffer_add(&output->pending, bytes, kept);
    budget->kept_bytes += (int64_t)kept;
    emit_full_chunks(output);
    if (kept == length || budget->truncated)
        return;
    if (output->pending.length > 0)
        emit_front(output, output->pending.length);
    say_where_it_is_cut(output);
}

static void mask_and_keep(struct output *output, bool is_end)
{
    AUTO(buffer_deinit) struct buffer masked;
    buffer_init(&masked, 4 * PENDING_BYTES_MAX);
    size_t kept_back =
        masks_apply(output->masks, output->raw.data, output->raw.length, is_end, &masked);
    buffer_remove_front(&output->raw, output->raw.length - kept_back);
    if (masked.length > 0)
        keep(output, masked.data, masked.length);
}

void output_add(struct output *output, const char *bytes, size_t length)
{
    output->budget->seen_bytes += (int64_t)length;
    if (length == 0 || output->budget->truncated)
        return;
    buffer_add(&output->raw, bytes, length);
    mask_and_keep(output, false);
}

int64_t output_flush_due(struct output *output, int64_t now_ms)
{
    if (output->pending.length == 0)
        return -1;
    int64_t wait_ms = output->pending_since_ms + OUTPUT_FLUSH_MS - now_ms;
    if (wait_ms > 0)
        return wait_ms;
    size_t tail = incomplete_tail(output->pending.data, output->pending.length);
    if (output->pending.length > tail)
        emit_front(output, output->pending.length - tail);
    return output->pending.length > 0 ? OUTPUT_FLUSH_MS : -1;
}

void output_finish(struct output *output)
{
    if (output->raw.length > 0)
        mask_and_keep(output, true);
    if (output->pending.length > 0)
        emit_front(output, output->pending.length);
}
