/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook endpoints of a project. The secret is shown once. */
#pragma once

#include "routes.h"

route_handler webhooks_list, webhooks_create, webhooks_get, webhooks_put, webhooks_remove,
    webhooks_test, webhooks_rotate;
