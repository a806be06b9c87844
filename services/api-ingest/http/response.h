/* SPDX-License-Identifier: Apache-2.0 */
/* What will be answered: status, headers and one body (bytes, a file or a stream). Filled by handlers,
 * sent by the server. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct response;
struct stream;

/* Each sets status and body, and replaces what was there. */
void response_json(struct response *response, int status, json_t *body); /* takes the reference */
void response_bytes(struct response *response, int status, const char *content_type, char *bytes,
                    size_t length); /* takes the bytes */
void response_text(struct response *response, int status, const char *content_type,
                   const char *text);
void response_file(struct response *response, const char *content_type, int fd); /* takes the fd */
/* `length` bytes of it from `first` on, of `size`: 206. Takes the fd. */
void response_file_part(struct response *response, const char *content_type, int fd, int64_t first,
                        int64_t length, int64_t size);
void response_stream(struct response *response, const char *content_type,
                     struct stream *stream); /* takes a reference of its own */
void response_empty(struct response *response, int status);
/* An RFC 9457 document from the error's code; headers stay. */
void response_problem(struct response *response, const struct error *error);

int response_status(const struct response *response);
/* `name` is a literal. A value of the same name is replaced. */
void response_header(struct response *response, const char *name, const char *value);
void response_headerf(struct response *response, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Strong validator, without quotes. The server answers 304 when If-None-Match names it. */
void response_etag(struct response *response, const char *etag);
/* Of a 200 or 201 whose body is bytes, and has none yet: by a hash of them. */
void response_etag_by_body(struct response *response);
