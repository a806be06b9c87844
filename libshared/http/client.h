/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests, one at a time, on libcurl. For commands and for enrolment; services that send many at
 * once use curl's multi interface themselves. */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct http_client; /* keeps its connection between requests; one thread */

struct http_client *http_client_new(void);
void http_client_free(struct http_client **client);

struct http_signer {
    const char *region, *key_id, *secret;
};

struct http_request {
    const char *method; /* "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended; NULL for none */
    const char *body;           /* NULL for none */
    size_t body_length;
    /* When set, the body is that of this file, from its start on: body_length bytes. */
    const int *body_fd;
    /* When set, the request is signed for S3; x-amz-content-sha256 is among the headers. */
    const struct http_signer *signer;
    int64_t timeout_ms;
    size_t answer_max; /* bytes of body; more is an error */
    /* When set, the body is handed over piece by piece instead of being kept; non-zero ends the request.
     * What comes with a status of 400 or more is kept all the same: it says what is wrong. */
    int (*on_data)(void *context, const char *data, size_t length);
    /* When set, called about once a second and more often while something comes; non-zero ends the request. It
     * may use other clients. */
    int (*on_tick)(void *context);
    void *context;
    const volatile sig_atomic_t *stop; /* when set and not 0: ends the request within a second */
};

struct http_answer {
    long status;
    char *body; /* owned, NUL-terminated; NULL when on_data took it */
    size_t length;
    char *content_type; /* owned; "" when none */
    long retry_after_s; /* -1 when none */
    int64_t date_s;     /* the server's clock when it answered, unix time; -1 when none */
};

/* -1 with code "unreachable" when there was no answer, "stopped" when on_data, on_tick or stop ended it. */
int http_send(struct http_client *client, const struct http_request *request,
              struct http_answer *answer_r, struct error *error) WARN_UNUSED;
void http_answer_deinit(struct http_answer *answer);
