/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler hands a task to a worker that announced a free slot. Lower or equal (epoch, seq), or
 * another incarnation, is dropped. A dispatch that is known already is acknowledged by the next heartbeat. */
#pragma once

#include "message/message.h"

struct dispatched_case {
    char *key;
    char *selector;
};
extern const struct fields dispatched_case_fields;

struct task_dispatch {
    struct uuid worker_id;
    int64_t epoch;
    int64_t seq;
    int64_t incarnation;
    struct uuid project_id;
    struct uuid run_id;
    int64_t run_number;
    struct uuid task_id;
    int64_t attempt;
    struct uuid dispatch_id;
    int64_t results_partition; /* where its stream goes */
    char *suite_slug;          /* part of every case key */
    json_t *suite;             /* a suite_spec without its cases */
    struct records cases;      /* of struct dispatched_case; exactly these; none: the whole suite */
    char *variant;
    int64_t timeout_ms; /* for this attempt */
    int64_t grace_ms;
    char *build_version;
    char *branch;
    char *commit_sha;
    json_t *environment; /* {slug, url} of the environment under test */
    json_t *parameters;
    int64_t task_index; /* 0 … */
    int64_t task_total;
    char *run_url;
    char *traceparent;       /* of the run; NULL: none */
    int64_t triggered_at_us; /* for measuring hops */
    int64_t
        lease_ms; /* of an exclusive task: silence after which it goes elsewhere; 0: not exclusive */
};

extern const struct message_type task_dispatch_message;
