/* SPDX-License-Identifier: Apache-2.0 */
#include "live/sse.h"

void sse_event(struct buffer *out, int64_t id, const char *type, const char *data)
{
    if (id >= 0)
        buffer_addf(out, "id: %lld\n", (long long)id);
    buffer_addf(out, "event: %s\ndata: ", type);
    buffer_add_text(out, data);
    buffer_add_text(out, "\n\n");
}
