/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a source, and what follows from how that ended. */
#include "agent/fetch.h"

#include <sys/wait.h>

#include "agent/finish.h"
#include "agent/tests.h"
#include "agent/work.h"
#include "base/memory.h"
#include "base/text.h"

static void on_fetch_started(void *context)
{
    (void)context;
}

static void on_fetch_output(void *context, enum run_output stream, const char *bytes, size_t length)
{
    struct job *job = context;
    struct buffer *words = &job->work->fetch_words;
    size_t room = words->max_bytes - words->length;
    (void)stream;
    buffer_add(words, bytes, length < room ? length : room);
}

static void on_fetch_end(void *context, const struct process_end *end)
{
    struct job *job = context;
    struct work *work = job->work;
    bool ok = end->exec_errno == 0 && !end->lost && WIFEXITED(end->status) &&
              WEXITSTATUS(end->status) == 0;
    job->executor->runner->free(&work->execution);
    if (work->stop_ending != NOT_STOPPED) {
        finish_job(job, (enum ending_kind)work->stop_ending, work->stop_detail, REPORT_IS_MISSING);
    } else if (end->exec_errno != 0) {
        finish_exec_failed(job, ENDED_SOURCE_FAILED, &work->fetch, end->exec_errno);
    } else if (ok) {
        tests_start(job);
    } else {
        AUTO(text_free)
        char *words = utf8_clean(buffer_text(&work->fetch_words), work->fetch_words.length);
        finish_job(job, ENDED_SOURCE_FAILED, words[0] == '\0' ? "nothing was said" : words,
                   REPORT_IS_MISSING);
    }
}

void fetch_start(struct job *job)
{
    struct work *work = job->work;
    struct error error;
    const struct run_handlers handlers = {.on_started = on_fetch_started,
                                          .on_output = on_fetch_output,
                                          .on_end = on_fetch_end,
                                          .context = job};
    work->fetch.directory = work->workspace.root;
    if (job->executor->runner->start(&job->executor->tools, &work->fetch, &handlers,
                                     &work->execution, &error) < 0)
        finish_failed(job, ENDED_SOURCE_FAILED, &error);
}
