/* SPDX-License-Identifier: MIT */
#include "cmd/udev.h"

#include "cmd/guard.h"
#include "config/keys.h"
#include "converge/converge.h"
#include "converge/summary.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"
#include "netlink/decode.h"
#include "state/run_dir.h"
#include "state/wait_slot.h"
#include "state/watch_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#define WAIT_SECONDS       5 /* where neither the section nor systemd says otherwise */
#define WAIT_SECONDS_CROWD 1 /* the same, where many wait: all of udev waits for them */

/* Any rename starts this program: of a name that is no tunnel's there is nothing to say. */
static bool is_served(const struct event *event, const char *ifname)
{
	char escaped[4 * EVENT_NAME_SIZE];

	if (!ifname[0])
		return false;
	if (keys_ifname_ok(ifname))
		return true;
	if (!event->tag[0] && !event->addition)
		return false;
	log_line(
		LOG_WARNING,
		"interface name \"%s\" refused: expected [A-Za-z0-9][A-Za-z0-9_.-]{0,14}: give the link another name (ip link set ... name ...)",
		escape(ifname, escaped, sizeof(escaped)));
	return false;
}

/* A program that udev runs holds back everything behind it; the watcher does not. */
static int seconds_to_wait(int wanted, bool crowded)
{
	if (wanted >= 0)
		return wanted;
	if (faccessat(AT_FDCWD, "/run/systemd/system", F_OK, 0) == 0)
		return 0;
	return crowded ? WAIT_SECONDS_CROWD : WAIT_SECONDS;
}

static int take_slot(const struct settings *settings)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);

	return runfd < 0 ? runfd : wait_slot_take(runfd);
}

struct waiting {
	uint32_t ifindex;
	const char *ifname;
	struct follows follows;
	bool changed; /* it is worth another look */
	bool gone;
};

/* Also a rename ends it: udev tells of that only when we have ended. */
static void note_link(struct waiting *waiting, const struct nlmsghdr *nlh)
{
	struct kernel_link link;

	if (decode_link(nlh, &link) < 0 || link.link.ifindex != waiting->ifindex)
		return;
	waiting->changed = true;
	waiting->gone |= nlh->nlmsg_type == RTM_DELLINK ||
			 strcmp(link.link.ifname, waiting->ifname) != 0;
}

/* Other links' too, where they may be those that are its sources. */
static bool is_its_address(const struct waiting *waiting, const struct nlmsghdr *nlh)
{
	struct kernel_address address;

	return decode_address(nlh, &address) == 0 &&
	       (waiting->follows.n_links || address.ifindex == waiting->ifindex);
}

static bool is_gateway(const struct nlmsghdr *nlh)
{
	struct kernel_route route;

	return kernel_route_get(nlh, &route) == 0 && route.table == RT_TABLE_MAIN &&
	       !route.dst.len;
}

static int note_change(void *data, const struct nlmsghdr *nlh)
{
	struct waiting *waiting = data;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		note_link(waiting, nlh);
		break;
	case RTM_NEWADDR:
		waiting->changed |= is_its_address(waiting, nlh);
		break;
	case RTM_NEWROUTE:
		waiting->changed |= is_gateway(nlh);
		break;
	}
	return 0;
}

static int look(struct rtnl *rtnl, struct waiting *waiting)
{
	struct link link;
	const int r = rtnl_link(rtnl, waiting->ifname, &link);

	if (r < 0)
		return r;
	waiting->changed = true;
	waiting->gone = link.ifindex != waiting->ifindex;
	return 0;
}

/* Until there is something to look at. Returns 0, -ETIMEDOUT or -errno. */
static int await_change(struct rtnl *rtnl, struct rtnl *events, struct waiting *waiting,
			int64_t deadline_ms)
{
	int r = 0;

	while (r == 0 && !waiting->changed) {
		r = rtnl_receive(events, deadline_ms, note_change, waiting);
		if (r == -ENOBUFS) /* some were lost */
			r = look(rtnl, waiting);
	}
	waiting->changed = false;
	return r;
}

struct pending_text {
	const char *what, *then;
};

static struct pending_text describe_pending(unsigned pending)
{
	if (pending & PENDING_LINK)
		return (struct pending_text){
			"the link is still down",
			"its default route is pending; once it is up"};
	if (pending & PENDING_CARRIER)
		return (struct pending_text){
			"the link still has no carrier",
			"its default route is pending; once it has one"};
	if (pending & PENDING_ADDRESS)
		return (struct pending_text){"the link still has no address",
					     "its rules are pending; once it has one"};
	if (pending & PENDING_TENTATIVE)
		return (struct pending_text){"an address of the link is still tentative",
					     "its rule is pending; once it is in use"};
	return (struct pending_text){
		!(pending & PENDING_GATEWAY4)
			? "main still has no IPv6 default route by the link"
		: !(pending & PENDING_GATEWAY6)
			? "main still has no IPv4 default route by the link"
			: "main still has no default route by the link",
		"its own is pending; once there is one"};
}

/* A link that stays down is no failure. */
static int tell_why(const char *ifname, int error, const struct outcome *outcome,
		    int seconds, bool crowded)
{
	const struct pending_text text = describe_pending(outcome->pending);

	if (error == -ETIMEDOUT) {
		log_line(LOG_WARNING,
			 "%s: %s after %d s%s: %s, run: sixxs-route apply %s", ifname,
			 text.what, seconds,
			 crowded ? " (no longer, as many links are waited for)" : "",
			 text.then, ifname);
		return 0;
	}
	log_line(
		LOG_ERR,
		"%s: cannot wait for the link: %s: once it is up and has its addresses, run: sixxs-route apply %s",
		ifname, strerror(-error), ifname);
	return error;
}

