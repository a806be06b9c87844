/* SPDX-License-Identifier: Apache-2.0 */
/* Spans as OTLP's JSON: an ExportTraceServiceRequest. Ids are hex, enums numbers, whole numbers of 64 bits
 * decimal strings. */
#pragma once

#include "trace/span.h"

/* Who made them. */
struct otlp_resource {
    const char *service;  /* "verdict-scheduler" */
    const char *instance; /* unique within the service */
    const char *version;
};

/* offset_us makes unix time of the spans' times. Caller frees. */
char *otlp_text(const struct otlp_resource *resource, const struct span *spans, size_t count,
                int64_t offset_us);

/* How many spans an answer says were not taken, though it is a success. An answer that is none says nothing. */
int64_t otlp_rejected(const char *answer, size_t length);
