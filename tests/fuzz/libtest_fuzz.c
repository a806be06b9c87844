/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/libtest/valid tests/data/libtest/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&libtest_reader, bytes, length);
}
