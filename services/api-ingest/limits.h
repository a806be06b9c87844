/* SPDX-License-Identifier: Apache-2.0 */
/* The limits on how often one token and one address may ask, and the headers that say so. */
#pragma once

#include "auth/token.h"
#include "http/request.h"

struct limits;

/* Requests per second in the long run; 0: no limit. */
struct limits *limits_new(int64_t per_token, int64_t per_address);
void limits_free(struct limits **limits);
/* Each sets RateLimit-* in the request's response, and on "too_many" Retry-After as well. */
int limits_check_address(struct limits *limits, struct request *request,
                         struct error *error) WARN_UNUSED;
int limits_check_token(struct limits *limits, struct request *request,
                       const uint8_t hash[TOKEN_HASH_BYTES], struct error *error) WARN_UNUSED;
