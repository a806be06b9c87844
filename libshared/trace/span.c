/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/span.h"

#include <assert.h>

#include "base/clock.h"
#include "base/text.h"

struct span span_new(const char *name, enum span_kind kind, const char *traceparent)
{
    struct span span = {.name = name, .kind = kind, .start_us = monotonic_us()};
    traceparent_trace_id(traceparent, span.trace_id);
    span_id_random(span.id);
    return span;
}

void span_fail(struct span *span, const char *why)
{
    span->failed = true;
    text_format(span->message, sizeof span->message, "%s", why == NULL ? "" : why);
}

static struct span_attribute *add(struct span *span, const char *name)
{
    assert(span->attribute_count < SPAN_ATTRIBUTES_MAX);
    struct span_attribute *attribute = &span->attributes[span->attribute_count++];
    attribute->name = name;
    return attribute;
}

void span_text(struct span *span, const char *name, const char *text)
{
    if (text == NULL)
        return;
    struct span_attribute *attribute = add(span, name);
    text_format(attribute->text, sizeof attribute->text, "%s", text);
}

void span_number(struct span *span, const char *name, int64_t number)
{
    struct span_attribute *attribute = add(span, name);
    attribute->is_number = true;
    attribute->number = number;
}
