/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch_token.h"

#include <string.h>
#include <strings.h>

#include "api/checks.h"
#include "auth/link.h"
#include "base/clock.h"

int dispatch_of_token(struct request *request, struct store *store,
                      struct open_dispatch *dispatch_r, struct error *error)
{
    const char *header = request_header(request, "Authorization");
    struct uuid id, named;
    struct error ignored;
    int64_t expires_s;
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return error_set(error, "unauthorized", "the token of the dispatch is needed");
    if (uuid_parse(request_param(request, "dispatch"), &id, NULL) < 0)
        return no_such("dispatch", request_param(request, "dispatch"), error);
    if (artifact_db_dispatch(store, &id, dispatch_r, error) < 0)
        return -1;
    if (uuid_is_null(&dispatch_r->id) ||
        link_check(dispatch_r->worker_key, header + 7, wall_ms() / 1000, &named, &expires_s,
                   &ignored) < 0 ||
        strcmp(named.text, id.text) != 0)
        return error_set(error, "unauthorized",
                         "the token is not of this dispatch, or the dispatch has ended");
    return 0;
}
