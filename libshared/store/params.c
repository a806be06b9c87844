/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a statement. */
#include <stdio.h>

#include "store/store.h"

struct param param_text(const char *text)
{
    return (struct param){.text = text};
}

struct param param_int(int64_t number)
{
    struct param param = {0};
    snprintf(param.number, sizeof param.number, "%lld", (long long)number);
    return param;
}

struct param param_bool(bool value)
{
    return (struct param){.text = value ? "t" : "f"};
}

struct param param_uuid(const struct uuid *uuid)
{
    return (struct param){.text = uuid_is_null(uuid) ? NULL : uuid->text};
}

struct param param_bytes(const void *bytes, size_t length)
{
    return (struct param){.text = bytes, .length = length, .is_bytes = true};
}

struct param param_null(void)
{
    return (struct param){0};
}
