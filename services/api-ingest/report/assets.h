/* SPDX-License-Identifier: Apache-2.0 */
/* page.css and page.js, as they are in this folder; texts with their NUL. */
#pragma once

extern const char report_css[], report_js[];
