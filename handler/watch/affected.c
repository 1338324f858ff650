/* SPDX-License-Identifier: MIT */
#include "watch/affected.h"

#include "config/keys.h"
#include "lib/cleanup.h"
#include "state/owners.h"
#include "state/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct search {
	const struct settings *settings;
	struct rtnl *rtnl;
	const struct news *news;
	int runfd;
	struct targets *ret;
	bool incomplete;
};

static void put(struct search *search, const char *ifname, const struct loss *loss)
{
	struct targets *targets = search->ret;
	struct target *target = targets->target;

	for (unsigned i = 0; i < targets->n; i++, target++)
		if (!strcmp(target->ifname, ifname)) {
			target->lost &= loss != NULL;
			return;
		}
	if (targets->n == TARGETS_MAX) {
		search->incomplete = true;
		return;
	}
	snprintf(target->ifname, sizeof(target->ifname), "%s", ifname);
	target->lost = loss != NULL;
	if (loss)
		target->loss = *loss;
	targets->n++;
}

static bool has_drop_in(const char *conf_dir, const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.conf", conf_dir, ifname);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/*
 * Cheap, as any link may be meant. What has neither a record nor a drop-in of its own
 * name is no tunnel, or its handler has not looked at the link yet, and will.
 */
static void put_if_tunnel(struct search *search, const char *ifname)
{
	if (config_ifname_ok(ifname) &&
	    ((search->runfd >= 0 && record_exists(search->runfd, ifname)) ||
	     has_drop_in(search->settings->conf_dir, ifname)))
		put(search, ifname, NULL);
}

static void put_address(struct search *search, uint32_t ifindex)
{
	struct link link;
	const int r = rtnl_link_at(search->rtnl, ifindex, &link);

	if (r < 0)
		search->incomplete = true;
	else if (link.ifindex)
		put_if_tunnel(search, link.ifname);
}

/* What has replaced a route of ours has its place, and so is of the same table. */
static void put_owner(struct search *search, const struct loss *loss)
{
	const struct object table = {.kind = OBJECT_TABLE, .table = loss->object.table};
	char owner[IFNAMSIZ];
	int r = owners_get(search->runfd, &loss->object, "", owner);

	if (r == 0 && loss->object.kind != OBJECT_RULE)
		r = owners_get(search->runfd, &table, "", owner);
	if (r > 0)
		put(search, owner, loss);
	else if (r < 0)
		search->incomplete = true;
}

bool targets_find(struct targets *ret, const struct settings *settings, struct rtnl *rtnl,
		  const struct news *news)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);
	struct search search = {.settings = settings,
				.rtnl = rtnl,
				.news = news,
				.runfd = runfd,
				.ret = ret,
				/* whose the news are is not known */
				.incomplete = runfd < 0 && runfd != -ENOENT};

	ret->n = 0;
	for (unsigned i = 0; i < news->n_links; i++)
		put_if_tunnel(&search, news->link[i]);
	for (unsigned i = 0; i < news->n_addresses; i++)
		put_address(&search, news->address[i]);
	for (unsigned i = 0; runfd >= 0 && i < news->n_losses; i++)
		put_owner(&search, &news->loss[i]);
	return !search.incomplete;
}
