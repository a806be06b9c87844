/* SPDX-License-Identifier: Apache-2.0 */
/* How declared cases are cut into tasks: by how long they are expected to take, bounded in bytes so that a
 * dispatch fits into a message. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PLAN_PIECE_BYTES_MAX (400 * 1024)
#define PLAN_CASE_MS_UNKNOWN (-1)

struct plan_case {
    size_t bytes;        /* in a message */
    int64_t expected_ms; /* PLAN_CASE_MS_UNKNOWN: counts as the median of those that are known */
};

/* order[first … first + count - 1] are its cases, by their index, as they were declared. */
struct plan_piece {
    size_t first, count;
};

struct plan {
    struct plan_piece *list;
    size_t count;
    size_t *order;
};

/* wanted: how many pieces (a suite's max_tasks, else the slots that can run them); there are more where they
 * would be too large, never more than cases. Neighbours stay together where that makes no piece much longer
 * than it must be. The longest piece comes first; where nothing is known all are of equal number. The plan is
 * the caller's: plan_deinit. */
struct plan plan_cut(const struct plan_case *cases, size_t count, size_t wanted);
void plan_deinit(struct plan *plan);
