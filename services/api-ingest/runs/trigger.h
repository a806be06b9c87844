/* SPDX-License-Identifier: Apache-2.0 */
/* One POST /v1/runs between its check and its answer: the run as it will be stored. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/error.h"
#include "base/traceparent.h"
#include "base/uuid.h"

struct request;
struct suite_draft;

#define TRIGGER_HASH_BYTES 32

enum trigger_outcome {
    TRIGGER_OPEN,
    TRIGGER_CREATED,
    TRIGGER_REPLAYED, /* the key was known: the answer is that of the first */
    TRIGGER_REFUSED,  /* see error */
};

struct trigger {
    struct request *request; /* parked until the outcome is there */

    char *key; /* NULL: none was given */
    uint8_t body_hash[TRIGGER_HASH_BYTES];
    struct uuid run_id, project_id, pool_id, suite_id, suite_version_id, environment_id,
        template_id, parent_id, created_by; /* "" where there is none */
    struct suite_draft *draft; /* of an inline suite that is new; NULL: suite_version_id is there */
    char *suite_slug, *title, *build_version, *branch, *commit, *traceparent;
    const char *relation;                                /* a literal; NULL: none */
    char *requirements, *parameters, *metadata, *policy; /* JSON texts */
    char *rerun;  /* what it repeats, as JSON; NULL: nothing */
    char *bundle; /* the name of the files that it runs on; NULL: they are elsewhere */
    int64_t priority;
    int64_t cases; /* declared; 0: the whole suite */
    bool cancel_superseded;

    int64_t began_us;               /* monotonic */
    char caller_span[SPAN_ID_SIZE]; /* "": none was given */

    enum trigger_outcome outcome;
    struct uuid answered_id; /* of the run that the answer is about */
    int64_t number, answered_cases;
    char *answered_rerun;
    struct error error;
    struct trigger *same; /* the one in the batch whose key this one repeats */
    TAILQ_ENTRY(trigger) link;
};

static inline bool trigger_is_open(const struct trigger *trigger)
{
    return trigger->outcome == TRIGGER_OPEN && trigger->same == NULL;
}

extern const struct fields trigger_body_fields; /* of POST /v1/runs */

/* Reads and checks the body, and finds in Postgres what it names. On a worker. A key that was used before
 * is enough: then its outcome stands already, and nothing that the body names needs to be there still. */
int trigger_read(struct request *request, struct trigger **trigger_r,
                 struct error *error) WARN_UNUSED;
void trigger_free(struct trigger **trigger);

/* The parts of that for other requests that make runs. The request's own headers, and that it says this. */
int trigger_begin(struct request *request, const json_t *said, struct trigger **trigger_r,
                  struct error *error) WARN_UNUSED;
/* Whether its key was used before in its project_id: see outcome. */
int trigger_find_key(struct trigger *trigger, struct error *error) WARN_UNUSED;
/* A version of the suite that may be new. */
struct suite_spec;
int trigger_take_version(struct trigger *trigger, const char *slug, const struct suite_spec *spec,
                         struct error *error) WARN_UNUSED;
/* Answers it, or hands it to whoever stores and answers it. The request owns it from now on. */
int trigger_submit(struct trigger *trigger, struct error *error) WARN_UNUSED;

/* Fills the request's response. */
void trigger_respond(struct trigger *trigger);
/* The same, and completes the request: the trigger may be gone afterwards. */
void trigger_answer(struct trigger *trigger);
