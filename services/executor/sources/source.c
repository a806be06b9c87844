/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sources. */
#include "sources/source.h"

const struct source *const sources[] = {[SOURCE_PATH] = &path_source,
                                        [SOURCE_GIT] = &git_source,
                                        [SOURCE_UPLOAD] = &upload_source,
                                        [SOURCE_BUNDLE] = &bundle_source};
