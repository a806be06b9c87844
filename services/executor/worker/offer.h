/* SPDX-License-Identifier: Apache-2.0 */
/* What this worker offers to tasks: what the machine is, and what its settings say. */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* text: VERDICT_LABELS, which wins over what the machine says. The object is the caller's. "invalid" names the
 * label that cannot be one. */
int offer_labels(const char *text, json_t **labels_r, struct error *error) WARN_UNUSED;
