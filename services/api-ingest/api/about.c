/* SPDX-License-Identifier: Apache-2.0 */
#include "api/about.h"

#include "base/version.h"
#include "http/request.h"
#include "http/response.h"

int about_version(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)error;
    response_json(response, 200,
                  json_pack("{s:s, s:s, s:s}", "name", "verdict", "version", verdict_version,
                            "commit", verdict_commit));
    return 0;
}

int about_me(struct request *request, struct response *response, struct error *error)
{
    const struct principal *principal = request_principal(request);
    json_t *scopes = json_array();
    (void)error;
    for (int scope = 0; scope < SCOPE_COUNT; scope++)
        if (principal_may(principal, (enum token_scope)scope))
            json_array_append_new(scopes, json_string(names_get(&token_scope_names, scope)));
    response_json(response, 200,
                  json_pack("{s:s, s:s, s:s, s:o, s:s?}", "id", principal->id.text, "kind", "token",
                            "name", principal->name, "scopes", scopes, "project_id",
                            principal_is_bound(principal) ? principal->project_id.text : NULL));
    return 0;
}
