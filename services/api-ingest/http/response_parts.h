/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a response: for the server alone. */
#pragma once

#include <stddef.h>

#include "http/response.h"

#define RESPONSE_HEADERS_MAX 16

enum body_kind { BODY_NONE, BODY_BYTES, BODY_FILE, BODY_STREAM };

struct response {
    int status; /* 0: nothing was answered yet */
    enum body_kind kind;
    char *bytes;
    size_t length;
    int fd;
    int64_t first, part_length; /* of the file, where the status is 206 */
    struct stream *stream;
    const char *content_type;
    char *etag;
    int header_count;
    struct {
        const char *name;
        char *value;
    } headers[RESPONSE_HEADERS_MAX];
};

void response_init(struct response *response);
void response_deinit(struct response *response);
/* Turns a 200 into a 304 when if_none_match (NULL: none) names its etag. */
void response_revalidate(struct response *response, const char *if_none_match);
