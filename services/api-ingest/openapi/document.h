/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document: routes, what they read and answer (operation.h), field tables, and words.h. */
#pragma once

#include <jansson.h>

/* New reference. The tables are right, or it aborts: a unit test makes it. */
json_t *openapi_document(void);
/* The same as indented text; caller frees. */
char *openapi_text(void);