/* Subscribed before the first look: whatever happens after it is told. */
static int wait_for_rest(const struct settings *settings, struct rtnl *rtnl,
			 const char *ifname, struct outcome *ret)
{
	_cleanup_close_ int slot = take_slot(settings);
	const bool crowded = slot == -EAGAIN && ret->wait < 0;
	const int seconds = seconds_to_wait(ret->wait, crowded);
	const int64_t deadline_ms = clock_now_ms() + (int64_t)seconds * 1000;
	const uint32_t routes =
		ret->follows.gateway ? RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_ROUTE : 0;
	struct waiting waiting = {
		.ifindex = ret->ifindex, .ifname = ifname, .follows = ret->follows};
	struct outcome outcome = *ret;
	struct rtnl events = {0};
	int r, result = 0;

	if (seconds <= 0)
		return 0;
	r = rtnl_open(&events,
		      RTMGRP_LINK | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_IFADDR | routes);
	if (r == 0)
		r = look(rtnl, &waiting);
	while (r == 0 && outcome.pending && outcome.ifindex == waiting.ifindex) {
		r = await_change(rtnl, &events, &waiting, deadline_ms);
		if (r < 0 || waiting.gone)
			break;
		result = converge(settings, rtnl, ifname, GOAL_SECTION, 0, &outcome);
		*ret = outcome;
	}
	rtnl_close(&events);
	return r < 0 ? tell_why(ifname, r, &outcome, seconds, crowded) : result;
}

/*
 * An interface that comes is a connect of the tunnel's client, also if it gets the
 * tunnel's name later; a replay and another name for a tunnel are none. It is counted
 * before the link is waited for: who waits may be killed.
 */
struct counting {
	const struct settings *settings;
	const struct event *event;
	bool done;
};

static void count(void *data, int runfd, const struct outcome *outcome)
{
	struct counting *counting = data;
	const struct event *event = counting->event;

	counting->done = true;
	if (event->removal)
		guard_went(counting->settings, runfd, event->ifname);
	else if ((event->addition || event->named) && !event->replay)
		guard_appeared(counting->settings, runfd, event->ifname, &outcome->limit);
}

/* Under the same lock, or, where it came to none, under one of its own. */
static int converge_and_count(const struct settings *settings, struct rtnl *rtnl,
			      const struct event *event, struct outcome *ret)
{
	struct counting counting = {.settings = settings, .event = event};
	const int r =
		converge_and(settings, rtnl, event->ifname, GOAL_SECTION,
			     event->removal ? event->ifindex : 0, count, &counting, ret);

	if (!counting.done && !settings->dry_run && r != -ETIMEDOUT)
		count(&counting, -1, ret);
	return r;
}

/* Whether a watcher brings what this event leaves pending, and tells it then. */
static bool watcher_follows(const struct settings *settings)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);
	pid_t pid;

	return runfd >= 0 && watch_lock_find_holder(runfd, &pid) > 0;
}

/*
 * One line an event, also where it waited. Of a link that has just come, and is not all
 * there, the line is the watcher's.
 */
static void tell_event(const struct settings *settings, const struct event *event,
		       const struct outcome *outcome)
{
	struct summary *summary = settings->summary;
	const bool unfinished = outcome->pending || !outcome->changed;

	if (summary_is_empty(summary) ||
	    (unfinished && event->addition && !event->replay &&
	     !summary->n[STEP_DELETE][0] && !summary->n[STEP_DELETE][1] &&
	     watcher_follows(settings)))
		return;
	summary_tell(summary, event->ifname);
}

/* The interface itself, and what it waits for. */
static int handle_link(const struct settings *settings, struct rtnl *rtnl,
		       const struct event *event)
{
	struct summary summary = {.why = NULL};
	struct settings telling = *settings;
	struct outcome outcome;
	int r, r_rest = 0;

	telling.summary = &summary;
	r = converge_and_count(&telling, rtnl, event, &outcome);
	if (r != -ETIMEDOUT && outcome.pending)
		r_rest = wait_for_rest(&telling, rtnl, event->ifname, &outcome);
	tell_event(&telling, event, &outcome);
	return r < 0 ? r : r_rest;
}

int handle_event(const struct settings *settings, struct rtnl *rtnl,
		 const struct event *event)
{
	const char *const names[] = {event->old_ifname, event->tag, event->ifname};
	const uint32_t gone = event->removal ? event->ifindex : 0;
	struct settings telling = *settings;
	struct outcome outcome;
	int result = 0;

	/* of a link that comes or goes the watcher may have been told first */
	telling.once = (event->addition || event->removal) && !event->replay;

	for (unsigned i = 0; i < 3; i++) {
		int r;

		if ((i < 2 && !strcmp(names[i], event->ifname)) ||
		    (i == 1 && !strcmp(names[1], names[0])) ||
		    !is_served(event, names[i]))
			continue;
		r = i < 2 ? converge(&telling, rtnl, names[i], GOAL_SECTION, gone,
				     &outcome)
			  : handle_link(&telling, rtnl, event);
		if (result == 0)
			result = r;
		if (r == -ETIMEDOUT) /* the lock is one for all */
			return r;
	}
	return result;
}
