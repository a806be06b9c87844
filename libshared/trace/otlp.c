/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/otlp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define STATUS_ERROR 2
#define DECIMAL_SIZE 24
#define NS_OF_ONE_US 1000

static json_t *decimal(int64_t number)
{
    char text[DECIMAL_SIZE];
    snprintf(text, sizeof text, "%" PRId64, number);
    return json_string(text);
}

static json_t *text_attribute(const char *name, const char *text)
{
    return json_pack("{s:s, s:{s:o}}", "key", name, "value", "stringValue",
                     json_lossy(text, strlen(text)));
}

static json_t *attributes_json(const struct span *span)
{
    json_t *list = json_array();
    for (size_t i = 0; i < span->attribute_count; i++) {
        const struct span_attribute *attribute = &span->attributes[i];
        json_array_append_new(list, attribute->is_number
                                        ? json_pack("{s:s, s:{s:o}}", "key", attribute->name,
                                                    "value", "intValue", decimal(attribute->number))
                                        : text_attribute(attribute->name, attribute->text));
    }
    return list;
}

static json_t *span_json(const struct span *span, int64_t offset_us)
{
    int64_t end_us = span->end_us < span->start_us ? span->start_us : span->end_us;
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "traceId", span->trace_id, "spanId", span->id,
        "name", span->name, "kind", (int)span->kind, "startTimeUnixNano",
        decimal((span->start_us + offset_us) * NS_OF_ONE_US), "endTimeUnixNano",
        decimal((end_us + offset_us) * NS_OF_ONE_US), "attributes", attributes_json(span));
    if (span->parent_id[0] != '\0')
        json_object_set_new(json, "parentSpanId", json_string(span->parent_id));
    if (span->failed)
        json_object_set_new(json, "status",
                            json_pack("{s:i, s:o}", "code", STATUS_ERROR, "message",
                                      json_lossy(span->message, strlen(span->message))));
    return json;
}

char *otlp_text(const struct otlp_resource *resource, const struct span *spans, size_t count,
                int64_t offset_us)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, span_json(&spans[i], offset_us));
    AUTO(json_free)
    json_t *request =
        json_pack("{s:[{s:{s:[o, o, o]}, s:[{s:{s:s, s:s}, s:o}]}]}", "resourceSpans", "resource",
                  "attributes", text_attribute("service.name", resource->service),
                  text_attribute("service.instance.id", resource->instance),
                  text_attribute("service.version", resource->version), "scopeSpans", "scope",
                  "name", "verdict", "version", resource->version, "spans", list);
    return json_text(request);
}

/* A decimal string, or a number: both are the protocol. */
int64_t otlp_rejected(const char *answer, size_t length)
{
    AUTO(json_free) json_t *json = json_loadb(answer, length, 0, NULL);
    const json_t *rejected =
        json_object_get(json_object_get(json, "partialSuccess"), "rejectedSpans");
    int64_t count = json_integer_value(rejected);
    if (json_is_string(rejected) &&
        int_parse(json_string_value(rejected), 0, INT64_MAX, &count, NULL) < 0)
        return 0;
    return count < 0 ? 0 : count;
}
