/* SPDX-License-Identifier: MIT */
/*
 * Which interfaces udev's rules hand to this program: those that a rule gives a
 * SIXXS_ROUTE, or runs sixxs-route for, by the pattern that the rule's KERNEL== has.
 * Where a rule has none, what else it asks for is not judged: it may serve any. Read
 * only.
 */
#ifndef UDEV_RULES_H
#define UDEV_RULES_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

struct udevrules {
	size_t n;
	char **pattern; /* as in udev(7): "wg*|he-*" */
};

/* Reads udev's folders. Returns 0 or -ENOMEM; *ret is for udevrules_free in both cases.
 */
int udevrules_load(const struct diagnostics *rep, struct udevrules *ret);

/*
 * Adds the rules of one file. own: it is the one that comes with this program, whose
 * rules without a pattern go on with what others have chosen. Returns 0 or -ENOMEM.
 */
int udevrules_add(struct udevrules *rules, const char *bytes, size_t size, bool own);

bool udevrules_serve(const struct udevrules *rules, const char *ifname);

void udevrules_free(struct udevrules *rules);

#endif
