/* SPDX-License-Identifier: MIT */
#include "watch/backoff.h"

#include <stdlib.h>
#include <string.h>

static bool is_over(const struct fight *fight, int64_t now)
{
	return !fight->due && now - fight->mended >= FIGHT_QUIET_MS;
}

static struct fight *find_any(const struct fights *fights, const char *ifname)
{
	for (size_t i = 0; i < fights->n; i++)
		if (!strcmp(fights->fight[i].ifname, ifname))
			return &fights->fight[i];
	return NULL;
}

/* NULL: there is none, or it is over. */
static struct fight *find(const struct fights *fights, const char *ifname, int64_t now)
{
	struct fight *fight = find_any(fights, ifname);

	return fight && is_over(fight, now) ? NULL : fight;
}

static void put_off(struct fight *fight, int64_t now)
{
	fight->delay = fight->delay ? 2 * fight->delay : FIGHT_DELAY_MS;
	if (fight->delay > FIGHT_LONGEST_MS)
		fight->delay = FIGHT_LONGEST_MS;
	fight->due = now + fight->delay;
}

enum fight_turn fight_blow(struct fights *fights, const char *ifname, int64_t now)
{
	struct fight *fight = find(fights, ifname, now);
	const bool first = fight && !fight->delay;

	if (!fight)
		return FIGHT_NOW;
	if (fight->due)
		return FIGHT_LATER;
	if (first && fight->rounds < FIGHT_ROUNDS)
		return FIGHT_NOW;
	put_off(fight, now);
	return first ? FIGHT_BEGINS : FIGHT_LATER;
}

/* A place for a new one: that of one which is over, if there is one. */
static struct fight *make_room(struct fights *fights, int64_t now)
{
	for (size_t i = 0; i < fights->n; i++)
		if (is_over(&fights->fight[i], now))
			return &fights->fight[i];
	if (fights->n == fights->size) {
		const size_t size = fights->size ? 2 * fights->size : 8;
		void *more = reallocarray(fights->fight, size, sizeof(struct fight));

		if (!more)
			return NULL;
		fights->fight = more;
		fights->size = size;
	}
	return &fights->fight[fights->n++];
}

static struct fight *start(struct fights *fights, const char *ifname, int64_t now)
{
	struct fight *fight = make_room(fights, now);

	if (fight)
		*fight = (struct fight){.mended = now};
	if (fight)
		strncpy(fight->ifname, ifname, sizeof(fight->ifname) - 1);
	return fight;
}

void fight_mended(struct fights *fights, const char *ifname, int64_t now)
{
	struct fight *fight = find(fights, ifname, now);
	unsigned faded;

	if (!fight)
		fight = start(fights, ifname, now);
	if (!fight)
		return;
	faded = (unsigned)((now - fight->mended) / FIGHT_FADE_MS);
	fight->rounds -= faded < fight->rounds ? faded : fight->rounds;
	fight->rounds++;
	fight->mended = now;
}

int64_t fight_due(const struct fights *fights)
{
	int64_t due = -1;

	for (size_t i = 0; i < fights->n; i++)
		if (fights->fight[i].due && (due < 0 || fights->fight[i].due < due))
			due = fights->fight[i].due;
	return due;
}

bool fight_take_due(struct fights *fights, int64_t now, struct fight *ret)
{
	for (size_t i = 0; i < fights->n; i++) {
		struct fight *fight = &fights->fight[i];

		if (!fight->due || fight->due > now)
			continue;
		fight->due = 0;
		fight->mended = now;
		*ret = *fight;
		return true;
	}
	return false;
}

void fight_failed(struct fights *fights, const char *ifname, int what, int64_t now)
{
	struct fight *fight = find_any(fights, ifname);

	if (!fight)
		fight = start(fights, ifname, now);
	if (!fight)
		return;
	fight->what = what;
	if (!fight->due)
		put_off(fight, now);
}

void fight_succeeded(struct fights *fights, const char *ifname)
{
	struct fight *fight = find_any(fights, ifname);

	if (fight)
		*fight = fights->fight[--fights->n];
}

void fight_forget(struct fights *fights)
{
	free(fights->fight);
	*fights = (struct fights){0};
}
