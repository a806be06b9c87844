/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#include "base/json.h"
#include "base/memory.h"

char *payload_text(const char *type, const char *timestamp, const char *id, int64_t run_version,
                   json_t *data)
{
    AUTO(json_free)
    json_t *payload = json_pack("{s:s, s:s, s:s}", "type", type, "timestamp", timestamp, "id", id);
    if (run_version != 0)
        json_object_set_new(payload, "version", json_integer(run_version));
    json_object_set(payload, "data", data);
    return json_text(payload);
}
