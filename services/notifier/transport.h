/* SPDX-License-Identifier: Apache-2.0 */
/* Many HTTP requests at once inside the poll loop, on curl's multi interface, to receivers that are not
 * trusted: an end to every wait, no redirects, no proxy, only public addresses unless all are allowed,
 * bounded answers, and so many at once to one host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "service/loop.h"

struct transport;

struct transport_settings {
    int64_t timeout_ms; /* of a whole request */
    int per_host;       /* at once to one host and port */
    bool allow_private;
};

struct transport *transport_new(struct loop *loop, const struct transport_settings *settings,
                                struct error *error);
/* Ends what is in flight without a word. */
void transport_free(struct transport **transport);

#define TRANSPORT_RESPONSE_BYTES 1024 /* what is kept of an answer's body */

struct transport_answer {
    long status;            /* 0: there was no whole answer, error says why */
    const char *error;      /* NULL when there was one */
    const char *response;   /* the beginning of the body, "" when none; any bytes, NUL-ended */
    size_t response_length; /* at most TRANSPORT_RESPONSE_BYTES */
    int64_t retry_after_s;  /* -1: not said */
    int64_t duration_ms;
};
typedef void transport_on_answer(void *context, const struct transport_answer *answer);

struct transport_post {
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended; copied */
    const char *body;           /* copied */
    size_t body_length;
};

/* Each post that is accepted ends in exactly one on_answer, called from transport_work or a descriptor's
 * event. -1 "busy": the host has its share, nothing was begun. */
int transport_send(struct transport *transport, const struct transport_post *post,
                   transport_on_answer *on_answer, void *context, struct error *error) WARN_UNUSED;

/* Does what is due; returns ms until it wants to be called again (-1: only on events). */
int64_t transport_work(struct transport *transport);
