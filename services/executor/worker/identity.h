/* SPDX-License-Identifier: Apache-2.0 */
/* Who this worker is: what enrolment gave it, kept beside the spool, and how often it was started. */
#pragma once

#include <stdint.h>

#include "auth/mac.h"
#include "base/error.h"
#include "base/uuid.h"

struct identity {
    struct uuid worker_id, pool_id;
    uint8_t key[MAC_KEY_BYTES];
    int lane, scheduling_partition;
    char lanes_topic[128], scheduling_topic[128], results_topic[128];
    int64_t incarnation; /* counts the starts; made durable before it is used */
};

struct enrolment {
    const char *api_url, *join_token, *name;
    const char *labels; /* JSON */
    int64_t slots;
    int directory_fd; /* the spool's */
};

/* The code of the errors of both: the server knows us and does not want us, until a person changes that. */
#define ENROLMENT_FORBIDDEN "forbidden"

/* Enrols again, with a new key: for a worker that nobody answers. The incarnation stays. */
int identity_renew(const struct enrolment *enrolment, struct identity *identity,
                   struct error *error) WARN_UNUSED;
/* Takes the saved identity when it was made by the same server, token and name; enrols otherwise. */
int identity_open(const struct enrolment *enrolment, struct identity *identity_r,
                  struct error *error) WARN_UNUSED;
