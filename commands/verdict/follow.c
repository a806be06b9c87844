/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run's end. */
#include "follow.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "api.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "output.h"

#define TERMINAL_WAIT_MS 1000 /* the clock in the line goes on */
#define PLAIN_WAIT_MS    5000 /* one long-poll */
#define PLAIN_GAP_MS     5000 /* at most one line of mere counting in that time */
#define FRESH_MS         1000
#define POLL_MIN_MS      200 /* whatever the server says */

struct follow {
    struct cli *cli;
    char *run;    /* as it was called; its id once it was seen */
    json_t *seen; /* the last answer */
    int64_t began_ms;
    bool is_terminal;
    bool has_line;   /* an unfinished one is on the screen */
    char *last;      /* plain: what was said last */
    int64_t last_ms; /* and when */
    char *last_state;
};

static int64_t total(const json_t *run, const char *name)
{
    return json_find_int(json_object_get(run, "totals"), name, 0);
}

static bool is_final(const json_t *run)
{
    const char *state = json_find_text(run, "state");
    int value = state == NULL ? -1 : names_find(&run_state_names, state);
    return value >= 0 && run_state_is_final((enum run_state)value);
}

/* ", 1 failed, 2 errored" */
static char *counts_text(const json_t *run)
{
    static const char *const parts[] = {"failed", "errored", "blocked", "skipped"};
    char *text = xstrdup("");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int64_t count = total(run, parts[i]);
        AUTO(text_free) char *before = text;
        if (count > 0)
            text = xasprintf("%s, %" PRId64 " %s", before, count, parts[i]);
        else
            text = TAKE(before);
    }
    return text;
}

char *progress_text(const json_t *run)
{
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free) char *class = member_text(run, "wait.class");
    AUTO(text_free) char *wait = member_text(run, "wait.text");
    AUTO(text_free) char *counts = counts_text(run);
    int64_t planned = total(run, "planned");
    int64_t done = total(run, "passed") + total(run, "failed") + total(run, "errored") +
                   total(run, "skipped") + total(run, "blocked");
    bool says = wait[0] != '\0' && strcmp(class, "tests") != 0;
    if (done == 0 && planned == 0)
        return xasprintf("%s%s%s", state, says ? ": " : "", says ? wait : "");
    if (planned == 0)
        return xasprintf("%s: %" PRId64 " cases%s%s%s", state, done, counts, says ? "; " : "",
                         says ? wait : "");
    return xasprintf("%s: %" PRId64 " of %" PRId64 "%s%s%s", state, done, planned, counts,
                     says ? "; " : "", says ? wait : "");
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static void draw(struct follow *follow, const json_t *run, const char *text)
{
    char span[SPAN_TEXT_SIZE];
    AUTO(text_free) char *state = member_text(run, "state");
    AUTO(text_free)
    char *line = xasprintf("%s  %s", text, span_format(monotonic_ms() - follow->began_ms, span));
    size_t width = utf8_cut(line, strlen(line), (size_t)terminal_width() - 1);
    fprintf(stderr, "\r\033[K%s%.*s%s", colour_begin(stderr, state), (int)width, line,
            colour_end(stderr));
    fflush(stderr);
    follow->has_line = true;
}

static void end_line(struct follow *follow)
{
    if (follow->has_line)
        fprintf(stderr, "\r\033[K");
    follow->has_line = false;
}

static void show(struct follow *follow, const json_t *run)
{
    AUTO(text_free) char *text = progress_text(run);
    AUTO(text_free) char *state = member_text(run, "wait.class");
    /* Nobody needs to read that a message is on its way for a moment. */
    bool is_fresh = monotonic_ms() - follow->began_ms < FRESH_MS && strcmp(state, "not_seen") == 0;
    if (follow->cli->options.quiet || is_fresh)
        return;
    if (follow->is_terminal) {
        draw(follow, run, text);
        return;
    }
    bool same_state = follow->last_state != NULL && strcmp(follow->last_state, state) == 0;
    if (follow->last != NULL && strcmp(follow->last, text) == 0)
        return;
    if (same_state && monotonic_ms() - follow->last_ms < PLAIN_GAP_MS)
        return;
    fprintf(stderr, "%s\n", text);
    text_free(&follow->last);
    text_free(&follow->last_state);
    follow->last = TAKE(text);
    follow->last_state = TAKE(state);
    follow->last_ms = monotonic_ms();
}

/* The state that is newer than `version`, or the one at the end of the long-poll. */
static int ask(struct follow *follow, int64_t version, json_t **run_r, struct error *error)
{
    int64_t wait_ms = follow->is_terminal ? TERMINAL_WAIT_MS : PLAIN_WAIT_MS;
    if (follow->cli->deadline_ms > 0) {
        int64_t left_ms = follow->cli->deadline_ms - monotonic_ms();
        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
    }
    AUTO(text_free) char *base = api_path("/v1/runs/%s", follow->run);
    AUTO(text_free)
    char *path = wait_ms > 0 && version >= 0
                     ? xasprintf("%s?wait=%" PRId64 "ms&version=%" PRId64, base, wait_ms, version)
                     : xstrdup(base);
    return api_call(follow->cli, "GET", path, NULL, run_r, error);
}

static bool is_over(const struct follow *follow)
{
    return follow->cli->deadline_ms > 0 && monotonic_ms() >= follow->cli->deadline_ms;
}

static void take_seen(struct follow *follow, json_t *run)
{
    const char *id = json_find_text(run, "id");
    json_decref(follow->seen);
    follow->seen = run;
    if (id == NULL || strcmp(id, follow->run) == 0)
        return;
    text_free(&follow->run);
    follow->run = xstrdup(id);
}

/* Ends with a final run, or with an error: "wait_over" and "stopped" are among them. */
static int loop(struct follow *follow, struct error *error)
{
    int64_t version = -1;
    for (;;) {
        json_t *run = NULL;
        int64_t asked_ms = monotonic_ms();
        if (ask(follow, version, &run, error) < 0)
            return -1;
        take_seen(follow, run);
        if (is_final(run))
            return 0;
        show(follow, run);
        if (is_over(follow))
            return error_set(error, "wait_over", "the run is not final yet");
        int64_t took_ms = monotonic_ms() - asked_ms, now_version = json_find_int(run, "version", 0);
        if (version == now_version && took_ms < POLL_MIN_MS)
            poll(NULL, 0, (int)(POLL_MIN_MS - took_ms));
        version = now_version;
    }
}

int follow_run(struct cli *cli, const char *run, json_t **run_r, int *exit_r, struct error *error)
{
    struct follow follow = {.cli = cli,
                            .run = xstrdup(run),
                            .began_ms = monotonic_ms(),
                            .is_terminal = isatty(STDERR_FILENO)};
    int status = loop(&follow, error);
    bool is_over = status < 0 && error_is(error, "wait_over");
    bool is_interrupted = status < 0 && error_is(error, "stopped");
    end_line(&follow);
    text_free(&follow.run);
    text_free(&follow.last);
    text_free(&follow.last_state);
    if (status < 0 && !is_over && !is_interrupted) {
        json_decref(follow.seen);
        return -1;
    }
    *run_r = follow.seen;
    *exit_r = is_over ? EXIT_WAIT_OVER : is_interrupted ? EXIT_INTERRUPTED : 0;
    return 0;
}
