/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that makes files durable, so that a slow disk never holds up the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "service/loop.h"

struct flusher;

/* Called from the loop, in the order of the requests. */
typedef void flusher_on_flushed(void *context, uint64_t tag, bool durable);

int flusher_open(struct loop *loop, flusher_on_flushed *on_flushed, void *context,
                 struct flusher **flusher_r, struct error *error) WARN_UNUSED;
void flusher_close(struct flusher **flusher); /* what was asked for is still made durable, untold */

/* fd: the file; directory_fd: its directory when its name must be made durable too, else -1. Both stay
 * the caller's. */
void flusher_request(struct flusher *flusher, int fd, int directory_fd, uint64_t tag);
