/* SPDX-License-Identifier: Apache-2.0 */
/* Badges: how a suite's last run ended, for whoever holds the link. It names the project, the suite and the
 * branch, is signed and has no end, since it stands in pages of others; it tells nothing but that. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler badges_create, badges_get;
extern const struct fields badge_fields; /* of a body */
