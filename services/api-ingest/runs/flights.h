/* SPDX-License-Identifier: Apache-2.0 */
/* One read of a run at a time: whoever asks for it meanwhile gets the same answer. */
#pragma once

#include "http/request.h"
#include "runs/run_json.h"

struct flights;

struct flights *flights_new(void);
void flights_free(struct flights **flights);

/* True: the caller reads, and calls flights_land whatever comes. False: somebody reads already; the request
 * is parked and will be answered by that. */
bool flights_lead(struct flights *flights, const struct uuid *run_id, struct request *request);
/* Answers the others with the text (NULL: there is no such run), or with the error (NULL: none). */
void flights_land(struct flights *flights, const struct uuid *run_id, const struct run_text *text,
                  const struct error *error);

/* The text to whom may see it, "not_found" to others. */
int run_text_answer_to(const struct run_text *text, struct request *request, int status,
                       struct response *response, struct error *error) WARN_UNUSED;
