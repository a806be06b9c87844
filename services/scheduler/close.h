/* SPDX-License-Identifier: Apache-2.0 */
/* Which verdict a run has earned: laws 3, 4 and 5 and the table of endings, as a pure decision. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "message/task_stream.h"
#include "model/endings.h"

enum task_outcome {
    OUTCOME_FINISHED, /* its stream is complete in the ledger */
    OUTCOME_LOST,
    OUTCOME_CANCELLED,
    OUTCOME_TIMED_OUT,
    OUTCOME_ERRORED, /* `reason` says how */
};
extern const struct names task_outcome_names;

/* How one task ended. The counts are those of the deciding attempt's own report. */
struct closed_task {
    enum task_outcome outcome;
    enum reason reason; /* of an outcome that is not FINISHED */
    char reason_detail[200];
    bool
        has_record; /* the rest is from its task_record; false: all its cases came with earlier attempts */
    enum ending_kind ending;
    int64_t exit_status, signal;
    enum report_state report;
    int64_t passed, failed, errored, skipped, blocked;
};

struct closed_run {
    int64_t planned; /* -1: never known, what was reported is what was planned */
    int64_t passed, failed, errored, skipped, blocked;
    bool allow_empty;
    bool is_uploaded;     /* each task is an upload of results; none: nobody has seen a test */
    int64_t empty_status; /* the framework's exit status when it found no test */
    const struct closed_task *tasks;
    int task_count;
    int64_t
        contradicted; /* counted cases that failed in another report; asked for of uploads, and where close_is_contradicted */
    char contradicted_case[100]; /* the first of them */
    char contradicted_as[16];    /* its status that counts */
};

/* A failure that a task reports is not among the counted results, which are the first ones. */
bool close_is_contradicted(const struct closed_run *run);

#define CLOSE_DETAIL_SIZE 200

/* The strongest reason that holds (REASON_NONE: passed), and in detail_r what people want to know of it. */
enum reason close_decide(const struct closed_run *run, char detail_r[CLOSE_DETAIL_SIZE]);
