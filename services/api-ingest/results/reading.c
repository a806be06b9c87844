/* SPDX-License-Identifier: Apache-2.0 */
#include "results/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/limits.h"
#include "results/documents.h"

#define PIECE_BYTES ((size_t)256 * 1024)

struct state {
    const struct reading *reading;
    struct report_reader *reader;
    struct documents documents;
    struct identifier *identifier;
    struct read_counts counts;
    bool is_over;
    struct error why; /* when it is */
};

static void on_case(void *context, const struct reported_case *reported)
{
    struct state *state = context;
    const struct reading *reading = state->reading;
    struct stream_result result = {.try = 1,
                                   .status = (int)reported->status,
                                   .duration_ms = reported->duration_ms,
                                   .started_at = reported->started_at,
                                   .message = (char *)(uintptr_t)reported->message,
                                   .trace = (char *)(uintptr_t)reported->trace};
    AUTO(case_name_deinit) struct case_name name = {NULL, NULL, NULL};
    AUTO(identified_case_deinit) struct identified_case identified = {.file = NULL};
    if (state->is_over)
        return;
    if (state->counts.cases == LIMIT_CASES_PER_RUN) {
        state->is_over = true;
        error_field(&state->why, "body", "the report has more than %lld cases",
                    (long long)LIMIT_CASES_PER_RUN);
        return;
    }
    state->counts.cases++;
    state->counts.by_status[reported->status]++;
    case_name_read(reading->framework, reported, &name);
    identifier_give(state->identifier, reported->file == NULL ? "" : reported->file, name.class,
                    name.name, name.parameters, &identified);
    result.key = identified.key.hex;
    result.file = identified.file;
    result.class = identified.class;
    result.name = identified.name;
    result.parameters = identified.parameters;
    if (reading->on_result != NULL)
        state->is_over = reading->on_result(reading->context, &result, &state->why) < 0;
}

static void on_planned(void *context, int64_t count)
{
    (void)context;
    (void)count;
}

static int feed_all(struct state *state, struct error *error)
{
    const struct reading *reading = state->reading;
    AUTO(text_free) char *piece = xcalloc(1, PIECE_BYTES);
    off_t offset = 0;
    ssize_t length;
    while ((length = pread(reading->fd, piece, PIECE_BYTES, offset)) > 0) {
        documents_feed(&state->documents, reading->format, state->reader, piece, (size_t)length);
        offset += length;
        if (state->is_over) {
            *error = state->why;
            return -1;
        }
    }
    if (length < 0)
        return error_set(error, "unavailable", "the body cannot be read again: %s",
                         strerror(errno));
    return 0;
}

static int finish(struct state *state, struct error *error)
{
    const struct report_reader_ops *format = state->reading->format;
    struct error why = {.text = ""};
    enum report_wholeness wholeness = format->finish(state->reader, &why);
    if (state->is_over) {
        *error = state->why;
        return -1;
    }
    if (wholeness == REPORT_EMPTY)
        return error_field(error, "body", "the body holds no report of the format %s",
                           format->name);
    if (wholeness == REPORT_CUT)
        return error_field(
            error, "body",
            "the report is not whole, and nothing of it counts: %s (behind %lld whole cases)",
            why.text[0] == '\0' ? "it ends in the middle" : why.text,
            (long long)state->counts.cases);
    return 0;
}

int reading_run(const struct reading *reading, struct read_counts *counts_r, struct error *error)
{
    struct state state = {.reading = reading};
    const struct report_handlers handlers = {
        .on_planned = on_planned, .on_case = on_case, .context = &state, .is_alone = true};
    state.identifier = identifier_new(reading->framework, reading->suite);
    state.reader = reading->format->open(&handlers);
    int status = feed_all(&state, error);
    if (status == 0)
        status = finish(&state, error);
    reading->format->free(&state.reader);
    identifier_free(&state.identifier);
    if (status == 0)
        *counts_r = state.counts;
    return status;
}
