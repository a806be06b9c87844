/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/exclusive.h"

#define GRACE_PART  4 /* of the lease, at the most */
#define MARGIN_PART 8 /* of the lease, for what killing takes */

void exclusive_hold(struct exclusive *exclusive, int64_t sent_ms)
{
    if (sent_ms > exclusive->held_ms)
        exclusive->held_ms = sent_ms;
}

int64_t exclusive_grace_ms(const struct exclusive *exclusive)
{
    int64_t most_ms = exclusive->lease_ms / GRACE_PART;
    return exclusive->grace_ms < most_ms ? exclusive->grace_ms : most_ms;
}

int64_t exclusive_left_ms(const struct exclusive *exclusive, int64_t now_ms)
{
    int64_t runs_ms =
        exclusive->lease_ms - exclusive->lease_ms / MARGIN_PART - exclusive_grace_ms(exclusive);
    return exclusive->held_ms + runs_ms - now_ms;
}

bool exclusive_may_begin(const struct exclusive *exclusive, int64_t now_ms)
{
    if (exclusive->lease_ms == 0)
        return true;
    return exclusive->held_ms > 0 && exclusive_left_ms(exclusive, now_ms) > 0;
}
