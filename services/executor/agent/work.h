/* SPDX-License-Identifier: Apache-2.0 */
/* All that it takes to run a job, until its stream has its last item. Only the steps of a job include this: job.c,
 * work.c, items.c, fetch.c, tests.c, finish.c. */
#pragma once

#include "agent/artifacts.h"
#include "agent/job.h"
#include "agent/masks.h"
#include "agent/output.h"
#include "agent/plan.h"
#include "agent/reports.h"
#include "agent/workspace.h"
#include "base/buffer.h"
#include "model/suite.h"

#define NOT_STOPPED (-1)

struct work {
    struct task_dispatch dispatch;
    struct suite_spec suite;
    struct workspace workspace;
    struct masks *masks;
    struct output_budget budget;
    struct output *outputs[2];
    struct reports *reports;
    struct artifacts *artifacts; /* NULL: none is asked for */
    /* How it ended, while artifacts are sent: */
    enum ending_kind ending;
    char *ending_detail;
    enum report_state report;
    struct report_plan report_plan;
    struct process_plan plan;  /* of the tests */
    struct process_plan fetch; /* of the source; no argv when there is nothing to fetch */
    char *directory;           /* where the source lies */
    struct buffer fetch_words;
    struct execution *execution;
    int stop_ending; /* enum ending_kind that was ordered, NOT_STOPPED */
    char *stop_detail;
    int64_t deadline_ms; /* monotonic */
    int64_t started_wall_ms, started_ms;
    int64_t received_us; /* monotonic */
    struct process_end end;
    int64_t counts[RESULT_STATUS_COUNT];
};

/* A copy of the dispatch, and what output and masks need; nothing on disk yet. Owned by the job. */
struct work *work_new(struct job *job, const struct task_dispatch *dispatch);
/* Reads the suite, makes the workspace and plans both processes, of the source and of the tests. On failure
 * "source_failed" when it is the source's doing, NO_MEANS when this worker lacks something. */
int work_prepare(struct job *job, struct error *error) WARN_UNUSED;
/* Ends what still runs, removes the workspace; the job has none then. Nothing to do where it has none. */
void work_free(struct job *job);
