/* SPDX-License-Identifier: Apache-2.0 */
/* What is removed of schema notify, and in which order: see docs/architecture.md, "What is kept, and how long". */
#pragma once

#include "service/retention.h"

extern const struct retention_plan notify_retention;
