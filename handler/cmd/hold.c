/* SPDX-License-Identifier: MIT */
#include "cmd/hold.h"

#include "config/config.h"
#include "config/findings.h"
#include "converge/converge.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"
#include "state/held.h"

#include <errno.h>
#include <string.h>

int hold_seconds(const char *text, uint32_t *ret)
{
	uint64_t seconds;

	if (!number_parse(text, strlen(text), HOLD_SECONDS_MAX, &seconds) || !seconds)
		return -EINVAL;
	*ret = (uint32_t)seconds;
	return 0;
}

static int find_section(const struct settings *settings, const char *ifname)
{
	struct tunnel tunnel;
	const int r = config_find(settings, ifname, &diagnostics_to_log, &tunnel);

	if (r > 0)
		return 0;
	if (r == 0)
		log_line(
			LOG_ERR,
			"%s: no section in %s: there is nothing to hold; what is installed is taken away by: sixxs-route apply %s",
			ifname, settings->conf_dir, ifname);
	else
		log_line(
			LOG_ERR,
			"%s: its section cannot be read: it is not held; mend what is told above",
			ifname);
	return r < 0 ? r : -ENOENT;
}

static int fail(const struct settings *settings, const char *ifname, int r,
		const char *why)
{
	log_line(LOG_ERR, "%s: cannot change whether it is held in %s: %s: %s", ifname,
		 settings->run_dir, why,
		 r == -EACCES      ? "run it as root"
		 : r == -EPERM     ? "see ls -ld"
		 : r == -ETIMEDOUT ? "see fuser"
				   : "is it full, or read-only?");
	return r;
}

/* until_ms 0: release it. The returns of held_clear. */
static int change(const struct settings *settings, const char *ifname, int64_t until_ms)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, until_ms != 0);
	struct run_lock lock;
	int r;

	if (runfd == -ENOENT && !until_ms)
		return 0;
	r = runfd < 0 ? runfd : run_dir_lock(runfd, true, &lock);
	if (r < 0)
		return fail(settings, ifname, r, run_dir_strerror(r));
	r = until_ms ? held_set(runfd, ifname, until_ms) : held_clear(runfd, ifname);
	run_dir_unlock(&lock);
	return r < 0 ? fail(settings, ifname, r, strerror(-r)) : r;
}

int hold(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	 uint32_t seconds)
{
	const int64_t until_ms =
		seconds ? clock_boot_ms() + (int64_t)seconds * 1000 : HELD_WITHOUT_END;
	const enum goal goal = settings->dry_run ? GOAL_HELD : GOAL_SECTION;
	struct outcome outcome;
	int r = find_section(settings, ifname);

	if (r == 0 && !settings->dry_run)
		r = change(settings, ifname, until_ms);
	return r < 0 ? r : converge(settings, rtnl, ifname, goal, 0, &outcome);
}

/* Whether there is a hold, as far as a rehearsal can tell. */
static int look(const struct settings *settings, const char *ifname)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);
	int64_t until_ms;
	int r;

	if (runfd == -ENOENT)
		return 0;
	if (runfd < 0)
		return fail(settings, ifname, runfd, run_dir_strerror(runfd));
	r = held_look(runfd, ifname, &until_ms);
	return r < 0 ? fail(settings, ifname, r, strerror(-r)) : r;
}

int release(const struct settings *settings, struct rtnl *rtnl, const char *ifname)
{
	const enum goal goal = settings->dry_run ? GOAL_RELEASED : GOAL_SECTION;
	struct outcome outcome;
	const int r =
		settings->dry_run ? look(settings, ifname) : change(settings, ifname, 0);

	if (r == 0)
		log_line(LOG_INFO, "%s: nothing to do; it is not held", ifname);
	return r <= 0 ? r : converge(settings, rtnl, ifname, goal, 0, &outcome);
}
