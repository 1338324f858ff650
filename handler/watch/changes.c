/* SPDX-License-Identifier: MIT */
#include "watch/changes.h"

#include "config/keys.h"
#include "lib/cleanup.h"
#include "netlink/attr.h"
#include "netlink/decode.h"
#include "netlink/dump.h"
#include "state/owners.h"
#include "state/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void changes_clear(struct changes *changes)
{
	changes->full = changes->gateways = false;
	changes->policy = changes->policy_less = false;
	changes->n = 0;
}

static bool is_same(const struct change *a, const struct change *b)
{
	return a->kind == b->kind && !strcmp(a->ifname, b->ifname) &&
	       a->ifindex == b->ifindex && object_equal(&a->object, &b->object);
}

/* Of what was deleted twice, the last to do so is the one to name. */
static void put(struct changes *changes, const struct change *change)
{
	for (unsigned i = 0; i < changes->n; i++)
		if (is_same(&changes->change[i], change)) {
			changes->change[i].came |= change->came;
			changes->change[i].port = change->port;
			return;
		}
	changes->change[changes->n++] = *change;
	changes->full = changes->n == CHANGES_MAX;
}

static void note_ifindex(struct changes *changes, uint32_t ifindex)
{
	if (ifindex > changes->newest)
		changes->newest = ifindex;
}

/* IPv6's part of a link tells of its return there, by a message of its own family. */
static void take_link(struct changes *changes, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = attr_header(nlh, sizeof(*ifi));
	struct change change = {.kind = CHANGE_LINK};
	struct kernel_link link;

	if (ifi && ifi->ifi_family == AF_INET6 && ifi->ifi_index > 0) {
		change.kind = CHANGE_ADDRESS;
		change.ifindex = (uint32_t)ifi->ifi_index;
		put(changes, &change);
		return;
	}
	if (decode_link(nlh, &link) < 0)
		return;
	note_ifindex(changes, link.link.ifindex);
	memcpy(change.ifname, link.link.ifname, IFNAMSIZ);
	change.ifindex = link.link.ifindex;
	put(changes, &change);
}

/* Also one that is now tentative or a duplicate: it may have been in use before. */
static void take_address(struct changes *changes, const struct nlmsghdr *nlh)
{
	struct change change = {.kind = CHANGE_ADDRESS};
	struct kernel_address address;

	if (decode_address(nlh, &address) < 0)
		return;
	note_ifindex(changes, address.ifindex);
	change.ifindex = address.ifindex;
	put(changes, &change);
}

/*
 * Of what was replaced the kernel says no more than its place, which the new one has. One
 * of others that comes beside ours may be used in its stead.
 */
static void take_deletion(struct changes *changes, const struct nlmsghdr *nlh)
{
	const bool is_new = nlh->nlmsg_type == RTM_NEWROUTE;
	struct change change = {.kind = CHANGE_DELETION, .port = nlh->nlmsg_pid};
	struct kernel_object found;

	if (found_get(nlh, &found) <= 0)
		return;
	if (is_new ? found.ours && !(nlh->nlmsg_flags & NLM_F_REPLACE) : !found.ours)
		return;
	if (!is_new)
		note_ifindex(changes, found.object.oif);
	change.object = found.object;
	change.came = is_new;
	put(changes, &change);
}

static void take_rule(struct changes *changes, const struct nlmsghdr *nlh)
{
	struct kernel_rule rule;

	if (kernel_rule_get(nlh, &rule) == 0 && rule.protocol != OBJECT_PROTOCOL)
		*(nlh->nlmsg_type == RTM_NEWRULE ? &changes->policy
						 : &changes->policy_less) = true;
}

/* Returns whether it is one of main's default routes. */
static bool take_gateway(struct changes *changes, const struct nlmsghdr *nlh)
{
	struct change change = {.kind = CHANGE_ADDRESS};
	struct kernel_route route;

	if (kernel_route_get(nlh, &route) < 0 || route.table != RT_TABLE_MAIN ||
	    route.dst.len)
		return false;
	change.ifindex = route.oif;
	if (route.oif && !route.nexthop && !(nlh->nlmsg_flags & NLM_F_REPLACE))
		put(changes, &change);
	else
		changes->gateways = true;
	return true;
}

void changes_take(struct changes *changes, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(changes, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(changes, nlh);
		break;
	case RTM_DELROUTE:
	case RTM_NEWROUTE:
		if (!take_gateway(changes, nlh))
			take_deletion(changes, nlh);
		break;
	case RTM_DELRULE:
		take_deletion(changes, nlh);
		take_rule(changes, nlh);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		changes->gateways = true;
		break;
	case RTM_NEWRULE:
		take_rule(changes, nlh);
		break;
	}
}

static int take_ifindex(void *data, const struct nlmsghdr *nlh)
{
	uint32_t *newest = data;
	struct kernel_link link;

	if (decode_link(nlh, &link) == 0 && link.link.ifindex > *newest)
		*newest = link.link.ifindex;
	return 0;
}

uint32_t changes_find_newest(struct rtnl *rtnl, uint32_t newest)
{
	union request request;

	encode_dump_links(&request);
	dump_each(rtnl, &request.nlh, take_ifindex, &newest);
	return newest;
}

/* ---- whose they are ----------------------------------------------------------------- */

struct search {
	const struct settings *settings;
	struct rtnl *rtnl;
	const struct followers *followers;
	int runfd; /* -1: there is no run folder, and so no record and no owner */
	struct affected_tunnels *ret;
	bool incomplete;
};

