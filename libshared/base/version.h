/* SPDX-License-Identifier: Apache-2.0 */
/* What this binary is: stamped in by the build. */
#pragma once

extern const char verdict_version[]; /* "0.1.0" */
extern const char verdict_commit[];  /* abbreviated hash, or "unknown" */
