/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are the tests' reports: what matches the suite's report.path when they have ended, and did not lie
 * there, just as it is, before they began. */
#pragma once

#include "base/error.h"

struct report_files;

/* Before the tests begin: remembers what is there. The pattern is relative to the directory, or absolute; * and ?
 * stop at a slash, ** does not, and does not go through links to directories. */
struct report_files *report_files_new(const char *directory, const char *pattern);
void report_files_free(struct report_files **files);

/* After they have ended, in the order of the names; NULL behind the last one. The path is valid until the files are
 * freed. -1, once, in its place: there may be reports that were not found, and why. */
int report_files_next(struct report_files *files, const char **path_r,
                      struct error *error) WARN_UNUSED;