/* NULL: there is no more room. */
static struct affected *find(struct search *search, const char *ifname)
{
	struct affected_tunnels *ret = search->ret;
	struct affected *tunnel = ret->tunnel;

	for (; tunnel < ret->tunnel + ret->n; tunnel++)
		if (!strcmp(tunnel->ifname, ifname))
			return tunnel;
	if (ret->n == CHANGES_MAX) {
		search->incomplete = true;
		return NULL;
	}
	ret->n++;
	*tunnel = (struct affected){.port = 0};
	snprintf(tunnel->ifname, sizeof(tunnel->ifname), "%s", ifname);
	return tunnel;
}

static void put_tunnel(struct search *search, const char *ifname)
{
	struct affected *tunnel = find(search, ifname);

	if (tunnel)
		tunnel->link = true;
}

static bool has_drop_in(const char *conf_dir, const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.conf", conf_dir, ifname);
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0 || errno != ENOENT;
}

/*
 * Cheap, as any link may be meant. What has neither a record nor a drop-in of its own
 * name is no tunnel, or its handler has not looked at the link yet, and will.
 */
static void put_link(struct search *search, const char *ifname)
{
	if (keys_ifname_ok(ifname) &&
	    ((search->runfd >= 0 && record_exists(search->runfd, ifname)) ||
	     has_drop_in(search->settings->conf_dir, ifname)))
		put_tunnel(search, ifname);
}

/* What "remove" has taken away is not brought back by what happens elsewhere. */
static void put_follower(struct search *search, const struct follower *follower)
{
	if (search->runfd >= 0 && record_exists(search->runfd, follower->ifname))
		put_tunnel(search, follower->ifname);
}

/* Also those that have their sources from there. */
static void put_followers(struct search *search, const char *ifname, uint32_t ifindex)
{
	for (size_t i = 0; i < search->followers->n; i++)
		if (follower_has_link(&search->followers->follower[i], ifname, ifindex))
			put_follower(search, &search->followers->follower[i]);
}

static void put_gateways(struct search *search)
{
	for (size_t i = 0; i < search->followers->n; i++)
		if (search->followers->follower[i].follows.gateway)
			put_follower(search, &search->followers->follower[i]);
}

static void put_address(struct search *search, uint32_t ifindex)
{
	struct link link;
	const int r = rtnl_link_at(search->rtnl, ifindex, &link);

	if (r < 0)
		search->incomplete = true;
	if (r < 0 || !link.ifindex)
		return;
	put_link(search, link.ifname);
	put_followers(search, link.ifname, ifindex);
}

static void put_table(struct affected_tunnels *ret, const struct object *route)
{
	const struct affected_table table = {.number = route->table,
					     .sourced = route->source.family};

	for (unsigned i = 0; i < ret->n_tables; i++)
		if (ret->table[i].number == table.number) {
			ret->table[i].sourced |= table.sourced;
			return;
		}
	ret->table[ret->n_tables++] = table; /* at most one a change */
}

/*
 * What has replaced a route of ours has its place, and so is of the same table; where
 * tunnels share it, one for any source has replaced none of theirs. What was
 * deleted and is nobody's by now was given up, by one who may follow other links from now
 * on; in a table that thousands share, it is no affair of the others. What the kernel took
 * and nobody has any more was taken with its link, whose own message was the reason to look.
 */
static void put_owner(struct search *search, const struct change *change)
{
	const struct object *object = &change->object;
	const struct object table = {.kind = OBJECT_TABLE, .table = object->table};
	struct affected *tunnel;
	char owner[IFNAMSIZ];
	int r = owners_get(search->runfd, object, "", owner);

	if (r == 0 && object->kind != OBJECT_RULE && (change->came || change->port))
		r = owners_get(search->runfd, &table, "", owner);
	if (r == -EISDIR && !change->came)
		return;
	if (r == -EISDIR && object->family == AF_INET6)
		put_table(search->ret, object);
	if (r == -EISDIR && !object->source.family)
		return;
	if (r < 0)
		search->incomplete = true;
	if (r <= 0)
		return;
	tunnel = find(search, owner);
	if (!tunnel)
		return;
	/* what somebody deleted, rather than what the kernel did */
	if (tunnel->deletion && !change->port)
		return;
	tunnel->deletion = true;
	tunnel->object = *object;
	tunnel->port = change->port;
}

bool changes_find_affected(const struct changes *changes, const struct settings *settings,
			   struct rtnl *rtnl, const struct followers *followers,
			   struct affected_tunnels *ret)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);
	struct search search = {.settings = settings,
				.rtnl = rtnl,
				.followers = followers,
				.runfd = runfd,
				.ret = ret,
				/* who the owners are is not known */
				.incomplete = runfd < 0 && runfd != -ENOENT};

	ret->n = ret->n_tables = 0;
	for (unsigned i = 0; i < changes->n; i++) {
		const struct change *change = &changes->change[i];

		switch (change->kind) {
		case CHANGE_LINK:
			put_link(&search, change->ifname);
			put_followers(&search, change->ifname, change->ifindex);
			break;
		case CHANGE_ADDRESS:
			put_address(&search, change->ifindex);
			break;
		case CHANGE_DELETION:
			if (runfd >= 0)
				put_owner(&search, change);
			break;
		}
	}
	if (changes->gateways)
		put_gateways(&search);
	return !search.incomplete;
}
