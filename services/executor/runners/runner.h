/* SPDX-License-Identifier: Apache-2.0 */
/* How a plan is executed. One file per kind, all listed in `runners`; the null runner is for tests. */
#pragma once

#include "agent/helper.h"
#include "agent/plan.h"
#include "service/loop.h"

enum run_output { RUN_STDOUT, RUN_STDERR };

/* Called from the loop, never from inside runner->start. */
struct run_handlers {
    void (*on_started)(void *context); /* exec has succeeded */
    void (*on_output)(void *context, enum run_output stream, const char *bytes, size_t length);
    void (*on_end)(void *context,
                   const struct process_end *end); /* the last call; all output is read */
    void *context;
};

/* What runners work with. */
struct run_tools {
    struct loop *loop;
    struct helper *helper;
};

struct execution;

struct runner {
    const char *name;
    int (*start)(const struct run_tools *tools, const struct process_plan *plan,
                 const struct run_handlers *handlers, struct execution **execution_r,
                 struct error *error);
    /* TERM, grace, KILL; on_end follows. May be repeated with a shorter grace. */
    void (*stop)(struct execution *execution, int64_t grace_ms);
    /* Of one that still runs: it is ended at once, and nobody is told. */
    void (*free)(struct execution **execution);
};

extern const struct runner process_runner, null_runner;
extern const struct runner *const runners[];
const struct runner *runner_find(const char *name); /* NULL when there is none */
