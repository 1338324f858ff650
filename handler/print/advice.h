/* SPDX-License-Identifier: MIT */
/* What is to be done about a snapshot, and by whom. Asks nobody; prints nothing. */
#ifndef ADVICE_H
#define ADVICE_H

#include "status/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct advice {
	size_t drifted;     /* what apply mends, at once or after the rest */
	const char *ifname; /* the one, or --all */
	bool foreign;       /* routes in the place of ours, which apply leaves alone */
	bool link;          /* to our names, which make install makes */
	bool carrier;       /* lacks: its other end, or the program behind it */
	bool astray;
};

struct advice advice_of(const struct snapshot *snapshot);

#endif
