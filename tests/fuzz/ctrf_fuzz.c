/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/ctrf/valid tests/data/ctrf/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&ctrf_reader, bytes, length);
}
