/* SPDX-License-Identifier: Apache-2.0 */
/* The process that fetches a bundle and unpacks it: `BUNDLE_FETCH url sha256 directory`. It ends with the tree of its
 * task, as tests do, so what it is given to unpack harms nobody else. */
#pragma once

#define BUNDLE_FETCH       "fetch-bundle"
#define BUNDLE_FETCH_TOKEN "VERDICT_BUNDLE_TOKEN" /* in its environment */

/* The exit status; stderr says why it is not 0. */
int bundle_fetch_main(int argc, char **argv);
