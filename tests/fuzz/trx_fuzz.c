/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/trx/valid tests/data/trx/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&trx_reader, bytes, length);
}
