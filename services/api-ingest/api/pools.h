/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of workers, the projects that may use them, and the tokens that workers join with. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler pools_list, pools_create, pools_get, pools_put, pools_patch, pools_remove,
    pools_join_token, pools_grant, pools_take_back;

extern const struct fields pool_fields; /* of a body */
