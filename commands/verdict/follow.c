/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run's end. */
#include "follow.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "progress.h"
#include "sse.h"

#define LOOK_AGAIN_MS 5000  /* whatever the stream tells: what a run waits for is no event */
#define CATCH_UP_MS   1000  /* for an answer that is as new as the event that was told */
#define SPEAK_MS      3000  /* a stream that says nothing by then is kept back by something */
#define SILENCE_MS    40000 /* the server says something each 15 s */
#define LIVED_MS      1000
#define FAILURES_MAX  3 /* in a row: then long-polls do */

#define SHORT_WAIT_MS 1000 /* one long-poll; the clock in a terminal goes on */
#define LONG_WAIT_MS  5000
#define POLL_MIN_MS   200 /* whatever the server says */

struct follow {
    struct cli *cli;
    char *run;    /* as it was called; its id once it was seen */
    json_t *seen; /* the last answer */
    int64_t looked_ms;
    struct progress *progress;

    struct sse_reader reader; /* of the open stream */
    int64_t opened_ms, heard_ms;
    bool has_failed; /* inside a handler: with `error` */
    struct error error;
    int failures; /* of streams, in a row */
};

static bool is_final(const json_t *run)
{
    const char *state = json_find_text(run, "state");
    int value = state == NULL ? -1 : names_find(&run_state_names, state);
    return value >= 0 && run_state_is_final((enum run_state)value);
}

static bool is_over(const struct follow *follow)
{
    return follow->cli->deadline_ms > 0 && monotonic_ms() >= follow->cli->deadline_ms;
}

/* An answer may come out of a cache, and be older than what an event said. */
static void keep_totals(const struct follow *follow, json_t *run)
{
    if (!is_final(run) && progress_counted(follow->seen) > progress_counted(run))
        json_object_set(run, "totals", json_object_get(follow->seen, "totals"));
}

static void take_seen(struct follow *follow, json_t *run)
{
    const char *id = json_find_text(run, "id");
    keep_totals(follow, run);
    json_decref(follow->seen);
    follow->seen = run;
    follow->looked_ms = monotonic_ms();
    if (id == NULL || strcmp(id, follow->run) == 0)
        return;
    text_free(&follow->run);
    follow->run = xstrdup(id);
}

/* The run as it is (version: -1), or when it is newer than `version`, or when the time is over. */
static int look(struct follow *follow, int64_t version, int64_t wait_ms, struct error *error)
{
    json_t *run = NULL;
    if (follow->cli->deadline_ms > 0) {
        int64_t left_ms = follow->cli->deadline_ms - monotonic_ms();
        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
    }
    AUTO(text_free) char *base = api_path("/v1/runs/%s", follow->run);
    AUTO(text_free)
    char *path = wait_ms > 0 && version >= 0
                     ? xasprintf("%s?wait=%" PRId64 "ms&version=%" PRId64, base, wait_ms, version)
                     : xstrdup(base);
    if (api_call(follow->cli, "GET", path, NULL, &run, error) < 0)
        return -1;
    take_seen(follow, run);
    return 0;
}

/* ---- by the stream -------------------------------------------------------------------------------- */

static int64_t seen_version(const struct follow *follow)
{
    return json_find_int(follow->seen, "version", 0);
}

/* Non-zero ends the stream. */
static int look_from_stream(struct follow *follow, int64_t version)
{
    follow->has_failed = look(follow, version, CATCH_UP_MS, &follow->error) < 0;
    return follow->has_failed || is_final(follow->seen);
}

/* A progress event holds the totals itself; of all others the run is asked for. */
static void on_event(void *context, const char *type, const char *text)
{
    struct follow *follow = context;
    AUTO(json_free) json_t *event = NULL;
    struct error ignored;
    if (follow->has_failed || is_final(follow->seen) ||
        json_parse(text, strlen(text), &event, &ignored) < 0)
        return;
    const json_t *data = json_object_get(event, "data");
    if (strcmp(type, "run.progress") != 0) {
        if (follow->reader.last_id > seen_version(follow))
            (void)look_from_stream(follow, seen_version(follow));
    } else if (progress_counted(data) > progress_counted(follow->seen)) {
        json_object_set(follow->seen, "totals", json_object_get(data, "totals"));
    }
}

static int show(struct follow *follow)
{
    if (follow->has_failed || is_final(follow->seen))
        return -1;
    progress_show(follow->progress, follow->seen);
    return 0;
}

