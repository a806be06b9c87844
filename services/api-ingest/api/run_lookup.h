/* SPDX-License-Identifier: Apache-2.0 */
/* The {run} of a pattern, which the principal may see. */
#pragma once

#include "db/run.h"
#include "http/request.h"

/* "not_found" when there is none, or it is another project's. */
int run_lookup(struct request *request, struct store *store, struct run_ref *run_r,
               struct error *error) WARN_UNUSED;
