/* SPDX-License-Identifier: MIT */
/* A snapshot as a table for people: 80 columns, plain ASCII, colours if so told. */
#ifndef TABLE_H
#define TABLE_H

#include "status/snapshot.h"

#include <stdio.h>

void print_table(const struct snapshot *snapshot, bool colour, FILE *out);

#endif
