/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reference.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "http/response.h"
#include "openapi/document.h"

#define ETAG_BYTES 9

/* Made once: it depends on the program alone. */
static struct {
    char *text, etag[2 * ETAG_BYTES + 1];
} document;

static void make_document(void)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    document.text = openapi_text();
    crypto_generichash(hash, sizeof hash, (const unsigned char *)document.text,
                       strlen(document.text), NULL, 0);
    sodium_bin2hex(document.etag, sizeof document.etag, hash, ETAG_BYTES);
}

int reference_openapi(struct request *request, struct response *response, struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)request;
    (void)error;
    pthread_once(&once, make_document);
    response_text(response, 200, "application/json", document.text);
    response_etag(response, document.etag);
    return 0;
}
