/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may ask: GCRA, one time per key in a table of fixed size. Who asks within the rate, and
 * up to two seconds' worth at once, is never refused; where the table is full, whoever was quiet longest is forgotten
 * (as if new), so that memory is bounded however many keys come. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limiter;

struct limit_answer {
    bool refused;
    int64_t limit;         /* that may be asked at once */
    int64_t remaining;     /* of them */
    int64_t reset_s;       /* until all of them are there again */
    int64_t retry_after_s; /* refused: until one is */
};

/* NULL when the rate is 0: no limit. */
struct limiter *limiter_new(int64_t per_second);
void limiter_free(struct limiter **limiter);
/* One request of the key at the monotonic time. */
struct limit_answer limiter_take(struct limiter *limiter, const void *key, size_t length,
                                 int64_t now_us);
