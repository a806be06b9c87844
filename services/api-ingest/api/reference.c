/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reference.h"

#include <pthread.h>

#include "http/response.h"
#include "openapi/document.h"

/* Made once: it depends on the program alone. */
static char *document;

static void make_document(void)
{
    document = openapi_text();
}

int reference_openapi(struct request *request, struct response *response, struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)request;
    (void)error;
    pthread_once(&once, make_document);
    response_text(response, 200, "application/json", document);
    return 0;
}
