/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that removes directories with all that tests have left in them, so that a million files never
 * hold up the loop. */
#pragma once

#include "base/error.h"

struct remover;

int remover_open(struct remover **remover_r, struct error *error) WARN_UNUSED;
/* Ends at once, also in the middle of a directory: what is left is for the next life (workspace_remove_old). */
void remover_close(struct remover **remover);

void remover_add(struct remover *remover, const char *path); /* the path is copied */
