/* SPDX-License-Identifier: Apache-2.0 */
/* The version, compiled again whenever it changes. */
#include "base/version.h"

const char verdict_version[] = VERDICT_VERSION;
const char verdict_commit[] = VERDICT_COMMIT;
