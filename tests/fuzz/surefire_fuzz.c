/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/surefire/valid tests/data/surefire/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&surefire_reader, bytes, length);
}
