/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope of messages. */
#include "message/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "message/messages.h"
#include "model/limits.h"

const struct message_type *const message_types[] = {
    &run_submitted_message,   &run_request_message,
    &task_recorded_message,   &worker_heartbeat_message,
    &task_started_message,    &scheduler_probe_message,
    &resync_message,          &task_dispatch_message,
    &task_cancel_message,     &worker_sync_message,
    &scheduler_hello_message, &task_stream_message,
    &event_message,           &delivery_request_message,
};
const size_t message_types_count = ARRAY_SIZE(message_types);

int message_encode(const struct message_type *type, const void *in, char **text_r,
                   struct error *error)
{
    AUTO(json_free) json_t *fields = fields_encode(type->fields, in);
    AUTO(json_free)
    json_t *envelope = json_pack("{s:i, s:s}", "version", type->version, "type", type->name);
    json_object_update(envelope, fields);
    char *text = json_text(envelope);
    if (strlen(text) > LIMIT_MESSAGE_BYTES) {
        error_set(error, "too_large", "message %s has %zu bytes, more than %d", type->name,
                  strlen(text), (int)LIMIT_MESSAGE_BYTES);
        free(text);
        return -1;
    }
    *text_r = text;
    return 0;
}

int message_parse(const char *bytes, size_t length, json_t **json_r, const char **type_r,
                  struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    if (bytes == NULL)
        return error_set(error, "invalid", "message is empty");
    if (json_parse(bytes, length, &json, error) < 0)
        return -1;
    if (!json_is_object(json))
        return error_set(error, "invalid", "message is no JSON object");
    if (json_find_int(json, "version", 0) < 1)
        return error_field(error, "version", "version must be a whole number from 1");
    const char *type = json_find_text(json, "type");
    if (type == NULL)
        return error_field(error, "type", "type is missing");
    *type_r = type;
    *json_r = TAKE(json);
    return 0;
}

int message_decode(const struct message_type *type, const json_t *json, void *out,
                   struct error *error)
{
    const char *name = json_find_text(json, "type");
    if (name == NULL || strcmp(name, type->name) != 0)
        return error_field(error, "type", "type is %.60s where %s belongs",
                           name == NULL ? "missing" : name, type->name);
    return fields_decode(type->fields, json, out, error);
}

void message_free(const struct message_type *type, void *message)
{
    fields_free(type->fields, message);
}
