/* SPDX-License-Identifier: Apache-2.0 */
/* Where logs begin and end, asked of the broker by a thread with a client of its own: librdkafka 2.0.2 may hold
 * whoever asks for as long as the broker is away, whatever time-out was given (seen: a loop that stood still for
 * the whole of an outage). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct ends;

struct log_ends {
    int64_t low, high; /* first and next offset */
};

/* wake_fd: an eventfd that is written to when an answer is there; the caller's, and open until ends_close. */
int ends_open(const struct bus_settings *settings, const char *topic, int wake_fd,
              struct ends **ends_r, struct error *error) WARN_UNUSED;
/* Does not wait: what is being asked ends by itself. */
void ends_close(struct ends **ends);

/* Asks for a partition, unless that was done, and takes the answer to an earlier call: 1 and *ends_r; 0: it is
 * not there yet; -1: the broker refused, or could not be asked. After 1 and -1 the next call asks anew. */
int ends_take(struct ends *ends, int32_t partition, struct log_ends *ends_r,
              struct error *error) WARN_UNUSED;
/* Forgets an answer that is there, or will be: the next call asks anew. */
void ends_forget(struct ends *ends, int32_t partition);
