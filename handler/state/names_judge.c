/* SPDX-License-Identifier: MIT */
#include "state/names_judge.h"

#include <string.h>

static void stands_in_way(struct name_judgement *judgement, enum name_verdict verdict,
			  uint32_t number, const char *name, size_t size)
{
	struct name_entry *conflict = &judgement->conflict.entry;

	if (size >= sizeof(conflict->name))
		size = sizeof(conflict->name) - 1;
	judgement->verdict = verdict;
	conflict->number = number;
	memcpy(conflict->name, name, size);
	conflict->name[size] = '\0';
}

/* A name that means another number too is taken, whatever else is said of it. */
static void judge_entry(struct name_judgement *judgement, uint32_t number,
			const char *name)
{
	const struct name_entry *want = &judgement->want;
	const bool named = !strcmp(name, want->name), numbered = number == want->number;

	if (judgement->verdict == NAME_TAKEN)
		return;
	if (named && !numbered)
		stands_in_way(judgement, NAME_TAKEN, number, name, strlen(name));
	else if (named)
		judgement->verdict = NAME_OTHERS;
	else if (numbered && judgement->verdict == NAME_OURS)
		stands_in_way(judgement, NUMBER_TAKEN, number, name, strlen(name));
}

struct judgements {
	struct name_judgement *judgement;
	size_t n;
};

static void judge_each(void *data, uint32_t number, const char *name)
{
	const struct judgements *all = data;

	for (size_t i = 0; i < all->n; i++)
		judge_entry(&all->judgement[i], number, name);
}

void names_judge(struct name_judgement *judgement, size_t n)
{
	struct judgements all = {.judgement = judgement, .n = n};
	int error;

	for (size_t i = 0; i < n; i++)
		judgement[i].verdict = NAME_OURS;
	error = iproute2_each(judge_each, &all);
	for (size_t i = 0; i < n; i++)
		judgement[i].error = error;
}
