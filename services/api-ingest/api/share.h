/* SPDX-License-Identifier: Apache-2.0 */
/* What links for whoever holds them have in common: how long they are good, what they were made for, and what
 * their pages may load. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "http/request.h"
#include "http/response.h"

#define SHARE_NONCE_SIZE 33

/* By the body's expires_in, if there is one: unix time, of whole seconds. */
int share_read_expiry(struct request *request, int64_t *expires_ms_r,
                      struct error *error) WARN_UNUSED;

/* What the path's link names, a list that begins with its purpose: "not_found" where it was made for another
 * one, or not by us. Caller decrefs. */
int share_read_link(struct request *request, const char *purpose, json_t **named_r,
                    struct error *error) WARN_UNUSED;

/* What inline code and styles of one answer are allowed by. */
void share_new_nonce(char nonce_r[SHARE_NONCE_SIZE]);
/* The page loads nothing but itself, and sends its forms to where it came from alone. */
void share_page_policy(struct response *response, const char *nonce);
