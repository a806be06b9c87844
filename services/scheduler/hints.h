/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons to look at what may have ended. */
#pragma once

#include "brain.h"

/* What messages, heartbeats and timers give reason to look at: rows decide what comes of it. */
struct hints {
    struct array_param *recorded; /* dispatches whose record may be complete; NULL: all open ones */
    struct array_param *requested; /* runs of which something may be asked; NULL: all open ones */
    struct texts lost,
        reborn; /* dispatches that their worker does not have; or its predecessor had */
};
void hints_init(struct hints *hints);
void hints_deinit(struct hints *hints);

/* Ends what has ended, all in the order of locks that the collector keeps too: runs before tasks. */
int hints_follow(struct brain *brain, struct store *store, const struct hints *hints,
                 struct error *error) WARN_UNUSED;
/* Open runs that are beyond the window are brought into memory. */
int brain_need_runs(struct brain *brain, struct store *store, const struct rows *rows,
                    struct error *error) WARN_UNUSED;

/* Their worker, or the dispatches themselves, are gone: each is queued again with what is left, or ends. */
int lose_dispatches(struct brain *brain, struct store *store, const struct texts *lost,
                    const char *why, struct error *error) WARN_UNUSED;
