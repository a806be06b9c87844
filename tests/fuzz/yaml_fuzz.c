/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/yaml */
/* verdict.yaml as JSON, and as a manifest: what is taken can be written as JSON, and is no deeper than it may be. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "manifest.h"
#include "yaml_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(json_free) json_t *json = NULL, *again = NULL;
    struct error error;
    char path[64];
    int fd = memfd_create("yaml", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (yaml_load(path, &json, &error) == 0) {
        AUTO(text_free) char *text = json_text(json);
        assert(json_parse(text, strlen(text), &again, &error) == 0);
        assert(json_equal(json, again));
        if (manifest_check(json, "/srv", &error) == 0)
            assert(json_is_object(json));
    }
    close(fd);
    return 0;
}
