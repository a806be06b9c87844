/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/allure/valid tests/data/allure/invalid */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_reader(&allure_reader, bytes, length);
}
