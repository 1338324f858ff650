/* SPDX-License-Identifier: MIT */
#include "cmd/guard.h"

#include "config/config.h"
#include "config/findings.h"
#include "config/keys.h"
#include "guard/connect_count.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "state/run_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * A client must not stay out for a mistake in a drop-in or for want of one: the broker's
 * own limit then counts.
 */
static struct limit find_limit(const struct settings *settings, const char *ifname)
{
	struct tunnel tunnel;
	int r;

	keys_defaults(&tunnel.section[0]);
	r = config_find(settings, ifname, &diagnostics_to_log, &tunnel);
	if (r <= 0)
		log_line(
			LOG_WARNING,
			"%s: %s in %s: connect_limit = %u/%u counts; see: sixxs-route check",
			ifname, r < 0 ? "its section cannot be read" : "no section",
			settings->conf_dir, tunnel.section[0].limit.connects,
			tunnel.section[0].limit.seconds);
	return tunnel.section[0].limit;
}

/*
 * The client is gone before its event is handled, and nothing has been read or reported
 * yet: no section, no tunnel.
 */
static bool find_limit_quietly(const struct settings *settings, const char *ifname,
			       struct limit *ret)
{
	struct tunnel tunnel;
	int r;

	keys_defaults(&tunnel.section[0]);
	r = config_find(settings, ifname, NULL, &tunnel);
	*ret = tunnel.section[0].limit;
	return r != 0;
}

static void warn_damaged(const struct counter *counter)
{
	if (counter->damaged)
		log_line(
			LOG_WARNING,
			"%s: %s/connects.%s is damaged: it counts as full, and is written anew",
			counter->ifname, counter->run_dir, counter->ifname);
}

static int fail(const struct counter *counter, int r)
{
	log_line(
		LOG_ERR, "%s: cannot count its connects in %s: %s: %s", counter->ifname,
		counter->run_dir, run_dir_strerror(r),
		r == -EACCES || r == -EPERM
			? "run it as root (in a unit with User=: ExecStartPre=+...), and let nobody else write to that folder"
			: "is there room, and does another sixxs-route hang?");
	return r;
}

/* The clock is the boot's, which time in suspend counts for, as it does for the broker.
 */
static int wait_until(int64_t ms)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	const struct itimerspec timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
	uint64_t expirations;

	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0)
		return -errno;
	while (read(fd, &expirations, sizeof(expirations)) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int guard(const struct settings *settings, const char *ifname, bool wait)
{
	struct counter counter = {.run_dir = settings->run_dir,
				  .ifname = ifname,
				  .limit = find_limit(settings, ifname)};

	for (bool told = false;; told = true) {
		int64_t seconds;
		int r = counter_ask(&counter, !settings->dry_run);

		if (r < 0)
			return fail(&counter, r);
		warn_damaged(&counter);
		if (!counter.wait_ms) {
			log_debug("%s: its client may connect, at %lld ms since the boot",
				  ifname, (long long)counter.now_ms);
			return 0;
		}
		seconds = (counter.wait_ms + 999) / 1000;
		/* those who wait at the same time are served one after the other */
		if (!told)
			log_line(
				LOG_NOTICE,
				"%s: %lld seconds left until its client may connect (connect_limit = %u/%u)",
				ifname, (long long)seconds, counter.limit.connects,
				counter.limit.seconds);
		if (!wait || settings->dry_run)
			return GUARD_NOT_NOW;
		r = wait_until(clock_boot_ms() + counter.wait_ms);
		if (r < 0) {
			log_line(
				LOG_ERR,
				"%s: cannot wait for its turn: %s: its client must not connect yet",
				ifname, strerror(-r));
			return r;
		}
	}
}

void guard_appeared(const struct settings *settings, int runfd, const char *ifname,
		    const struct limit *limit)
{
	struct counter counter = {.run_dir = settings->run_dir,
				  .ifname = ifname,
				  .locked = runfd >= 0,
				  .runfd = runfd,
				  .limit = *limit};
	int r;

	if (!limit->connects && !find_limit_quietly(settings, ifname, &counter.limit))
		return;
	limit = &counter.limit;
	r = counter_appear(&counter);
	if (r < 0) {
		fail(&counter, r);
		return;
	}
	warn_damaged(&counter);
	/* as it begins to be too often, not at each that follows */
	if (counter.within == limit->connects + 1)
		log_line(
			LOG_WARNING,
			"%s: appeared %u times within %u s, more than connect_limit = %u/%u: the broker may shut its client out; start it only after: sixxs-route guard --wait %s",
			ifname, counter.within, limit->seconds, limit->connects,
			limit->seconds, ifname);
}

void guard_went(const struct settings *settings, int runfd, const char *ifname)
{
	struct counter counter = {.run_dir = settings->run_dir,
				  .ifname = ifname,
				  .locked = runfd >= 0,
				  .runfd = runfd};
	const int r = counter_tidy(&counter);

	if (r < 0)
		fail(&counter, r);
}
