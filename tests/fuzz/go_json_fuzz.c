/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/go-json/valid tests/data/go-json/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&go_json_reader, bytes, length);
}
