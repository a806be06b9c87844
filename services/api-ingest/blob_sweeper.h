/* SPDX-License-Identifier: Apache-2.0 */
/* Removes bundles that no run names any more, and blobs that neither they nor an artifact do: a thread of its own, once a minute and at the start. */
#pragma once

#include "blob/blob.h"
#include "store/store.h"

struct blob_sweeper;

int blob_sweeper_start(const struct store_settings *store, struct blob_store *blobs,
                       struct blob_sweeper **sweeper_r, struct error *error) WARN_UNUSED;
void blob_sweeper_stop(struct blob_sweeper **sweeper); /* waits for the pass in hand */