static int on_data(void *context, const char *bytes, size_t length)
{
    struct follow *follow = context;
    follow->heard_ms = monotonic_ms();
    sse_reader_feed(&follow->reader, bytes, length);
    return show(follow);
}

static int on_tick(void *context)
{
    struct follow *follow = context;
    int64_t now_ms = monotonic_ms();
    int64_t patience_ms = follow->reader.has_spoken ? SILENCE_MS : SPEAK_MS;
    if (is_over(follow) || now_ms - follow->heard_ms > patience_ms)
        return -1;
    if (now_ms - follow->looked_ms >= LOOK_AGAIN_MS)
        (void)look_from_stream(follow, -1);
    return show(follow);
}

static void count_failure(struct follow *follow, int status, const struct error *error)
{
    bool lived = follow->reader.has_spoken && monotonic_ms() - follow->opened_ms >= LIVED_MS;
    bool is_for_good = status < 0 && !error_is(error, "unreachable") && !error_is(error, "stopped");
    follow->failures = is_for_good ? FAILURES_MAX : lived ? 0 : follow->failures + 1;
}

/* Until the run is final, the stream ends or the time is over. -1: with what a handler met, or a signal. */
static int follow_stream(struct follow *follow, struct error *error)
{
    const struct api_stream stream = {
        .last_id = seen_version(follow), .on_data = on_data, .on_tick = on_tick, .context = follow};
    AUTO(text_free) char *path = api_path("/v1/runs/%s/events", follow->run);
    follow->opened_ms = follow->heard_ms = monotonic_ms();
    sse_reader_init(&follow->reader, on_event, follow);
    int status = api_stream(follow->cli, path, &stream, error);
    count_failure(follow, status, error);
    sse_reader_deinit(&follow->reader);
    if (follow->has_failed)
        *error = follow->error;
    else if (api_interrupted && !is_final(follow->seen))
        error_set(error, "stopped", "interrupted");
    else
        return 0;
    return -1;
}

/* ---- by long-polls -------------------------------------------------------------------------------- */

static int follow_poll(struct follow *follow, struct error *error)
{
    bool is_short = isatty(STDERR_FILENO) || follow->failures < FAILURES_MAX;
    int64_t wait_ms = is_short ? SHORT_WAIT_MS : LONG_WAIT_MS;
    int64_t version = seen_version(follow), asked_ms = monotonic_ms();
    if (look(follow, version, wait_ms, error) < 0)
        return -1;
    int64_t took_ms = monotonic_ms() - asked_ms;
    if (seen_version(follow) == version && took_ms < POLL_MIN_MS)
        poll(NULL, 0, (int)(POLL_MIN_MS - took_ms));
    return 0;
}

/* After a stream that failed there is one long-poll, which is a pause as well. */
static int follow_once(struct follow *follow, bool *polls_next, struct error *error)
{
    if (*polls_next || follow->failures >= FAILURES_MAX) {
        *polls_next = false;
        return follow_poll(follow, error);
    }
    if (follow_stream(follow, error) < 0)
        return -1;
    *polls_next = follow->failures > 0;
    return is_final(follow->seen) ? 0 : look(follow, -1, 0, error);
}

/* Ends with a final run, or with an error: "wait_over" and "stopped" are among them. */
static int loop(struct follow *follow, struct error *error)
{
    bool polls_next = false;
    if (look(follow, -1, 0, error) < 0)
        return -1;
    while (!is_final(follow->seen)) {
        progress_show(follow->progress, follow->seen);
        if (is_over(follow))
            return error_set(error, "wait_over", "the run is not final yet");
        if (follow_once(follow, &polls_next, error) < 0)
            return -1;
    }
    return 0;
}

int follow_run(struct cli *cli, const char *run, json_t **run_r, int *exit_r, struct error *error)
{
    struct follow follow = {
        .cli = cli, .run = xstrdup(run), .progress = progress_new(cli->options.quiet)};
    int status = loop(&follow, error);
    bool is_late = status < 0 && error_is(error, "wait_over");
    bool is_interrupted = status < 0 && error_is(error, "stopped");
    progress_free(&follow.progress);
    text_free(&follow.run);
    if (status < 0 && !is_late && !is_interrupted) {
        json_decref(follow.seen);
        return -1;
    }
    *run_r = follow.seen;
    *exit_r = is_late ? EXIT_WAIT_OVER : is_interrupted ? EXIT_INTERRUPTED : 0;
    return 0;
}
