/* SPDX-License-Identifier: MIT */
/* What a person is told below the table: what to do, with the commands to run. */
#ifndef ADVICE_H
#define ADVICE_H

#include "status/snapshot.h"

#include <stdio.h>

void print_advice(const struct snapshot *snapshot, FILE *out);

#endif
