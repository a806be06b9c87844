/* SPDX-License-Identifier: Apache-2.0 */
/* The small single-threaded process that forks: made before the executor has any thread, because forking
 * from a threaded process is a trap. For each request it makes a warden and forgets it. */
#pragma once

#include "agent/wire.h"

struct helper;

/* Call before any thread is made. Descriptors that are open then are inherited. */
int helper_start(struct helper **helper_r, struct error *error) WARN_UNUSED;
void helper_stop(struct helper **helper);

/* Readable (at its end) when the helper has gone: then nothing can be started any more. */
int helper_fd(const struct helper *helper);

/* The descriptors stay the caller's. */
int helper_request(struct helper *helper, const int descriptors[WIRE_DESCRIPTORS],
                   struct error *error) WARN_UNUSED;
