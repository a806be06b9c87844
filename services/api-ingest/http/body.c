/* SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"

#include "http/exchange.h"
#include "http/server.h"
#include "http/upload.h"

#define BODIES_BYTES     ((size_t)256 * 1024 * 1024)
#define SMALL_BODY_BYTES ((size_t)64 * 1024) /* is taken also when large ones fill that sum … */
#define SMALL_BYTES      ((size_t)64 * 1024 * 1024) /* … for as many as have room in this one */
#define DROPPED_MAX      ((size_t)16 * 1024 * 1024) /* of a refused body, to answer in peace */

bool body_is_file(const struct request *request)
{
    return request->match.route != NULL && request->match.route->admit != NULL;
}

bool body_is_large(const struct request *request)
{
    return request->body_announced > (int64_t)SMALL_BODY_BYTES;
}

void body_forget(struct request *request)
{
    buffer_deinit(&request->body);
    atomic_fetch_sub(http_server_bodies(request->server), request->body_held);
    request->body_held = 0;
}

/* What comes of a refused request is dropped, but not without end. */
static enum body_step drop(struct request *request, size_t length)
{
    size_t most = (body_is_file(request) ? 0 : exchange_body_max(request)) + DROPPED_MAX;
    request->body_counted += length;
    return request->body_counted <= most ? BODY_TAKEN : BODY_ENDLESS;
}

static enum body_step take_into_file(struct request *request, const char *bytes, size_t length)
{
    struct error error;
    if (upload_add(request->upload, bytes, length, &error) < 0) {
        upload_free(&request->upload);
        exchange_refuse(request, &error);
        return BODY_TAKEN;
    }
    return upload_has_progressed(request->upload) ? BODY_PROGRESSED : BODY_TAKEN;
}

static enum body_step take_into_memory(struct request *request, const char *bytes, size_t length)
{
    struct error error;
    request->body_counted += length;
    request->body_held += length;
    size_t sum = atomic_fetch_add(http_server_bodies(request->server), length) + length;
    buffer_add(&request->body, bytes, length);
    if (request->body.overflowed)
        error_set(&error, "too_large", "the body is longer than %zu bytes",
                  exchange_body_max(request));
    else if (sum > BODIES_BYTES + (request->body_held > SMALL_BODY_BYTES ? 0 : SMALL_BYTES))
        error_set(&error, "unavailable", "too many large requests at once");
    else
        return BODY_TAKEN;
    body_forget(request);
    exchange_refuse(request, &error);
    return BODY_TAKEN;
}

enum body_step body_take(struct request *request, const char *bytes, size_t length)
{
    if (request->is_refused)
        return drop(request, length);
    return body_is_file(request) ? take_into_file(request, bytes, length)
                                 : take_into_memory(request, bytes, length);
}
