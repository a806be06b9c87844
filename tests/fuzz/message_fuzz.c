/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/message */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "message/messages.h"
#include "model/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What decodes can be encoded, and decodes again. */
static void there_and_back(const struct message_type *type, const json_t *json)
{
    struct error error;
    AUTO(memory_free) void *message = xcalloc(1, type->fields->size);
    AUTO(memory_free) void *again = xcalloc(1, type->fields->size);
    AUTO(text_free) char *text = NULL;
    AUTO(json_free) json_t *parsed = NULL;
    const char *name;
    if (message_decode(type, json, message, &error) < 0)
        return;
    if (message_encode(type, message, &text, &error) == 0) {
        assert(message_parse(text, strlen(text), &parsed, &name, &error) == 0);
        assert(message_decode(type, parsed, again, &error) == 0);
        message_free(type, again);
    }
    message_free(type, message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(json_free) json_t *json = NULL;
    struct suite_spec suite;
    struct error error;
    const char *name;
    if (message_parse((const char *)bytes, length, &json, &name, &error) < 0)
        return 0;
    for (size_t i = 0; i < message_types_count; i++)
        if (strcmp(message_types[i]->name, name) == 0)
            there_and_back(message_types[i], json);
    if (suite_decode(json, &suite, &error) == 0)
        suite_deinit(&suite);
    return 0;
}
