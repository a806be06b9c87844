/* SPDX-License-Identifier: Apache-2.0 */
/* The line that shows how a run goes. */
#include "progress.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "output.h"

#define CLOCK_MS     1000 /* the clock in the line goes on */
#define PLAIN_GAP_MS 5000 /* at most one line of mere counting in that time */
#define FRESH_MS     1000

struct progress {
    bool is_quiet, is_terminal;
    int64_t began_ms;
    bool has_line;    /* an unfinished one is on the screen */
    char *last;       /* what was said last */
    int64_t last_ms;  /* and when */
    char *last_class; /* and what was waited for */
};

struct progress *progress_new(bool is_quiet)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    progress->is_quiet = is_quiet;
    progress->is_terminal = isatty(STDERR_FILENO);
    progress->began_ms = monotonic_ms();
    return progress;
}

void progress_free(struct progress **progress)
{
    if (*progress == NULL)
        return;
    if ((*progress)->has_line)
        fprintf(stderr, "\r\033[K");
    text_free(&(*progress)->last);
    text_free(&(*progress)->last_class);
    memory_free(progress);
}

static int64_t total(const json_t *run, const char *name)
{
    return json_find_int(json_object_get(run, "totals"), name, 0);
}

int64_t progress_counted(const json_t *run)
{
    return total(run, "passed") + total(run, "failed") + total(run, "errored") +
           total(run, "skipped") + total(run, "blocked");
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
    int64_t done = progress_counted(run);
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
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

/* One column stays free, for some terminals wrap when the last one is written. The clock is never cut. */
static void draw(struct progress *progress, const json_t *run, const char *text)
{
    char span[SPAN_TEXT_SIZE];
    AUTO(text_free) char *state = member_text(run, "state");
    span_format(monotonic_ms() - progress->began_ms, span);
    int room = terminal_width() - 1 - (int)strlen(span) - 2;
    size_t width = columns_cut(text, room > 0 ? room : 0);
    bool is_cut = text[width] != '\0';
    width = is_cut ? columns_cut(text, room > 1 ? room - 1 : 0) : width;
    fprintf(stderr, "\r\033[K%s%.*s%s  %s%s", colour_begin(stderr, state), (int)width, text,
            is_cut ? "…" : "", span, colour_end(stderr));
    fflush(stderr);
    progress->has_line = true;
}

/* Whether it is time to say this: what is waited for is said at once, mere counting now and then. */
static bool is_due(const struct progress *progress, const char *text, const char *class)
{
    int64_t since_ms = monotonic_ms() - progress->last_ms;
    bool same_text = progress->last != NULL && strcmp(progress->last, text) == 0;
    bool same_class = progress->last_class != NULL && strcmp(progress->last_class, class) == 0;
    if (progress->is_terminal)
        return !same_text || since_ms >= CLOCK_MS;
    return !same_text && (!same_class || since_ms >= PLAIN_GAP_MS);
}

void progress_show(struct progress *progress, const json_t *run)
{
    AUTO(text_free) char *text = progress_text(run);
    AUTO(text_free) char *class = member_text(run, "wait.class");
    /* Nobody needs to read that a message is on its way for a moment. */
    bool is_fresh =
        monotonic_ms() - progress->began_ms < FRESH_MS && strcmp(class, "not_seen") == 0;
    if (progress->is_quiet || is_fresh || !is_due(progress, text, class))
        return;
    if (progress->is_terminal)
        draw(progress, run, text);
    else
        fprintf(stderr, "%s\n", text);
    text_free(&progress->last);
    text_free(&progress->last_class);
    progress->last = TAKE(text);
    progress->last_class = TAKE(class);
    progress->last_ms = monotonic_ms();
}
