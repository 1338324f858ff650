/* SPDX-License-Identifier: MIT */
/* A survey as JSON for programs. Its fields are sixxs-route(8)'s: they only ever grow. */
#ifndef REPORTJSON_H
#define REPORTJSON_H

#include "survey.h"

#include <stdio.h>

/* status: STATUS_*, the exit status to come. */
void reportjson_print(const struct survey *survey, int status, FILE *out);

#endif
