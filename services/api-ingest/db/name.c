/* SPDX-License-Identifier: Apache-2.0 */
#include "db/name.h"

#include <stddef.h>

struct name name_read(const char *text)
{
    struct name name = {.slug = text};
    if (text != NULL && uuid_parse(text, &name.id, NULL) == 0)
        name.slug = NULL;
    return name;
}
