/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/offer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/labels.h"

static json_t *machine_labels(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    return json_pack("{s:s, s:s, s:I, s:I}", "os", "linux", "arch",
#if defined(__x86_64__)
                     "x86_64",
#elif defined(__aarch64__)
                     "aarch64",
#else
                     "other",
#endif
                     "cpu", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mb",
                     (json_int_t)((int64_t)pages * page / (1024 * 1024)));
}

/* "gpu=cuda,slots=4,fast": numbers become numbers, a name alone is true. */
static int add_labels(json_t *labels, const char *text, struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(text);
    char *state = NULL;
    for (char *part = strtok_r(copy, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        char *equals = strchr(part, '='), *end = NULL;
        if (equals == NULL) {
            json_object_set_new(labels, part, json_true());
            continue;
        }
        *equals = '\0';
        long long number = strtoll(equals + 1, &end, 10);
        bool is_number = equals[1] != '\0' && *end == '\0';
        json_object_set_new(labels, part,
                            is_number ? json_integer(number) : json_string(equals + 1));
    }
    if (labels_check(labels, error) < 0)
        return error_wrap(error, "VERDICT_LABELS");
    return 0;
}

int offer_labels(const char *text, json_t **labels_r, struct error *error)
{
    AUTO(json_free) json_t *labels = machine_labels();
    if (add_labels(labels, text, error) < 0)
        return -1;
    *labels_r = TAKE(labels);
    return 0;
}
