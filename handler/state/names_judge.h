/* SPDX-License-Identifier: MIT */
/*
 * Whether a table may bear a name, by the names that iproute2's files give to tables
 * (lib/iproute2.h): those of others, read once for any number of tables. Knows nothing of
 * our own file. Changes nothing; does not log.
 */
#ifndef NAMES_JUDGE_H
#define NAMES_JUDGE_H

#include "lib/iproute2.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum name_verdict {
	NAME_OURS,    /* nobody else uses the name or the number: the line may be ours */
	NAME_OTHERS,  /* iproute2 gives this name to this number already */
	NAME_TAKEN,   /* the name belongs to another number: ret says which */
	NUMBER_TAKEN, /* iproute2 gives the number another name: ret says which */
};

struct name_entry {
	uint32_t number;
	char name[TABLE_NAME_SIZE];
};

/* What stands in the way of a line. */
struct name_conflict {
	struct name_entry entry;
	bool ours; /* a line of our own file: another tunnel's */
};

/* The table of WANT and its name; the rest is the answer. */
struct name_judgement {
	struct name_entry want;
	enum name_verdict verdict;
	int error;                     /* -errno: not all names could be read; or 0 */
	struct name_conflict conflict; /* of *_TAKEN */
};

/* Judges each of N by "want", which is all that is set before. */
void names_judge(struct name_judgement *judgement, size_t n);

#endif
