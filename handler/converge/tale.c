/* SPDX-License-Identifier: MIT */
#include "converge/tale.h"

#include "lib/log.h"
#include "lib/text.h"

#include <string.h>

bool tale_is_empty(const struct tale *tale)
{
	return !tale->n[0][0] && !tale->n[0][1] && !tale->n[1][0] && !tale->n[1][1];
}

void tale_add_step(struct tale *tale, const struct step *step)
{
	tale->n[step->op][step->object.kind == OBJECT_RULE]++;
}

void tale_add(struct tale *tale, const struct tale *more)
{
	for (unsigned op = 0; op < 2; op++)
		for (unsigned kind = 0; kind < 2; kind++)
			tale->n[op][kind] += more->n[op][kind];
	tale->why = more->why;
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

void tale_tell(struct tale *tale, const char *ifname)
{
	char changes[128], *end = changes;

	if (tale_is_empty(tale))
		return;
	end = put_counts(end, "deleted", tale->n[STEP_DELETE]);
	put_counts(end, end == changes ? "added" : "; added", tale->n[STEP_ADD]);
	log_line(LOG_INFO, "%s: %s; %s", ifname, changes, tale->why);
	*tale = (struct tale){.why = tale->why};
}
