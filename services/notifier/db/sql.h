/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of SQL that several statements share. */
#pragma once

/* A UUIDv7 made by Postgres: 48 bits of time over a random UUIDv4, whose version 4 becomes 7. */
#define SQL_UUID_V7                                                                                \
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING"                          \
    " substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)"          \
    " FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid"

/* Of api.webhook_endpoint w and notify.endpoint_state s: is it sent to? An endpoint that answered 410 is
 * again when its owner has changed it since. */
#define SQL_ENDPOINT_ENABLED                                                                       \
    "(w.enabled AND (s.disabled_at IS NULL OR s.disabled_at < w.updated_at))"
