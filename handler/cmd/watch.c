/* SPDX-License-Identifier: MIT */
#include "cmd/watch.h"

#include "config/keys.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "netlink/notify_filter.h"
#include "state/run_dir.h"
#include "state/watch_lock.h"
#include "watch/changes.h"
#include "watch/holds.h"
#include "watch/sd_notify.h"
#include "watch/upkeep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Bytes of notifications that may wait: a link's down and up are some 5,000. With the
 * kernel's default of 212,992 forty of them at once would be lost, and each tunnel looked
 * at instead.
 */
#define QUEUE_SIZE (4 * 1024 * 1024)

struct watch {
	const struct settings *settings;
	struct rtnl *rtnl;  /* for converge */
	struct rtnl events; /* notifications only */
	int signals;
	int lock; /* -1: not held, for want of a run folder */
	bool stop;
	struct filter filter;
	struct changes changes;
	struct affected_tunnels affected;
	struct upkeep upkeep;
	struct holds holds;
};

static int take(void *data, const struct nlmsghdr *nlh)
{
	struct watch *watch = data;

	if (watch->changes.full)
		watch->upkeep.lost = true; /* not reached: one comes at a time */
	else
		changes_take(&watch->changes, nlh);
	return 0;
}

/* All that is there to be read, or as much as there is room for. */
static int read_changes(struct watch *watch)
{
	int r;

	changes_clear(&watch->changes);
	do {
		r = rtnl_read(&watch->events, MSG_DONTWAIT, take, watch);
		if (r == -ENOBUFS) {
			watch->upkeep.lost = true;
			r = 0;
		}
	} while (r == 0 && !watch->changes.full);
	return r == -EAGAIN ? 0 : r;
}

static int answer_changes(struct watch *watch)
{
	struct upkeep *upkeep = &watch->upkeep;
	struct affected_tunnels *affected = &watch->affected;
	const int r = read_changes(watch);

	if (r < 0) {
		log_line(
			LOG_ERR,
			"watch: cannot read the kernel's notifications: %s: it ends, and routes stay as they are",
			strerror(-r));
		return r;
	}
	if (!changes_find_affected(&watch->changes, watch->settings, watch->rtnl,
				   &upkeep->followers, affected))
		upkeep->lost = true;
	if (watch->changes.policy || watch->changes.policy_less)
		ways_policy_changed(&upkeep->ways, !watch->changes.policy);
	for (unsigned i = 0; i < affected->n; i++)
		upkeep_affected(upkeep, &affected->tunnel[i]);
	for (unsigned i = 0; i < affected->n_tables; i++)
		ways_shared(&upkeep->ways, watch->rtnl, affected->table[i].number,
			    affected->table[i].sourced);
	if (!upkeep->lost && watch->changes.newest > upkeep->newest)
		upkeep->newest = watch->changes.newest;
	return 0;
}

/* Without a run folder there is nobody to tell, and nothing to do: one comes later. */
static int hold_lock(struct watch *watch)
{
	_cleanup_close_ int runfd = -1;
	int r;

	if (watch->lock >= 0)
		return 0;
	runfd = run_dir_open(watch->settings->run_dir, true);
	if (runfd < 0)
		return 0;
	r = watch_lock_take(runfd);
	if (r >= 0)
		watch->lock = r;
	return r == -EAGAIN ? r : 0;
}

/* Without signals it could not be stopped: better to be started again. */
static int answer_signals(struct watch *watch)
{
	struct signalfd_siginfo info;
	ssize_t n;

	while ((n = read(watch->signals, &info, sizeof(info))) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGHUP)
			upkeep_all(&watch->upkeep, true);
		else
			watch->stop = true;
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return 0;
	n = -errno;
	log_line(
		LOG_ERR,
		"watch: cannot read its signals: %m: it ends, and routes stay as they are");
	return (int)n;
}

/*
 * What somebody follows from now on may have changed since it was looked at: so all is
 * looked at once more, and where the filter cannot be set, until it can.
 */
