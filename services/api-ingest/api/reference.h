/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked: a document for programs, a page for people. */
#pragma once

#include "routes.h"

route_handler reference_openapi, reference_page;
