/* SPDX-License-Identifier: MIT */
/* What is known before the kernel runs a plan: how far its answers are believed. */
#ifndef TRUST_H
#define TRUST_H

#include "routing/object.h"

/* How far the kernel's "File exists" is trusted. */
enum care {
	CARE_LITTLE, /* of what was recorded before it is believed */
	CARE_ROUTES, /* as much, but others' routes that come before ours are looked for */
	CARE_MUCH,   /* nor is it believed of rules */
};

/* What is known beforehand. */
struct trust {
	enum care care;
	const struct objects *recorded;
	bool sole;            /* no other tunnel had the wanted tables before */
	struct objects *seen; /* rules that need no look, see seen.h; NULL: none */
};

#endif
