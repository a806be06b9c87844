/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a report has, by its first bytes. */
#pragma once

#include "report/reader.h"

#define REPORT_DETECT_BYTES ((size_t)64 * 1024) /* more are not looked at */

/* NULL: it cannot be told. */
const struct report_reader_ops *report_detect(const char *bytes, size_t length);
