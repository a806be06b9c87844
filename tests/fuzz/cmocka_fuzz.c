/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/cmocka/valid tests/data/cmocka/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&cmocka_reader, bytes, length);
}
