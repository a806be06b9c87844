/* SPDX-License-Identifier: Apache-2.0 */
/* Leases. */
#include "lease.h"

void lease_age(struct lease *lease, int64_t elapsed_ms, bool log_moves)
{
    if (!log_moves || elapsed_ms <= 0)
        return;
    lease->silent_ms += elapsed_ms < LEASE_STEP_MAX_MS ? elapsed_ms : LEASE_STEP_MAX_MS;
}

void lease_renew(struct lease *lease)
{
    lease->silent_ms = 0;
}

bool freeze_update(struct freeze *freeze, int workers, int silent, int64_t now_ms, bool *thawed_r)
{
    bool most_silent = silent >= FREEZE_WORKERS_MIN && silent * 2 > workers;
    *thawed_r = false;
    if (!most_silent) {
        *thawed_r = freeze->frozen;
        freeze->frozen = freeze->holds = false;
        return false;
    }
    if (!freeze->frozen) {
        freeze->frozen = true;
        freeze->since_ms = now_ms;
    }
    freeze->holds = now_ms - freeze->since_ms < FREEZE_MAX_MS;
    return freeze->holds;
}
