/* SPDX-License-Identifier: Apache-2.0 */
/* What a collector behind a token wants to see, as OTEL_EXPORTER_OTLP_HEADERS says it: "name=value,name=value", the
 * values percent-encoded. */
#pragma once

#include "base/error.h"
#include "base/fields.h"

/* Adds "Name: value" lines to headers_r, which the caller ends by texts_deinit. "invalid", without a value in it. */
int otlp_headers_read(const char *text, struct texts *headers_r, struct error *error) WARN_UNUSED;
