/* SPDX-License-Identifier: Apache-2.0 */
#include "db/name.h"

#include <stddef.h>
#include <string.h>

#define FOREIGN_KEY "23503"

struct name name_read(const char *text)
{
    struct name name = {.slug = text};
    if (text != NULL && uuid_parse(text, &name.id, NULL) == 0)
        name.slug = NULL;
    return name;
}

int name_in_use(const char *what, const char *user, struct error *error)
{
    if (strcmp(error->sqlstate, FOREIGN_KEY) != 0)
        return -1;
    return error_set(error, "conflict", "a %s names this %s: change or remove that first", user,
                     what);
}
