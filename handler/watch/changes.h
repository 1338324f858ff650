/* SPDX-License-Identifier: MIT */
/*
 * One burst of rtnetlink notifications, boiled down to what there is to look at, each
 * thing once, and then to the tunnels that it is about. What that costs does not depend on
 * how many tunnels there are: whose a deleted object was is said by its owner's link.
 * Takes no lock: whoever acts looks again.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "netlink/rtnl.h"
#include "routing/object.h"
#include "settings.h"
#include "watch/followers.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define CHANGES_MAX 64

enum change_kind {
	CHANGE_LINK, /* the link IFNAME, IFINDEX came, went, went up or down, or got this name */
	CHANGE_ADDRESS, /* of the link IFINDEX: addresses, IPv6 as a whole, a default route of main */
	CHANGE_DELETION, /* OBJECT of ours was deleted, or OBJECT of others has its place, or
			    stands beside it */
};

/* Fields that a kind does not have are zero. */
struct change {
	enum change_kind kind;
	char ifname[IFNAMSIZ];
	uint32_t ifindex;
	struct object object;
	bool came;     /* OBJECT is what has come: what it replaced is not said */
	uint32_t port; /* netlink port of whoever deleted it; 0: the kernel itself */
};

struct changes {
	bool full;        /* there may be more to read: read it once these are done */
	uint32_t newest;  /* the highest ifindex of any link that was told of, ever */
	bool policy;      /* others added a rule that all packets meet, */
	bool policy_less; /* or took one away */
	bool gateways;    /* main's default routes changed, of which link is not said */
	unsigned n;
	struct change change[CHANGES_MAX];
};

/* All but what is of all bursts. */
void changes_clear(struct changes *changes);

/* The highest ifindex of all links, or NEWEST, where none is higher. */
uint32_t changes_find_newest(struct rtnl *rtnl, uint32_t newest);

/* Takes in what NLH tells, if it is for us. Not to be called once changes->full. */
void changes_take(struct changes *changes, const struct nlmsghdr *nlh);

/* A tunnel to be converged. */
struct affected {
	char ifname[IFNAMSIZ];
	bool link;     /* its link or the link's addresses changed */
	bool deletion; /* something of it was deleted: */
	struct object object;
	uint32_t port; /* 0: by the kernel itself */
};

/* That tunnels share, and into which default routes of others came. */
struct affected_table {
	uint32_t number;
	bool sourced; /* one for one source, which may be in a tunnel's place */
};

struct affected_tunnels {
	unsigned n, n_tables;
	struct affected tunnel[CHANGES_MAX];
	struct affected_table table[CHANGES_MAX];
};

/* Returns false if there may be more than *ret has: then every tunnel is to be looked at.
 */
bool changes_find_affected(const struct changes *changes, const struct settings *settings,
			   struct rtnl *rtnl, const struct followers *followers,
			   struct affected_tunnels *ret);

#endif
