/* SPDX-License-Identifier: Apache-2.0 */
/* ETag, If-Match and If-None-Match of single things. The validator is a hash of what a GET of the same path answers. */
#pragma once

#include "http/request.h"
#include "http/response.h"

/* Gives the answer its ETag, where the operation has one. */
void precondition_tag(const struct request *request, struct response *response);
/* Inside the transaction that will change the thing: "precondition_failed" when it is not what If-Match
 * names, or is there although If-None-Match: * says that it must be new. Requests that change one thing, with a
 * condition or not, by its slug or its id, go one after the other until the end of their transactions. */
int precondition_check(struct request *request, struct store *store,
                       struct error *error) WARN_UNUSED;
/* Behind what makes the thing or finds it there: "precondition_failed" when it had to be new and was not, since
 * somebody made it (who takes no lock for that) between the check and the write. */
int precondition_check_new(const struct request *request, bool is_new,
                           struct error *error) WARN_UNUSED;
