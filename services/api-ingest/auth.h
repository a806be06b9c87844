/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: bearer tokens, looked up by their hash and trusted for LIMIT_TOKEN_CACHE_MS. */
#pragma once

#include "auth/token.h"
#include "http/request.h"

struct auth;

struct auth *auth_new(void);
void auth_free(struct auth **auth);

/* "Bearer vd_…" with a right checksum; *token_r is borrowed from the header. "unauthorized" otherwise. */
int auth_read_bearer(const char *header, const char **token_r, struct error *error) WARN_UNUSED;

/* The principal of the request's token. "unauthorized" when it is unknown, revoked or expired;
 * "too_many" when it asks more often than it may. */
int auth_check(struct auth *auth, struct request *request, struct principal *principal_r,
               struct error *error) WARN_UNUSED;
/* A token was made or revoked here: do not trust what is remembered. */
void auth_forget(struct auth *auth);

/* Scopes by name as a mask, with what they imply (admin: all; write: read). "invalid" names the unknown. */
int auth_scopes_parse(const json_t *names, unsigned *scopes_r, struct error *error) WARN_UNUSED;
