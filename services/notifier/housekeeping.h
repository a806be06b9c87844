/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic work beside sending: deliveries whose endpoint is gone, requests whose hint was lost, what is
 * older than the retention. */
#pragma once

#include "inbox.h"
#include "sender.h"

struct housekeeping;

struct housekeeping *housekeeping_new(struct inbox *inbox, struct sender *sender);
void housekeeping_free(struct housekeeping **housekeeping);

/* Does what is due; returns ms until it wants to be called again. */
int64_t housekeeping_work(struct housekeeping *housekeeping);
