/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic work beside sending: deliveries whose endpoint is gone and requests whose hint was
 * lost. */
#pragma once

#include "inbox.h"
#include "sender.h"

struct housekeeping;

struct housekeeping *housekeeping_new(struct inbox *inbox, struct sender *sender);
void housekeeping_free(struct housekeeping **housekeeping);

/* Does what is due; returns ms until it wants to be called again. */
int64_t housekeeping_work(struct housekeeping *housekeeping);
