/* SPDX-License-Identifier: Apache-2.0 */
/* From what the tests say to items of a stream, masked. */
#include "agent/items.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/work.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/text.h"

/* A mask can be longer than what it hides. */
static char *mask(const struct job *job, const char *text, size_t max_bytes)
{
    char *masked = masks_cut_text(job->work->masks, text, REPORT_CUT_MARK, max_bytes);
    if (masked != NULL)
        masked[utf8_cut(masked, strlen(masked), max_bytes)] = '\0';
    return masked;
}

/* What is ended before its time is done again, or nobody waits for it: how tests die of our signal is no result. */
static bool is_given_up(const struct work *work)
{
    return work->stop_ending == ENDED_HANDED_BACK || work->stop_ending == ENDED_CANCELLED;
}

/* Some tools tell what a selection has left out, as skipped. */
static bool is_left_out(const struct work *work, const struct stream_result *result)
{
    const struct records *cases = &work->dispatch.cases;
    const struct dispatched_case *list = cases->list;
    if (result->status != RESULT_SKIPPED || cases->count == 0)
        return false;
    for (size_t i = 0; i < cases->count; i++)
        if (strcmp(list[i].key, result->key) == 0)
            return false;
    return true;
}

void items_on_result(void *context, const struct stream_result *result)
{
    struct job *job = context;
    struct stream_result masked = *result;
    if (is_given_up(job->work) || is_left_out(job->work, result))
        return;
    AUTO(text_free) char *message = mask(job, result->message, LIMIT_RESULT_MESSAGE_BYTES);
    AUTO(text_free) char *trace = mask(job, result->trace, LIMIT_RESULT_TRACE_BYTES);
    AUTO(text_free) char *file = mask(job, result->file, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *class = mask(job, result->class, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *name = mask(job, result->name, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *parameters = mask(job, result->parameters, LIMIT_CASE_NAME_BYTES);
    masked.message = message;
    masked.trace = trace;
    masked.file = file;
    masked.class = class;
    masked.name = name;
    masked.parameters = parameters;
    job->work->counts[result->status]++;
    stream_add(&job->stream, ITEM_RESULT, &masked);
}

void items_on_planned(void *context, int64_t count)
{
    struct job *job = context;
    const struct stream_planned planned = {
        .count = count > LIMIT_CASES_PER_RUN ? LIMIT_CASES_PER_RUN : count};
    /* Of one piece of a run it says nothing: the run's cases were declared. */
    if (job->work->dispatch.cases.count == 0)
        stream_add(&job->stream, ITEM_PLANNED, &planned);
}

void items_on_log(void *context, enum log_stream stream, const char *text)
{
    struct job *job = context;
    const struct stream_log log = {
        .stream = (int)stream, .text = (char *)(uintptr_t)text, .at = wall_ms()};
    stream_add(&job->stream, ITEM_LOG, &log);
}

/* A line of ours among the output. */
void items_say(struct job *job, const char *format, ...)
{
    char text[ERROR_TEXT_MAX + 200];
    va_list args;
    va_start(args, format);
    int length = snprintf(text, sizeof text, "[verdict: ");
    vsnprintf(text + length, sizeof text - (size_t)length - 3, format, args);
    va_end(args);
    AUTO(text_free) char *line = xasprintf("%s]\n", text);
    AUTO(text_free) char *clean = utf8_clean(line, strlen(line)); /* it may have been cut */
    items_on_log(job, LOG_VERDICT, clean);
}
