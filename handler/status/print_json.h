/* SPDX-License-Identifier: MIT */
/* A survey as JSON for programs. Its fields are sixxs-route(8)'s: they only ever grow. */
#ifndef PRINT_JSON_H
#define PRINT_JSON_H

#include "status/snapshot.h"

#include <stdio.h>

/* status: STATUS_*, the exit status to come. */
void reportjson_print(const struct survey *survey, int status, FILE *out);

#endif