static void follow(struct watch *watch)
{
	const struct followers *followers = &watch->upkeep.followers;
	struct filter filter = watch->filter;

	if ((filter.carriers || !followers->carriers) &&
	    (filter.gateways || !followers->gateways))
		return;
	filter.carriers = followers->carriers;
	filter.gateways = followers->gateways;
	if (filter_attach(rtnl_fd(&watch->events), &filter) == 0)
		watch->filter = filter;
	watch->upkeep.lost = true;
}

static int hold_ended(void *data, const char *ifname, int64_t until_ms)
{
	(void)until_ms;
	if (keys_ifname_ok(ifname))
		upkeep_released(data, ifname);
	return 0;
}

/*
 * A folder made anew is not the one that the sandbox lets it write to, and its lock there
 * tells nobody that it lives: better to be started again.
 */
static int answer_holds(struct watch *watch)
{
	const int r = holds_take(&watch->holds, hold_ended, &watch->upkeep);

	if (r < 0)
		log_line(
			LOG_ERR,
			"watch: the run folder %s was taken away: it ends, to be started again; then run: sixxs-route apply --all",
			watch->settings->run_dir);
	return r;
}

static int run(struct watch *watch)
{
	struct pollfd fds[] = {{.fd = watch->signals, .events = POLLIN},
			       {.fd = rtnl_fd(&watch->events), .events = POLLIN},
			       {.events = POLLIN},
			       {.events = POLLIN}};
	int r = 0;

	while (r == 0 && !watch->stop) {
		holds_prepare(&watch->holds);
		fds[2].fd = watch->holds.timer;
		fds[3].fd = watch->holds.changes;
		if (poll(fds, 4, upkeep_timeout(&watch->upkeep)) < 0) {
			if (errno == EINTR)
				continue; /* what fds say is of the time before */
			r = -errno;
			log_line(
				LOG_ERR,
				"watch: cannot wait for news: %m: it ends, and routes stay as they are");
			break;
		}
		if (fds[0].revents)
			r = answer_signals(watch);
		if (r == 0 && fds[1].revents)
			r = answer_changes(watch);
		if (r == 0 && (fds[2].revents || fds[3].revents))
			r = answer_holds(watch);
		upkeep_due(&watch->upkeep);
		follow(watch);
		hold_lock(watch);
	}
	return r;
}

static int begin(struct watch *watch)
{
	sigset_t set;
	int r = hold_lock(watch);

	if (r < 0) {
		log_line(
			LOG_ERR,
			"watch: another watcher works on %s: this one ends; find it by: fuser -v %s/watch.lock",
			watch->settings->run_dir, watch->settings->run_dir);
		return r;
	}
	r = rtnl_port(watch->rtnl, &watch->filter.own_port);
	if (r == 0)
		r = rtnl_open(&watch->events, FILTER_GROUPS);
	if (r == 0) {
		rtnl_set_queue(&watch->events, QUEUE_SIZE);
		r = filter_attach(rtnl_fd(&watch->events), &watch->filter);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r == 0 && watch->signals < 0)
		r = -errno;
	if (r < 0)
		log_line(
			LOG_ERR,
			"watch: cannot listen to the kernel: %s: is there memory, is the limit of open files too low, or does a sandbox forbid it?",
			strerror(-r));
	return r;
}

int watch(const struct settings *settings, struct rtnl *rtnl)
{
	static struct watch state;
	int r;

	state = (struct watch){
		.settings = settings, .rtnl = rtnl, .signals = -1, .lock = -1};
	upkeep_begin(&state.upkeep, settings, rtnl);
	holds_begin(&state.holds, settings->run_dir);
	r = begin(&state);
	if (r == 0) {
		/* whatever was before the first notification */
		upkeep_all(&state.upkeep, true);
		follow(&state);
		r = notify("READY=1");
		if (r < 0)
			log_line(
				LOG_ERR,
				"watch: cannot tell systemd by NOTIFY_SOCKET that it is ready: %s: by hand, unset it",
				strerror(-r));
	}
	if (r == 0)
		r = run(&state);
	backoff_tell_undone(&state.upkeep.backoffs);
	notify("STOPPING=1");
	rtnl_close(&state.events);
	close_fdp(&state.signals);
	close_fdp(&state.lock);
	upkeep_end(&state.upkeep);
	holds_end(&state.holds);
	return r;
}
