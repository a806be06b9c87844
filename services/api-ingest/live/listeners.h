/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens to a watched run: telling them, and letting go of those that are gone or were told the last. Of the
 * live thread alone. */
#pragma once

#include "live/watch.h"

/* To all that do not have this version yet; -1: to all. After run.finished, or where nobody reads any more, the
 * listener is dropped. data: JSON. */
void listeners_tell(struct watch *watch, int64_t version, const char *type, const char *data);
/* Frees it, and its reference to the stream. */
void listeners_drop(struct watch *watch, struct listener *listener);
void listeners_drop_over(struct watch *watch); /* that are gone, or whose link is over */
/* Ends the streams of all. */
void listeners_end(struct watch *watch);
/* What all of them have; INT64_MAX where nobody listens. */
int64_t listeners_least_version(const struct watch *watch);
