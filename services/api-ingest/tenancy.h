/* SPDX-License-Identifier: Apache-2.0 */
/* What a principal may see. The project is the only boundary: what lies beyond it is "not_found". */
#pragma once

#include "http/request.h"

/* By slug or id. */
int tenancy_project(struct request *request, const char *text, struct project_ref *project_r,
                    struct error *error) WARN_UNUSED;
/* The project of a body or query: text, or what the token is bound to when it is NULL. */
int tenancy_project_or_bound(struct request *request, const char *text,
                             struct project_ref *project_r, struct error *error) WARN_UNUSED;
/* A pool by slug or id that is granted to the project (or to all). */
int tenancy_pool(struct request *request, const char *text, const struct uuid *project_id,
                 struct uuid *pool_id_r, struct error *error) WARN_UNUSED;
