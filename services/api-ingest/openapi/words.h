/* SPDX-License-Identifier: Apache-2.0 */
/* What is written by hand of the document (common.json, config.json, runs.json, as they are in this folder): answers,
 * parameters, and what field tables do not say of bodies. In schemas of answers all members are required but
 * those in x-optional. Texts with their NUL. */
#pragma once

extern const char openapi_common[], openapi_config[], openapi_runs[];
