/* SPDX-License-Identifier: Apache-2.0 */
/* What our pages have in common: their head with the style, and how a state looks. */
#pragma once

#include <stdio.h>

/* Up to the inside of <div class="page">. results: the id of what is skipped to. */
void frame_begin(FILE *out, const char *title, const char *nonce, const char *results);
/* id: of the element; NULL: none. */
void frame_badge(FILE *out, const char *state, const char *id);
