/* SPDX-License-Identifier: Apache-2.0 */
/* page.css and page.js, as they are in this folder. */
#pragma once

#include <stddef.h>

extern const char report_css[], report_css_end[], report_js[], report_js_end[];
