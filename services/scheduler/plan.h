/* SPDX-License-Identifier: Apache-2.0 */
/* How declared cases are cut into tasks: consecutive pieces of equal number, bounded in bytes so that a
 * dispatch fits into a message. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PLAN_PIECE_BYTES_MAX (400 * 1024)

struct plan_piece {
    size_t first, count;
};

struct plan {
    struct plan_piece *list; /* owned: plan_deinit */
    size_t count;
};

/* bytes[i] is what case i takes in a message. wanted: how many pieces (a suite's max_tasks, else the slots
 * that can run them); there are more where they would be too large, never more than cases. */
struct plan plan_cut(const size_t *bytes, size_t cases, size_t wanted);
void plan_deinit(struct plan *plan);
