/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.yaml: a project, and its environments, suites, templates and webhooks, as the API takes them. */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* Checked member by member: a misspelt one is an error. Paths of sources are absolute afterwards, and
 * time-outs of policies in ms. *manifest_r: {"project", "title", "environments": {slug: …}, "suites",
 * "templates", "webhooks": […]}. New reference. */
int manifest_load(const char *path, json_t **manifest_r, struct error *error) WARN_UNUSED;

/* The same of what was parsed already; `folder` is what relative paths count from. Changes it. */
int manifest_check(json_t *manifest, const char *folder, struct error *error) WARN_UNUSED;
