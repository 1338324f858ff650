/* SPDX-License-Identifier: MIT */
#include "converge/summary.h"

#include "lib/log.h"
#include "lib/text.h"

#include <string.h>

bool summary_is_empty(const struct summary *summary)
{
	return !summary->n[0][0] && !summary->n[0][1] && !summary->n[1][0] &&
	       !summary->n[1][1];
}

void summary_add_step(struct summary *summary, const struct step *step)
{
	summary->n[step->op][step->object.kind == OBJECT_RULE]++;
}

void summary_add(struct summary *summary, const struct summary *more)
{
	for (unsigned op = 0; op < 2; op++)
		for (unsigned kind = 0; kind < 2; kind++)
			summary->n[op][kind] += more->n[op][kind];
	summary->why = more->why;
}

/* "deleted 1 route, 2 rules"; nothing for none of both */
static char *put_counts(char *to, const char *what, const unsigned n[2])
{
	static const char *const words[] = {" route", " rule"};

	if (n[0] || n[1])
		to = stpcpy(to, what);
	for (unsigned i = 0; i < 2; i++) {
		if (!n[i])
			continue;
		to = put_number(stpcpy(to, i && n[0] ? ", " : " "), n[i]);
		to = stpcpy(stpcpy(to, words[i]), n[i] > 1 ? "s" : "");
	}
	return to;
}

void summary_tell(struct summary *summary, const char *ifname)
{
	char changes[128], *end = changes;

	if (summary_is_empty(summary))
		return;
	end = put_counts(end, "deleted", summary->n[STEP_DELETE]);
	put_counts(end, end == changes ? "added" : "; added", summary->n[STEP_ADD]);
	log_line(LOG_INFO, "%s: %s; %s", ifname, changes, summary->why);
	*summary = (struct summary){.why = summary->why};
}
