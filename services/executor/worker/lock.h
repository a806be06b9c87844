/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that one executor at a time may use: a locked file in each, which names the holder. */
#pragma once

#include "base/error.h"

/* what: the directory for people ("VERDICT_WORK_DIR /var/lib/…"). The lock lives as long as *fd_r, which is
 * the caller's. -1 as well when another process holds it: the error says which. */
int lock_take(int directory_fd, const char *what, int *fd_r, struct error *error) WARN_UNUSED;
