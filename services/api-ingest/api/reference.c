/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reference.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/response.h"
#include "openapi/document.h"
#include "openapi/page.h"

#define HASH_SIZE                                                                                  \
    sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)

/* Made once: they depend on the program alone. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char *document, *page;
static char style_hash[HASH_SIZE];

static void make(void)
{
    AUTO(json_free) json_t *json = openapi_document();
    unsigned char hash[crypto_hash_sha256_BYTES];
    document = json_text(json);
    page = openapi_page(json);
    crypto_hash_sha256(hash, (const unsigned char *)openapi_css, strlen(openapi_css));
    sodium_bin2base64(style_hash, sizeof style_hash, hash, sizeof hash,
                      sodium_base64_VARIANT_ORIGINAL);
}

int reference_openapi(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)error;
    pthread_once(&once, make);
    response_text(response, 200, "application/json", document);
    return 0;
}

int reference_page(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)error;
    pthread_once(&once, make);
    response_text(response, 200, "text/html; charset=utf-8", page);
    response_headerf(response, "Content-Security-Policy",
                     "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
                     "form-action 'none'; frame-ancestors 'none'",
                     style_hash);
    response_header(response, "Referrer-Policy", "no-referrer");
    return 0;
}
