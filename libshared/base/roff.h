/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in pages for man. */
#pragma once

#include <stdio.h>

/* UTF-8. No character of it is an order to roff, at the beginning of a line neither. */
void roff_text(FILE *out, const char *text);
