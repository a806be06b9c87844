/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/tap/valid tests/data/tap/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&tap_reader, bytes, length);
}
