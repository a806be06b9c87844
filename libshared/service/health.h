/* SPDX-License-Identifier: Apache-2.0 */
/* /livez, /readyz, /metrics and /version on a port of their own, answered by a thread of their own: a
 * busy loop does not make a healthy service look dead; a loop that stands still does. */
#pragma once

#include <stdbool.h>

#include "service/loop.h"
#include "settings/settings.h"

struct health;

int health_open(const struct listen_address *listen, const char *service, const struct loop *loop,
                struct health **health_r, struct error *error) WARN_UNUSED;
void health_close(struct health **health);

/* What /readyz answers from now on: JSON text (copied), and whether it is 200 or 503. */
void health_publish(struct health *health, bool ready, const char *json);
