/* SPDX-License-Identifier: MIT */
/* A snapshot as JSON for programs. Its fields are sixxs-route(8)'s: they only ever grow. */
#ifndef JSON_H
#define JSON_H

#include "status/snapshot.h"

#include <stdio.h>

/* status: STATUS_*, the exit status to come. */
void print_json(const struct snapshot *snapshot, int status, FILE *out);

#endif
