/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to every request before its handler: the token, its scope, the project of the path. */
#pragma once

#include "routes.h"

route_handler dispatch;
