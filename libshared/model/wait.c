/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the classes of waiting. */
#include "model/wait.h"

static const char *const list[] = {
    "not_seen", "no_scheduler", "planning",        "no_worker",      "no_capable_worker",
    "busy",     "behind",       "acknowledgement", "workers_silent", "tests",
    "results",  "cancel",       "uploads"};
const struct names wait_class_names = NAMES("class of waiting", list);
