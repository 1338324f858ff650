/* SPDX-License-Identifier: MIT */
#include "converge/change_count.h"

#include <stdio.h>

void tally_count(struct tally *tally, const struct step *step)
{
	tally->n[step->op][object_is_rule(&step->object)]++;
}

/* "1 route, 2 rules"; "" for none of both */
static void format_counts(const unsigned n[2], char *ret, size_t size)
{
	char routes[32] = "", rules[32] = "";

	if (n[0])
		snprintf(routes, sizeof(routes), "%u route%s", n[0], n[0] > 1 ? "s" : "");
	if (n[1])
		snprintf(rules, sizeof(rules), "%u rule%s", n[1], n[1] > 1 ? "s" : "");
	snprintf(ret, size, "%s%s%s", routes, n[0] && n[1] ? ", " : "", rules);
}

bool tally_format(const struct tally *tally, char ret[static TALLY_SIZE])
{
	char added[48], deleted[48];

	format_counts(tally->n[STEP_ADD], added, sizeof(added));
	format_counts(tally->n[STEP_DELETE], deleted, sizeof(deleted));
	snprintf(ret, TALLY_SIZE, "%s%s%s%s%s", deleted[0] ? "deleted " : "", deleted,
		 deleted[0] && added[0] ? "; " : "", added[0] ? "added " : "", added);
	return ret[0];
}
