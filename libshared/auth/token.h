/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: "vd_" + 32 random bytes in base62-like URL-safe base64 + "_" + 6 characters of checksum, so
 * that a typo or a truncated token is told apart from a revoked one, and secret scanners can find them.
 * Only SHA-256 of the whole text is stored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_TEXT_SIZE  72
#define TOKEN_HASH_BYTES 32

void token_make(const char *prefix,
                char text_r[TOKEN_TEXT_SIZE]); /* prefix: "vd" tokens, "vdj" join tokens */
bool token_is_well_formed(const char *text);   /* prefix and checksum are right */
void token_hash(const char *text, uint8_t hash_r[TOKEN_HASH_BYTES]);

/* Scopes, a closed list. */
#define TOKEN_SCOPES(X)                                                                            \
    X(ADMIN, "admin", "everything, in every project")                                              \
    X(RUN_WRITE, "runs:write", "trigger, cancel and share runs")                                   \
    X(RUN_READ, "runs:read", "read runs, results and logs")                                        \
    X(CONFIG_WRITE, "config:write", "suites, templates, environments, webhooks")                   \
    X(CONFIG_READ, "config:read", "read the configuration")                                        \
    X(WORKER_READ, "workers:read", "see the workers of granted pools")

enum token_scope {
#define X(name, text, help) SCOPE_##name,
    TOKEN_SCOPES(X)
#undef X
        SCOPE_COUNT
};
extern const struct names token_scope_names;
extern const char *const token_scope_help[SCOPE_COUNT];
