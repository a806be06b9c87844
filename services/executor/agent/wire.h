/* SPDX-License-Identifier: Apache-2.0 */
/* What executor, helper and wardens say to each other over socket pairs, within one machine and one
 * binary: plain structs. A plan travels as a sealed memory file, so its size has no limit of a socket. */
#pragma once

#include <stdint.h>

#include "agent/plan.h"

/* With a request to the helper (one byte) come these descriptors, in this order. */
enum wire_descriptor { WIRE_PLAN, WIRE_CONTROL, WIRE_STDOUT, WIRE_STDERR, WIRE_DESCRIPTORS };

enum warden_said {
    WARDEN_STARTED,     /* exec succeeded */
    WARDEN_EXEC_FAILED, /* error_number */
    WARDEN_EXITED,      /* status, limit, cpu_ms; strays may still be there */
    WARDEN_GONE,        /* the whole tree is gone; the last thing said */
};

struct warden_report {
    int32_t kind; /* enum warden_said */
    int32_t pid;
    int32_t status;
    int32_t error_number;
    int32_t limit;
    int32_t strays;
    int64_t cpu_ms;
};

/* End the tree: TERM, grace, KILL. The socket's end means: KILL at once. */
struct warden_order {
    int64_t grace_ms;
};

/* A memory file with the plan; -1 and the reason when it cannot be made. */
int wire_plan_write(const struct process_plan *plan, int *fd_r, struct error *error) WARN_UNUSED;
/* The strings of *plan_r point into *memory_r, which lives as long as the process. */
int wire_plan_read(int fd, struct process_plan *plan_r) WARN_UNUSED;
