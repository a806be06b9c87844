/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks for a dispatch: the worker that has it, by a token that it has made of its own key, for that dispatch
 * alone. It is good until the dispatch ends. */
#pragma once

#include "db/artifact.h"
#include "http/request.h"

/* The dispatch of the path; "unauthorized" where the token is not its own, or it has ended. */
int dispatch_of_token(struct request *request, struct store *store,
                      struct open_dispatch *dispatch_r, struct error *error) WARN_UNUSED;
