/* SPDX-License-Identifier: MIT */
/* What a person is told below the table: what to do, with the commands to run. */
#ifndef PRINT_ADVICE_H
#define PRINT_ADVICE_H

#include "status/snapshot.h"

#include <stdio.h>

void print_advice(const struct snapshot *snapshot, FILE *out);

#endif
