/* SPDX-License-Identifier: Apache-2.0 */
/* Spans on their way to a collector of traces: a bounded queue, and one thread that sends what is in it by
 * OTLP/HTTP. Nothing ever waits for it: what does not fit, or is not taken, is dropped and counted. One per
 * process; where no endpoint was given, all of it is one question. */
#pragma once

#include "trace/span.h"

#define TRACE_QUEUE_MAX 4096
#define TRACE_BATCH_MAX 512

/* `endpoint` is a base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT: /v1/traces is put behind it; "" turns
 * everything off. `headers` as in OTEL_EXPORTER_OTLP_HEADERS (otlp_headers.h), "": none. "invalid" when it is no http
 * or https URL or holds credentials (they would be logged), or those are no headers. */
int trace_open(const char *endpoint, const char *headers, const char *service, const char *instance,
               struct error *error) WARN_UNUSED;
/* Sends what is left for at most two seconds. */
void trace_close(void);

/* Whether spans of this trace are wanted: there is an endpoint, and who began the trace records it too. NULL and
 * what is no traceparent are no trace. Ask this before a span is made. */
bool trace_wants(const char *traceparent);
/* A copy. Any thread. */
void trace_add(const struct span *span);

void trace_metrics_register(void); /* once, however often it is called */
