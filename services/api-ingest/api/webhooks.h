/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook endpoints of a project. The secret is shown once. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler webhooks_list, webhooks_create, webhooks_get, webhooks_put, webhooks_patch,
    webhooks_remove, webhooks_test, webhooks_rotate;

extern const struct fields webhook_fields; /* of a body */
