/* SPDX-License-Identifier: Apache-2.0 */
/* What a run is allowed: time-outs, attempts, whether no tests are fine. Complete after decoding: what
 * was not said has its default. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fields.h"

struct policy {
    int64_t queue_timeout_ms; /* until the first task is started */
    int64_t task_timeout_ms;  /* one attempt of one task */
    int64_t run_timeout_ms;   /* from trigger to verdict */
    int64_t grace_ms;         /* between TERM and KILL */
    int64_t attempts;         /* handings-out of one task */
    bool allow_empty;         /* no test ran is passed, not errored */
    bool cancel_superseded;   /* older open runs of the same suite and branch are cancelled */
};

extern const struct fields policy_fields;
