/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/junit/valid tests/data/junit/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&junit_reader, bytes, length);
}
