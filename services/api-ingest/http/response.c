/* SPDX-License-Identifier: Apache-2.0 */
/* Filling answers. */
#include "http/response.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/etag.h"
#include "http/problem.h"
#include "http/response_parts.h"
#include "http/stream.h"

#define ETAG_BYTES 9 /* 72 bits, 18 digits */

void response_init(struct response *response)
{
    *response = (struct response){.fd = -1};
}

static void drop_body(struct response *response)
{
    text_free(&response->bytes);
    response->length = 0;
    fd_close(&response->fd);
    if (response->stream != NULL)
        stream_abandon(response->stream); /* of a client that left before the answer began */
    stream_unref(&response->stream);
    response->kind = BODY_NONE;
    response->content_type = NULL;
}

void response_deinit(struct response *response)
{
    drop_body(response);
    text_free(&response->etag);
    for (int i = 0; i < response->header_count; i++)
        free(response->headers[i].value);
    response_init(response);
}

void response_bytes(struct response *response, int status, const char *content_type, char *bytes,
                    size_t length)
{
    drop_body(response);
    response->status = status;
    response->kind = BODY_BYTES;
    response->bytes = bytes;
    response->length = length;
    response->content_type = content_type;
}

void response_text(struct response *response, int status, const char *content_type,
                   const char *text)
{
    response_bytes(response, status, content_type, xstrdup(text), strlen(text));
}

void response_json(struct response *response, int status, json_t *body)
{
    char *text = json_text(body);
    json_decref(body);
    response_bytes(response, status, "application/json", text, strlen(text));
}

void response_file(struct response *response, const char *content_type, int fd)
{
    drop_body(response);
    response->status = 200;
    response->kind = BODY_FILE;
    response->fd = fd;
    response->content_type = content_type;
}

void response_file_part(struct response *response, const char *content_type, int fd, int64_t first,
                        int64_t length, int64_t size)
{
    response_file(response, content_type, fd);
    response->status = 206;
    response->first = first;
    response->part_length = length;
    response_headerf(response, "Content-Range", "bytes %lld-%lld/%lld", (long long)first,
                     (long long)(first + length - 1), (long long)size);
}

void response_stream(struct response *response, const char *content_type, struct stream *stream)
{
    drop_body(response);
    response->status = 200;
    response->kind = BODY_STREAM;
    response->stream = stream_ref(stream);
    response->content_type = content_type;
}

void response_empty(struct response *response, int status)
{
    drop_body(response);
    response->status = status;
}

static bool has_header(const struct response *response, const char *name)
{
    for (int i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, name) == 0)
            return true;
    return false;
}

void response_problem(struct response *response, const struct error *error)
{
    const struct problem_kind *kind = problem_kind_get(error);
    text_free(&response->etag);
    response_json(response, kind->status, problem_json(kind, error));
    response->content_type = "application/problem+json";
    if (kind->retry_after_s > 0 && !has_header(response, "Retry-After"))
        response_headerf(response, "Retry-After", "%d", kind->retry_after_s);
    if (kind->status == 401)
        response_header(response, "WWW-Authenticate", "Bearer realm=\"verdict\"");
}

int response_status(const struct response *response)
{
    return response->status;
}

void response_header(struct response *response, const char *name, const char *value)
{
    int slot = 0;
    while (slot < response->header_count && strcmp(response->headers[slot].name, name) != 0)
        slot++;
    assert(slot < RESPONSE_HEADERS_MAX);
    if (slot == response->header_count)
        response->header_count++;
    else
        free(response->headers[slot].value);
    response->headers[slot].name = name;
    response->headers[slot].value = xstrdup(value);
}

void response_headerf(struct response *response, const char *name, const char *format, ...)
{
    char value[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    response_header(response, name, value);
}

void response_etag(struct response *response, const char *etag)
{
    text_free(&response->etag);
    response->etag = xasprintf("\"%s\"", etag);
}

void response_etag_by_body(struct response *response)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    char text[2 * ETAG_BYTES + 1];
    if ((response->status != 200 && response->status != 201) || response->kind != BODY_BYTES ||
        response->etag != NULL)
        return;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)response->bytes, response->length,
                       NULL, 0);
    response_etag(response, sodium_bin2hex(text, sizeof text, hash, ETAG_BYTES));
}

void response_revalidate(struct response *response, const char *if_none_match)
{
    if (response->etag == NULL || response->status != 200 || if_none_match == NULL)
        return;
    if (etag_is_named(if_none_match, response->etag, ETAG_WEAK))
        response_empty(response, 304);
}
