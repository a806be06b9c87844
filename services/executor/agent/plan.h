/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be executed: the one description that the agent hands to a runner. */
#pragma once

#include <stdint.h>

#include "base/fields.h"

struct process_limits { /* 0: none */
    int64_t cpu_seconds;
    int64_t memory_bytes; /* resident, of the whole tree; what is shared counts once */
    int64_t open_files;
    int64_t processes; /* of the whole tree */
    int64_t file_bytes;
};

enum process_limit {
    PROCESS_LIMIT_NONE,
    PROCESS_LIMIT_CPU,
    PROCESS_LIMIT_MEMORY,
    PROCESS_LIMIT_PROCESSES,
    PROCESS_LIMIT_FILE,
};
extern const struct names process_limit_names;

struct process_plan {
    const char *directory;
    struct texts argv;
    struct texts environment; /* "NAME=value" */
    struct process_limits limits;
    int64_t grace_ms; /* for what is left behind when the process has ended */
};

/* How it ended; the whole tree is gone. */
struct process_end {
    int exec_errno; /* not 0: it never ran */
    int status;     /* of wait(2) */
    int limit;      /* enum process_limit that ended it */
    int64_t cpu_ms;
    int64_t strays; /* processes that had been left behind */
    bool lost;      /* whoever watched it is gone: nothing is known */
};
