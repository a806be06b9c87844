/* SPDX-License-Identifier: Apache-2.0 */
#include "log_tail.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"
#include "sse.h"

#define PAUSE_MS     1000
#define SILENCE_MS   40000 /* the server says something each 15 s */
#define FAILURES_MAX 10    /* in a row */

/* A stream that is opened again begins at the start: what was printed is left out. */
struct printed {
    int64_t ordinal, attempt, seq;
};

struct tail {
    struct printed *printed;
    size_t count, last; /* last: whose output stands at the end */
    int64_t heard_ms;
    bool is_over, has_news, as_json;
};

static size_t find(struct tail *tail, int64_t ordinal, int64_t attempt)
{
    size_t i = 0;
    while (i < tail->count &&
           (tail->printed[i].ordinal != ordinal || tail->printed[i].attempt != attempt))
        i++;
    if (i == tail->count) {
        tail->printed = xrealloc(tail->printed, (tail->count + 1) * sizeof *tail->printed);
        tail->printed[tail->count++] = (struct printed){ordinal, attempt, -1};
    }
    return i;
}

static void print_chunk(struct tail *tail, const json_t *chunk)
{
    int64_t ordinal = json_find_int(chunk, "ordinal", 0), seq = json_find_int(chunk, "seq", 0);
    int64_t attempt = json_find_int(chunk, "attempt", 0);
    const char *text = json_find_text(chunk, "text");
    size_t place = find(tail, ordinal, attempt);
    if (text == NULL || seq <= tail->printed[place].seq)
        return;
    if (tail->as_json)
        print_json(chunk);
    else if (place != tail->last)
        printf("\n==> task %lld, attempt %lld <==\n", (long long)ordinal, (long long)attempt);
    if (!tail->as_json)
        fputs(text, stdout);
    fflush(stdout);
    tail->printed[place].seq = seq;
    tail->last = place;
    tail->has_news = true;
}

static void on_event(void *context, const char *type, const char *data)
{
    struct tail *tail = context;
    AUTO(json_free) json_t *json = NULL;
    struct error ignored;
    if (strcmp(type, "end") == 0)
        tail->is_over = true;
    else if (strcmp(type, "log") == 0 && json_parse(data, strlen(data), &json, &ignored) == 0)
        print_chunk(tail, json);
}

struct reading {
    struct tail *tail;
    struct sse_reader reader;
};

static int on_data(void *context, const char *bytes, size_t length)
{
    struct reading *reading = context;
    reading->tail->heard_ms = monotonic_ms();
    sse_reader_feed(&reading->reader, bytes, length);
    return reading->tail->is_over || ferror(stdout) ? -1 : 0;
}

static int on_tick(void *context)
{
    const struct reading *reading = context;
    return monotonic_ms() - reading->tail->heard_ms > SILENCE_MS ? -1 : 0;
}

static int read_once(struct cli *cli, const char *path, struct tail *tail, struct error *error)
{
    struct reading reading = {.tail = tail};
    const struct api_stream stream = {
        .last_id = -1, .on_data = on_data, .on_tick = on_tick, .context = &reading};
    tail->heard_ms = monotonic_ms();
    tail->has_news = false;
    sse_reader_init(&reading.reader, on_event, tail);
    int status = api_stream(cli, path, &stream, error);
    sse_reader_deinit(&reading.reader);
    return status;
}

static int follow(struct cli *cli, const char *path, struct tail *tail, struct error *error)
{
    int failures = 0;
    while (!tail->is_over) {
        int status = read_once(cli, path, tail, error);
        if (api_interrupted)
            return error_set(error, "stopped", "interrupted");
        if (ferror(stdout))
            return error_set(error, "usage", "the output cannot be written");
        if (tail->is_over)
            return 0;
        failures = tail->has_news ? 0 : failures + 1;
        bool may_pass = status == 0 || error_is(error, "unreachable") || error_is(error, "stopped");
        if (!may_pass)
            return -1;
        if (failures == FAILURES_MAX)
            return status == 0 ? error_set(error, "unreachable", "the stream ends again and again")
                               : -1;
        poll(NULL, 0, PAUSE_MS);
    }
    return 0;
}

int log_tail(struct cli *cli, const char *run, const char *task, struct error *error)
{
    AUTO(text_free) char *base = api_path("/v1/runs/%s/logs/stream", run);
    AUTO(text_free) char *escaped = api_escape(task == NULL ? "" : task);
    AUTO(text_free) char *path = xasprintf("%s%s%s", base, task == NULL ? "" : "?task=", escaped);
    struct tail tail = {.as_json = cli->options.json};
    api_watch_signals();
    int status = follow(cli, path, &tail, error);
    free(tail.printed);
    if (status < 0 && error_is(error, "stopped"))
        return EXIT_INTERRUPTED;
    return status < 0 ? -1 : EXIT_PASSED;
}
