/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the body of a request as it comes, into memory or into a file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct request;

enum body_step {
    BODY_TAKEN,      /* or refused: then the response says why */
    BODY_PROGRESSED, /* a file has grown enough to be given its time anew */
    BODY_ENDLESS,    /* too much comes behind a refusal: the connection is to be closed */
};

/* Whether its route takes the body as a file. */
bool body_is_file(const struct request *request);
/* Whether the body may come to more than what is taken of anybody: then who sends it is looked up first. */
bool body_is_large(const struct request *request);
enum body_step body_take(struct request *request, const char *bytes, size_t length);
/* Frees what is in memory of it, and its part of what all bodies may hold. */
void body_forget(struct request *request);
