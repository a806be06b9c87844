/* SPDX-License-Identifier: Apache-2.0 */
/* A task that is exclusive never runs beside its own successor. The scheduler gives a task away when it has not
 * heard of its worker for the lease. The worker cannot know when it was heard last, but a full set says which of
 * its heartbeats was the last one that was taken: the lease is no older than the sending of that one. So the
 * task begins only when such a set has named it, and ends itself before a lease from then would be over.
 * Pure: time is an argument, in ms of boot_ms(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct exclusive {
    int64_t lease_ms; /* 0: the task is not exclusive */
    int64_t grace_ms; /* that it would be given to end itself */
    int64_t held_ms;  /* the lease is no older than this; 0: none yet */
};

/* The scheduler knows that the task is here, by a heartbeat that was sent then. */
void exclusive_hold(struct exclusive *exclusive, int64_t sent_ms);
/* Time between TERM and KILL: all of it lies before the end of the lease. */
int64_t exclusive_grace_ms(const struct exclusive *exclusive);
/* ms until it has to be stopped, 0 or less: now. */
int64_t exclusive_left_ms(const struct exclusive *exclusive, int64_t now_ms);
bool exclusive_may_begin(const struct exclusive *exclusive, int64_t now_ms);
