/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: shown once when they are made, never again. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler tokens_list, tokens_create, tokens_get, tokens_revoke;

extern const struct fields token_fields; /* of a body */
