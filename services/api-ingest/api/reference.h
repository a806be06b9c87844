/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked, as a document for programs. */
#pragma once

#include "routes.h"

route_handler reference_openapi;
