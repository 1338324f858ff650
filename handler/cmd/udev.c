/* SPDX-License-Identifier: MIT */
#include "cmd/udev.h"

#include "cmd/guard.h"
#include "config/keys.h"
#include "converge/ownership.h"
#include "lib/escape.h"
#include "lib/log.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#define WAIT_SECONDS 5 /* where neither the section nor systemd says otherwise */

/* Any rename starts this program: of a name that is no tunnel's there is nothing to say. */
static bool is_served(const struct event *event, const char *ifname)
{
	char escaped[4 * EVENT_NAME_SIZE];

	if (!ifname[0])
		return false;
	if (config_ifname_ok(ifname))
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
static int seconds_to_wait(int wanted)
{
	if (wanted >= 0)
		return wanted;
	return access("/run/systemd/system", F_OK) == 0 ? 0 : WAIT_SECONDS;
}

struct waiting {
	uint32_t ifindex;
	const char *ifname;
	bool up, gone;
};

static int note_link(void *data, const struct nlmsghdr *nlh)
{
	struct waiting *waiting = data;
	struct link link;

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return 0;
	if (rtmsg_get_link(nlh, &link) < 0 || link.ifindex != waiting->ifindex)
		return 0;
	waiting->up = link.up;
	/* also by a rename: udev tells of it only when we have ended */
	waiting->gone |= nlh->nlmsg_type == RTM_DELLINK ||
			 strcmp(link.ifname, waiting->ifname) != 0;
	return 0;
}

static int look(struct rtnl *rtnl, struct waiting *waiting)
{
	struct link link;
	const int r = rtnl_link(rtnl, waiting->ifname, &link);

	if (r < 0)
		return r;
	waiting->up = link.up;
	waiting->gone = link.ifindex != waiting->ifindex;
	return 0;
}

/* Returns 0 if the link is up, or is no longer the same; -ETIMEDOUT; -errno. */
static int wait_until_up(struct rtnl *rtnl, struct rtnl *events, struct waiting *waiting,
			 int64_t deadline_ms)
{
	int r = 0;

	while (r == 0 && !waiting->up && !waiting->gone) {
		r = rtnl_receive(events, deadline_ms, note_link, waiting);
		if (r == -ENOBUFS) /* some were lost */
			r = look(rtnl, waiting);
	}
	return r;
}

/* A link that stays down is no failure. */
static int tell_why(const char *ifname, int error, int seconds)
{
	if (error == -ETIMEDOUT) {
		log_line(
			LOG_WARNING,
			"%s: the link is still down after %d s: its default route is pending; once it is up, run: sixxs-route apply %s",
			ifname, seconds, ifname);
		return 0;
	}
	log_line(
		LOG_ERR,
		"%s: cannot wait for the link to come up: %s: once it is up, run: sixxs-route apply %s",
		ifname, strerror(-error), ifname);
	return error;
}

/* Subscribed before the first look: whatever happens after it is told. */
static int wait_for_route(const struct settings *settings, struct rtnl *rtnl,
			  const char *ifname, const struct outcome *first)
{
	const int seconds = seconds_to_wait(first->wait);
	const int64_t deadline_ms = rtnl_now_ms() + (int64_t)seconds * 1000;
	struct waiting waiting = {.ifindex = first->pending, .ifname = ifname};
	struct outcome outcome = *first;
	struct rtnl events = {0};
	int r, result = 0;

	if (seconds <= 0)
		return 0;
	r = rtnl_open(&events, RTMGRP_LINK);
	if (r == 0)
		r = look(rtnl, &waiting);
	while (r == 0 && outcome.pending == waiting.ifindex) {
		r = wait_until_up(rtnl, &events, &waiting, deadline_ms);
		if (r < 0 || waiting.gone)
			break;
		waiting.up = false;
		result = converge(settings, rtnl, ifname, AIM_SECTION, 0, &outcome);
	}
	rtnl_close(&events);
	return r < 0 ? tell_why(ifname, r, seconds) : result;
}

/*
 * An interface that comes is a connect of the tunnel's client; a replay and a new name
 * are none. Before any waiting for the link, which may well be killed.
 */
static void count(const struct settings *settings, const struct event *event,
		  const struct outcome *outcome)
{
	if (settings->dry_run)
		return;
	if (event->removal)
		guard_went(settings, event->ifname);
	else if (event->addition && !event->replay)
		guard_appeared(settings, event->ifname, &outcome->limit);
}

int handle_event(const struct settings *settings, struct rtnl *rtnl,
		 const struct event *event)
{
	const char *const names[] = {event->old_ifname, event->tag, event->ifname};
	const uint32_t gone = event->removal ? event->ifindex : 0;
	struct outcome outcome = {0};
	int result = 0;

	for (unsigned i = 0; i < 3; i++) {
		int r;

		if ((i < 2 && !strcmp(names[i], event->ifname)) ||
		    (i == 1 && !strcmp(names[1], names[0])) ||
		    !is_served(event, names[i]))
			continue;
		r = converge(settings, rtnl, names[i], AIM_SECTION, gone, &outcome);
		if (result == 0)
			result = r;
		if (i < 2)
			continue;
		count(settings, event, &outcome);
		r = outcome.pending ? wait_for_route(settings, rtnl, names[i], &outcome)
				    : 0;
		if (result == 0)
			result = r;
	}
	return result;
}
