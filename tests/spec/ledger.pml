/* SPDX-License-Identifier: Apache-2.0 */
/* What both models share: cases as sets of bits, streams as numbers, rows that a transaction locks until its COMMIT. */

#define CASES    2
#define ALL      3
#define ATTEMPTS 2

#define COUNT(set)        (((set) & 1) + ((set) >> 1))
#define LAST_OF(set)      (COUNT(set) + 1)                     /* the number of task.finished */
#define CASE_OF(set, seq) ((COUNT(set) == 2) -> (seq) : (set)) /* of the result of that number, as a bit */

#define UNLOCK(row)                                                                                \
    if                                                                                             \
    :: row == _pid + 1 -> row = 0                                                                  \
    :: else                                                                                        \
    fi

/* `what` is what the statement that waits for the row reads, behind its lock. */
#define LOCK(row, what) atomic { row == 0 -> row = _pid + 1; what }
