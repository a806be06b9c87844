/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch.h"

#include <string.h>

#include "auth.h"
#include "http/exchange.h"
#include "ingest.h"
#include "precondition.h"
#include "tenancy.h"

static int check_scope(const struct route *route, const struct principal *principal,
                       struct error *error)
{
    if (route->scope >= 0 && !principal_may(principal, (enum token_scope)route->scope))
        return error_set(error, "forbidden", "the token lacks the scope %s",
                         names_get(&token_scope_names, route->scope));
    if (route->installation && principal_is_bound(principal))
        return error_set(error, "forbidden",
                         "the token is bound to a project, this is for the whole installation");
    return 0;
}

static const char *project_of_path(const struct request *request)
{
    for (int i = 0; i < request->match.count; i++)
        if (strncmp(request->match.params[i].name, "project}", 8) == 0)
            return request->params[i];
    return NULL;
}

static int check(struct request *request, struct error *error)
{
    const struct route *route = request->match.route;
    if (route->scope != ROUTE_OPEN) {
        if (auth_check(request_ingest(request)->auth, request, &request->principal, error) < 0)
            return -1;
        request->has_principal = true;
        if (check_scope(route, &request->principal, error) < 0)
            return -1;
    }
    const char *project = project_of_path(request);
    if (project != NULL && !route->may_make_project &&
        tenancy_project(request, project, &request->project, error) < 0)
        return -1;
    return 0;
}

/* A body that is large, or a file, is asked for first, and told once more when it is there. NULL: nothing is
 * asked but who it is. */
static route_handler *handler_of(const struct request *request)
{
    const struct route *route = request->match.route;
    return request->asks_first && !request->is_admitted ? route->admit : route->handler;
}

int dispatch(struct request *request, struct response *response, struct error *error)
{
    if (!request->is_admitted && check(request, error) < 0)
        return -1;
    request->before_change = precondition_check;
    route_handler *handler = handler_of(request);
    if (handler == NULL)
        return 0;
    if (handler(request, response, error) < 0)
        return -1;
    if (!request->parked) /* then it may be somebody else's by now */
        precondition_tag(request, response);
    return 0;
}
