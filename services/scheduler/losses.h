/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatches that nobody acknowledges, and workers that fall silent. What is asked without a store only
 * looks; what is given one writes, under the fence. */
#pragma once

#include "brain.h"

/* Unacknowledged for too long: the same again, three times. */
void losses_resend(struct brain *brain, int64_t now_ms);
bool losses_any_unacknowledged(const struct brain *brain, int64_t now_ms); /* sent often enough */
int lose_unacknowledged(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;

void losses_adopt_orphans(struct brain *brain);
/* By the time since the last pass, unless our own log stands still. */
void losses_age_leases(struct brain *brain, int64_t now_ms);
/* True when somebody is to be declared lost. */
bool losses_look_at_leases(struct brain *brain, int64_t now_ms);
int lose_silent(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;
int losses_say_suspects(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;
