/* SPDX-License-Identifier: Apache-2.0 */
/* May a webhook go to this address? Only to addresses of the public internet: whoever may register an
 * endpoint must not reach through us what is behind our firewall. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

bool address_is_public(const struct sockaddr *address);
/* The same for numbers as text ("::1", "10.0.0.1"); what is no address is not public. */
bool address_text_is_public(const char *text);
