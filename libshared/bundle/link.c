/* SPDX-License-Identifier: Apache-2.0 */
/* Which links a bundle may hold. Names on the way down may be links themselves: a ".." behind one would not lead
 * where it seems to. */
#include <string.h>

#include "bundle/bundle.h"
#include "model/suite.h"

static int depth_of(const char *path)
{
    int depth = 0;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        depth++;
    return depth;
}

static bool is_step_up(const char *target)
{
    return strncmp(target, "..", 2) == 0 && (target[2] == '/' || target[2] == '\0');
}

bool bundle_link_stays_inside(const char *path, const char *target)
{
    if (target[0] == '\0')
        return false;
    for (int depth = depth_of(path); depth > 0 && is_step_up(target); depth--) {
        target += 2;
        if (*target == '\0')
            return true;
        while (*target == '/')
            target++;
    }
    return path_stays_inside(target);
}
