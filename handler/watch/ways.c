/* SPDX-License-Identifier: MIT */
#include "watch/ways.h"

#include "lib/clock.h"

/* Who adds one rule often adds the next at once, and routes: these are waited for. */
#define POLICY_MS 1000

void ways_tell(struct ways *ways, const char *ifname, const struct outcome *outcome)
{
	if (!outcome->astray[0])
		return;
	ways->astray = true;
	if (log_was_told(&ways->log, outcome->astray))
		return;
	log_line(LOG_WARNING, "%s: %s; see: sixxs-route status", ifname, outcome->astray);
	if (log_is_full()) /* of other tunnels' lines: then at the next */
		ways->log.n = 0;
}

void ways_policy_changed(struct ways *ways, bool less)
{
	if (less && !ways->log.n)
		return;
	ways->policy_due = clock_now_ms() + POLICY_MS;
}

void ways_begin(struct ways *ways)
{
	ways->policy_due = 0;
	ways->astray = false;
}

/* Once nobody goes astray any more, the next time is told again. */
void ways_end(struct ways *ways)
{
	if (!ways->astray)
		ways->log.n = 0;
}

/* Told again only once no packet went that way any more. */
static void tell_of_table(struct ways *ways, struct rtnl *rtnl, uint32_t table, bool read)
{
	char text[ASTRAY_STRLEN];
	const int r = astray_shared(rtnl, table, read, text);

	if (r == 0)
		ways->shared.n = 0;
	if (r > 0 && !log_was_told(&ways->shared, text))
		log_line(LOG_WARNING, "%s", text);
}

void ways_shared(struct ways *ways, struct rtnl *rtnl, uint32_t table, bool sourced)
{
	if (!sourced) {
		tell_of_table(ways, rtnl, table, false);
		return;
	}
	if (ways->sourced != table)
		ways_read(ways, rtnl); /* one waits at a time */
	ways->sourced = table;
}

void ways_read(struct ways *ways, struct rtnl *rtnl)
{
	if (ways->sourced)
		tell_of_table(ways, rtnl, ways->sourced, true);
	ways->sourced = 0;
}
