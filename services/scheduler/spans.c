/* SPDX-License-Identifier: Apache-2.0 */
#include "spans.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "trace/trace.h"

struct kept_span {
    struct span span;
    STAILQ_ENTRY(kept_span) link;
};

static void keep(struct brain *brain, const struct span *span)
{
    struct kept_span *kept = xcalloc(1, sizeof *kept);
    kept->span = *span;
    STAILQ_INSERT_TAIL(&brain->spans, kept, link);
}

/* When it was accepted, by Postgres' clock, on ours. */
static int64_t accepted_us(const struct run *run)
{
    return run->triggered_at_us - (wall_us() - monotonic_us());
}

void spans_add_plan(struct brain *brain, const struct run *run)
{
    if (!trace_wants(run->traceparent))
        return;
    struct span span = span_new("plan", SPAN_INTERNAL, run->traceparent);
    span_id_of(&run->id, SPAN_OF_RUN, span.parent_id);
    span.start_us = accepted_us(run);
    span_text(&span, "verdict.run.id", run->id.text);
    span_number(&span, "verdict.run.tasks", run->task_count);
    keep(brain, &span);
}

void spans_add_dispatch(struct brain *brain, const struct task *task)
{
    const struct run *run = task->run;
    if (!trace_wants(run->traceparent))
        return;
    struct span span = span_new("dispatch", SPAN_INTERNAL, run->traceparent);
    span_id_of(&task->dispatch_id, SPAN_OF_DISPATCH, span.id);
    span_id_of(&run->id, SPAN_OF_RUN, span.parent_id);
    if (task->queued_us > 0)
        span.start_us = task->queued_us;
    span_text(&span, "verdict.run.id", run->id.text);
    span_text(&span, "verdict.task.id", task->id.text);
    span_text(&span, "verdict.dispatch.id", task->dispatch_id.text);
    span_number(&span, "verdict.attempt", task->attempt);
    span_text(&span, "verdict.worker", task->worker == NULL ? NULL : task->worker->name);
    keep(brain, &span);
}

void spans_add_run(struct brain *brain, const struct run *run, enum reason reason)
{
    if (!trace_wants(run->traceparent))
        return;
    const char *why = reason == REASON_NONE ? NULL : names_get(&reason_names, (int)reason);
    struct span span = span_new("run", SPAN_INTERNAL, run->traceparent);
    span_id_of(&run->id, SPAN_OF_RUN, span.id);
    span_id_of(&run->id, SPAN_OF_TRIGGER, span.parent_id);
    span.start_us = accepted_us(run);
    span_text(&span, "verdict.run.id", run->id.text);
    span_number(&span, "verdict.run.number", run->number);
    span_text(&span, "verdict.project", json_find_text(run->facts, "project"));
    span_text(&span, "verdict.suite", run->suite_slug);
    span_text(&span, "verdict.run.state", names_get(&run_state_names, (int)run->state));
    span_text(&span, "verdict.run.reason", why);
    if (run->state != RUN_PASSED)
        span_fail(&span, why);
    keep(brain, &span);
}

static void let_go(struct brain *brain, bool add)
{
    struct kept_span *kept;
    while ((kept = STAILQ_FIRST(&brain->spans)) != NULL) {
        STAILQ_REMOVE_HEAD(&brain->spans, link);
        kept->span.end_us = monotonic_us();
        if (add)
            trace_add(&kept->span);
        free(kept);
    }
}

void spans_flush(struct brain *brain)
{
    let_go(brain, true);
}

void spans_drop(struct brain *brain)
{
    let_go(brain, false);
}
