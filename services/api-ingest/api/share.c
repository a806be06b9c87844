/* SPDX-License-Identifier: Apache-2.0 */
#include "api/share.h"

#include <sodium.h>
#include <string.h>

#include "auth/link.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "ingest.h"
#include "model/limits.h"
#include "runs/run_links.h"

int share_read_expiry(struct request *request, int64_t *expires_ms_r, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    struct error inner;
    size_t length;
    int64_t good_ms = RUN_LINK_DEFAULT_MS;
    (void)request_body(request, &length);
    if (length > 0 && request_json(request, &json, error) < 0)
        return -1;
    if (json != NULL && !json_is_object(json))
        return error_set(error, "invalid", "the body must be a JSON object");
    const json_t *text = json_object_get(json, "expires_in");
    if (text != NULL &&
        (!json_is_string(text) || duration_parse(json_string_value(text), 1000,
                                                 LIMIT_SHARE_LINK_MAX_MS, &good_ms, &inner) < 0))
        return error_field(error, "expires_in",
                           "expires_in must be a duration such as 7d, of at most %lld days",
                           (long long)(LIMIT_SHARE_LINK_MAX_MS / (24LL * 3600 * 1000)));
    *expires_ms_r = (wall_ms() + good_ms) / 1000 * 1000;
    return 0;
}

int share_read_link(struct request *request, const char *purpose, json_t **named_r,
                    struct error *error)
{
    AUTO(text_free) char *text = NULL;
    if (link_text_check(request_ingest(request)->key, request_param(request, "link"), &text,
                        error) < 0)
        return -1;
    AUTO(json_free) json_t *named = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *made_for = json_string_value(json_array_get(named, 0));
    if (made_for == NULL || strcmp(made_for, purpose) != 0)
        return error_set(error, "not_found", "this is no link of ours");
    *named_r = TAKE(named);
    return 0;
}

void share_new_nonce(char nonce_r[SHARE_NONCE_SIZE])
{
    unsigned char random[SHARE_NONCE_SIZE / 2];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(nonce_r, SHARE_NONCE_SIZE, random, sizeof random);
}

void share_page_policy(struct response *response, const char *nonce)
{
    response_headerf(response, "Content-Security-Policy",
                     "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; "
                     "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; "
                     "frame-ancestors 'none'",
                     nonce, nonce);
    response_header(response, "Referrer-Policy", "no-referrer");
}
