/* SPDX-License-Identifier: MIT */
/* A survey as a table for people: 80 columns, plain ASCII, colours if so told. */
#ifndef PRINT_TABLE_H
#define PRINT_TABLE_H

#include "status/snapshot.h"

#include <stdio.h>

void reporttable_print(const struct survey *survey, bool colour, FILE *out);

#endif
