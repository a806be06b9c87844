/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict: every reason that holds is a candidate, the table's precedence picks one. */
#include "close.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static const char *const outcome_list[] = {"finished", "lost", "cancelled", "timed_out", "errored"};
const struct names task_outcome_names = NAMES("outcome of a task", outcome_list);

struct candidate {
    enum reason reason;
    char *detail; /* CLOSE_DETAIL_SIZE */
};

__attribute__((format(printf, 3, 4))) static void consider(struct candidate *best,
                                                           enum reason reason, const char *format,
                                                           ...)
{
    if (reason_stronger(reason, best->reason) != reason || reason == best->reason)
        return;
    best->reason = reason;
    va_list args;
    va_start(args, format);
    text_vformat(best->detail, CLOSE_DETAIL_SIZE, format, args);
    va_end(args);
}

/* A failure of a case that an earlier attempt, or another upload, has passed is not among the counted results, which are the
 * first ones; it must not be green all the same. */
static bool is_uncounted(const struct closed_run *run, const struct closed_task *task)
{
    return task->failed + task->errored > 0 && run->failed + run->errored == 0;
}

bool close_is_contradicted(const struct closed_run *run)
{
    for (int i = 0; i < run->task_count; i++)
        if (is_uncounted(run, &run->tasks[i]))
            return true;
    return false;
}

static void name_contradiction(const struct closed_run *run, char text_r[CLOSE_DETAIL_SIZE])
{
    char more[40] = "";
    if (run->contradicted > 1)
        text_format(more, sizeof more, " (and %lld more)", (long long)run->contradicted - 1);
    text_format(text_r, CLOSE_DETAIL_SIZE, "%s failed, and %s in %s%s", run->contradicted_case,
                run->contradicted_as, run->is_uploaded ? "another upload" : "an earlier attempt",
                more);
}

static void consider_contradiction(const struct closed_run *run, const struct closed_task *task,
                                   struct candidate *best)
{
    const long long failed = task->failed + task->errored;
    char text[CLOSE_DETAIL_SIZE];
    if (run->contradicted > 0) {
        name_contradiction(run, text);
        consider(best, REASON_EXIT_CONTRADICTS_REPORT, "%s", text);
    } else if (run->is_uploaded)
        consider(best, REASON_EXIT_CONTRADICTS_REPORT,
                 "%lld cases failed in one upload that another upload has passed", failed);
    else
        consider(best, REASON_EXIT_CONTRADICTS_REPORT,
                 "exit status %lld: %lld cases failed that an earlier attempt has passed",
                 (long long)task->exit_status, failed);
}

/* What ended the run may be another case: who mends that one is to know of this one, too. */
static void add_contradiction(const struct closed_run *run, struct candidate *best)
{
    char text[CLOSE_DETAIL_SIZE];
    size_t length = strlen(best->detail);
    if (run->contradicted == 0 || best->reason == REASON_EXIT_CONTRADICTS_REPORT)
        return;
    name_contradiction(run, text);
    text_format(best->detail + length, CLOSE_DETAIL_SIZE - length, "%s%s", length > 0 ? "; " : "",
                text);
}

static void consider_exit(const struct closed_run *run, const struct closed_task *task,
                          struct candidate *best)
{
    bool none = task->passed + task->skipped + task->blocked == 0;
    if (is_uncounted(run, task))
        consider_contradiction(run, task, best);
    if (task->report == REPORT_NOT_EXPECTED || task->failed > 0 || task->errored > 0)
        return; /* a reported failure fails, whatever the exit status */
    if (none && task->ending == ENDED_EXITED && task->exit_status == run->empty_status)
        return;
    if (task->ending == ENDED_SIGNALLED)
        consider(best, REASON_EXIT_CONTRADICTS_REPORT, "signal %lld ended it",
                 (long long)task->signal);
    else if (task->exit_status != 0)
        consider(best, REASON_EXIT_CONTRADICTS_REPORT, "exit status %lld",
                 (long long)task->exit_status);
}

static void consider_report(const struct closed_task *task, struct candidate *best)
{
    if (task->report == REPORT_IS_MISSING)
        consider(best, REASON_NO_REPORT, "%s %lld",
                 task->ending == ENDED_SIGNALLED ? "signal" : "exit status",
                 (long long)(task->ending == ENDED_SIGNALLED ? task->signal : task->exit_status));
    else if (task->report == REPORT_IS_TRUNCATED)
        consider(best, REASON_REPORT_TRUNCATED, "%lld whole cases were kept",
                 (long long)(task->passed + task->failed + task->errored + task->skipped +
                             task->blocked));
}

static void consider_task(const struct closed_run *run, const struct closed_task *task,
                          struct candidate *best)
{
    switch (task->outcome) {
    case OUTCOME_FINISHED:
        if (task->has_record) {
            consider_report(task, best);
            consider_exit(run, task, best);
        }
        return;
    case OUTCOME_CANCELLED:
        consider(best, REASON_CANCELLED, "%s", "");
        return;
    case OUTCOME_TIMED_OUT:
    case OUTCOME_ERRORED:
        consider(best, task->reason, "%s", task->reason_detail);
        return;
    case OUTCOME_LOST:
        consider(best, REASON_RESULTS_LOST, "%s", "");
        return;
    }
}

enum reason close_decide(const struct closed_run *run, char detail_r[CLOSE_DETAIL_SIZE])
{
    struct candidate best = {.reason = REASON_NONE, .detail = detail_r};
    int64_t counted = run->passed + run->failed + run->errored + run->skipped + run->blocked;
    int64_t planned = run->planned < 0 ? counted : run->planned;

    detail_r[0] = '\0';
    for (int i = 0; i < run->task_count; i++)
        consider_task(run, &run->tasks[i], &best);
    if (run->is_uploaded && run->task_count == 0)
        consider(&best, REASON_NO_REPORT, "nothing was uploaded");
    if (run->errored > 0)
        consider(&best, REASON_CASES_ERRORED, "%lld of %lld", (long long)run->errored,
                 (long long)planned);
    if (run->blocked > 0)
        consider(&best, REASON_CASES_BLOCKED, "%lld of %lld", (long long)run->blocked,
                 (long long)planned);
    if (run->failed > 0)
        consider(&best, REASON_CASES_FAILED, "%lld of %lld", (long long)run->failed,
                 (long long)planned);
    if (counted < planned)
        consider(&best, REASON_CASES_NOT_RUN, "%lld of %lld", (long long)(planned - counted),
                 (long long)planned);
    if (counted == run->skipped && !run->allow_empty)
        consider(&best, REASON_NO_TESTS, "%s",
                 counted == 0 ? "no case was reported" : "all cases were skipped");
    add_contradiction(run, &best);
    return best.reason;
}
