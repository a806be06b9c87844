/* SPDX-License-Identifier: Apache-2.0 */
/* The document as one HTML page that loads nothing and runs nothing. */
#pragma once

#include <jansson.h>

/* Caller frees. */
char *openapi_page(const json_t *document);
/* The page's whole <style>, for its hash in a Content-Security-Policy. */
extern const char openapi_css[];
