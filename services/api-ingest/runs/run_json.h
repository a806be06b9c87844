/* SPDX-License-Identifier: Apache-2.0 */
/* A run as it is answered: one text for whoever asks at the same time. */
#pragma once

#include "db/run.h"
#include "http/response.h"

struct ingest;

/* Immutable, reference-counted. */
struct run_text {
    struct uuid id, project_id;
    int64_t version, revision;
    bool is_final;
    char *body;
    size_t length;
    char etag[20]; /* of the body */
};

/* Takes what the view owns. */
struct run_text *run_text_new(const struct ingest *ingest, struct run_view *view);
/* From its parts, as out of the cache. */
struct run_text *run_text_from(const struct uuid *id, const struct uuid *project_id,
                               int64_t version, int64_t revision, bool is_final, const char *body,
                               size_t length);
struct run_text *run_text_ref(struct run_text *text);
void run_text_unref(struct run_text **text);

void run_text_answer(const struct run_text *text, int status, struct response *response);
