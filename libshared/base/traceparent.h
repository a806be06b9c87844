/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context, version 00: "00-<trace id>-<parent id>-<flags>". */
#pragma once

#include <stdbool.h>

#include "base/uuid.h"

#define TRACEPARENT_LENGTH 55
#define TRACEPARENT_SIZE   (TRACEPARENT_LENGTH + 1)
#define TRACE_ID_SIZE      33 /* 32 hex digits */
#define SPAN_ID_SIZE       17 /* 16 hex digits */

/* Of version 00, with ids that are not zero, in lower-case hex. */
bool traceparent_is_valid(const char *text);

/* A new trace, marked as sampled: whoever records spans of it may. */
void traceparent_begin(char text_r[TRACEPARENT_SIZE]);

/* Of a valid one: whether who began it records its spans. */
bool traceparent_is_sampled(const char *text);
void traceparent_trace_id(const char *text, char id_r[TRACE_ID_SIZE]);
void traceparent_span_id(const char *text, char id_r[SPAN_ID_SIZE]);
/* The same trace, below that span. text_r may be text. */
void traceparent_below(const char *text, const char *span_id, char text_r[TRACEPARENT_SIZE]);

/* The span that `word` names of what has this id: the same for every process, so no message carries it. */
void span_id_of(const struct uuid *id, const char *word, char id_r[SPAN_ID_SIZE]);
void span_id_random(char id_r[SPAN_ID_SIZE]);
