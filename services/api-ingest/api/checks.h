/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of bodies that no field table says. */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* Slugs never look like ids, since a thing is named by either. */
int check_slug(const char *field, const char *slug, struct error *error) WARN_UNUSED;
int check_title(const char *field, const char *title, struct error *error) WARN_UNUSED;
/* NULL, or at most LIMIT_PARAMETERS texts, numbers or booleans of at most LIMIT_TEXT_BYTES, under names that
 * could be those of environment variables, dashes and dots allowed. */
int check_parameters(const char *field, const json_t *parameters, struct error *error) WARN_UNUSED;
/* Names between commas, of the table; NULL is none. */
struct names;
int check_choices(const char *field, const char *list, const struct names *names,
                  struct error *error) WARN_UNUSED;
/* A text that is searched for; NULL is none. */
int check_search(const char *text, struct error *error) WARN_UNUSED;
/* An RFC 3339 time: "2026-11-24T10:57:54Z", with or without fractions, with any offset. */
int check_time(const char *field, const char *text, struct error *error) WARN_UNUSED;
/* The slug that a PUT at …/<name> is about: that of what is there (NULL: nothing), else the name itself,
 * unless it is an id. Caller frees. */
int put_slug(const char *what, const json_t *there, const char *name, char **slug_r,
             struct error *error) WARN_UNUSED;
/* Puts that slug (taken) where the body's stood. A body may repeat it; another one is refused, since slugs stay. */
int take_slug(char **of_body, char **slug, struct error *error) WARN_UNUSED;
/* "not_found": there is no <what> <name>. Returns -1. */
int no_such(const char *what, const char *name, struct error *error);
