/* SPDX-License-Identifier: MIT */
#include "converge/ownership.h"

#include "config/diagnostic.h"
#include "config/keys.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "state/record.h"

#include <errno.h>
#include <string.h>

struct contest {
	const struct settings *settings;
	struct rtnl *rtnl;
	const char *ifname; /* whose turn it was */
	const struct contested *contested;
	int runfd;
};

static bool holds_contested(const struct record *record,
			    const struct contested *contested)
{
	if (record->name.number && (name_equal(&record->name, &contested->rival) ||
				    name_equal(&record->name, &contested->dropped)))
		return true;
	for (unsigned i = 0; i < record->objects.n; i++)
		for (unsigned k = 0; k < contested->objects.n; k++) {
			const struct object *object = &contested->objects.object[k];

			if (object_equal(&record->objects.object[i], object) ||
			    object_same_slot(&record->objects.object[i], object))
				return true;
		}
	return false;
}

/*
 * A tunnel whose turn failed, its section being wrong, say, lets go of what is in ours now:
 * or its removal would take that away.
 */
static void hand_over(const struct contest *contest, const char *ifname)
{
	const int runfd = contest->runfd, lock = record_lock(runfd, ifname, NULL);
	struct record theirs, ours;
	int r = lock;

	if (lock >= 0)
		r = record_read(runfd, contest->ifname, ini_report_nothing, NULL, &ours);
	if (lock >= 0 && r > 0)
		r = record_read(runfd, ifname, ini_report_nothing, NULL, &theirs);
	if (lock >= 0 && r > 0) {
		for (unsigned i = 0; i < ours.objects.n; i++)
			objects_drop(&theirs.objects, &ours.objects.object[i]);
		r = record_write(runfd, ifname, &theirs);
	}
	if (lock >= 0)
		record_unlock(runfd, ifname, lock);
	if (r < 0 && r != -ENOENT)
		log_line(
			LOG_ERR,
			"%s: cannot take over what %s has on record too: %s: when %s is gone, run: sixxs-route apply %s",
			contest->ifname, ifname, strerror(-r), ifname, contest->ifname);
}

/*
 * What it cannot have is for its own converge to tell. A record that cannot be read may
 * hold anything, and its turn says why.
 */
static int give_turn(void *data, const char *ifname)
{
	const struct contest *contest = data;
	struct contested contested;
	struct outcome outcome;
	struct record record;
	int r;

	if (!config_ifname_ok(ifname) || !strcmp(ifname, contest->ifname))
		return 0;
	r = record_read(contest->runfd, ifname, ini_report_nothing, NULL, &record);
	if (r == 0 || (r > 0 && !holds_contested(&record, contest->contested)))
		return 0;
	if (turn_take(contest->settings, contest->rtnl, ifname, AIM_RECORDED, 0,
		      &contested, &outcome) < 0 &&
	    r > 0)
		hand_over(contest, ifname);
	return 0;
}

/* The tunnels that may hold what is contested have their turn. */
static void give_turns(struct contest *contest)
{
	const char *run_dir = contest->settings->run_dir;
	int r = run_open(run_dir, false);

	contest->runfd = r;
	if (r >= 0)
		r = record_each(contest->runfd, give_turn, contest);
	close_fdp(&contest->runfd);
	if (r < 0 && r != -ENOENT)
		log_line(
			LOG_ERR,
			"%s: cannot look into the run folder %s for whose is what it needs or gave up: %s: once that is mended, run: sixxs-route apply --all",
			contest->ifname, run_dir, strerror(-r));
}

int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum aim aim, uint32_t gone, struct outcome *ret)
{
	struct contested contested;
	struct contest contest = {.settings = settings,
				  .rtnl = rtnl,
				  .ifname = ifname,
				  .contested = &contested};
	const int r = turn_take(settings, rtnl, ifname, aim, gone, &contested, ret);

	if (!contested.objects.n && !contested.rival.number && !contested.dropped.number)
		return r;
	give_turns(&contest);
	/* also if no record has it any more: its tunnel's turn may just have ended */
	return contested.in_way ? turn_take(settings, rtnl, ifname, aim, gone, NULL, ret)
				: r;
}
