/* SPDX-License-Identifier: Apache-2.0 */
/* The numbered SQL files, and what the database says of them. */
#pragma once

#include <stddef.h>

#include "admin.h"

struct migration {
    int number;
    char *name; /* "0001_roles_and_schemas.sql" */
    char *sql;
    char sha256[65];
};

struct migrations {
    struct migration *list;
    size_t count;
};

char *migrations_directory(const struct admin_options *options); /* owned by the caller */
int migrations_load(const char *directory, struct migrations *migrations,
                    struct error *error) WARN_UNUSED;
void migrations_deinit(struct migrations *migrations);

/* 1, 2, 3 … without a hole. */
int migrations_check_order(const struct migrations *migrations, struct error *error) WARN_UNUSED;

/* How many are applied; fails when one of those is missing here, or has changed. */
int migrations_compare(struct store *store, const struct migrations *migrations, size_t *applied_r,
                       struct error *error) WARN_UNUSED;
