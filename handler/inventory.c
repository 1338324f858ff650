/* SPDX-License-Identifier: MIT */
#include "inventory.h"

#include "grow.h"
#include "pathmsg.h"
#include "rttables.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

union request {
	struct nlmsghdr nlh;
	char bytes[RTMSG_REQUEST_MAX];
};

static int put_link(void *data, const struct nlmsghdr *nlh)
{
	struct inventory *inventory = data;
	struct link *more;
	struct link link;
	int r = rtmsg_get_link(nlh, &link);

	if (r < 0)
		return r;
	more = grow(inventory->link, inventory->n_links, sizeof(link));
	if (!more)
		return -ENOMEM;
	inventory->link = more;
	more[inventory->n_links++] = link;
	return 0;
}

static int put_own(void *data, const struct nlmsghdr *nlh)
{
	struct inventory *inventory = data;
	struct found found;
	struct own *more;
	int r = rtmsg_get_found(nlh, &found);

	if (r <= 0 || !found.ours)
		return r < 0 ? r : 0;
	more = grow(inventory->own, inventory->n_own, sizeof(*more));
	if (!more)
		return -ENOMEM;
	inventory->own = more;
	more[inventory->n_own++] = (struct own){.object = found.object};
	return 0;
}

static int put_rule(void *data, const struct nlmsghdr *nlh)
{
	struct inventory *inventory = data;
	struct policy_rule rule, *more;
	struct policy *policy;
	int r = pathmsg_get_rule(nlh, &rule);

	if (r < 0)
		return r;
	policy = rule.from.family == AF_INET6 ? &inventory->policy6 : &inventory->policy4;
	more = grow(policy->rule, policy->n, sizeof(rule));
	if (!more)
		return -ENOMEM;
	policy->rule = more;
	more[policy->n++] = rule;
	return put_own(data, nlh);
}

struct names {
	struct inventory *inventory;
	int r;
};

/* A name longer than any of ours is cut: it is only shown. */
static void put_name(void *data, uint32_t number, const char *name)
{
	struct names *names = data;
	struct inventory *inventory = names->inventory;
	struct table_name *more =
		grow(inventory->name, inventory->n_names, sizeof(*more));
	struct table_name *entry;

	if (!more) {
		names->r = -ENOMEM;
		return;
	}
	inventory->name = more;
	entry = &more[inventory->n_names];
	*entry = (struct table_name){.entry.number = number,
				     .order = inventory->n_names++};
	strncpy(entry->entry.name, name, sizeof(entry->entry.name) - 1);
}

static int put_own_name(void *data, const struct name_entry *entry)
{
	put_name(data, entry->number, entry->name);
	return ((struct names *)data)->r;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int by_ifname(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->ifname, ((const struct link *)b)->ifname);
}

static int by_object(const void *a, const void *b)
{
	return object_compare(&((const struct own *)a)->object,
			      &((const struct own *)b)->object);
}

static int by_number(const void *a, const void *b)
{
	const struct table_name *x = a, *y = b;

	if (x->entry.number != y->entry.number)
		return x->entry.number < y->entry.number ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int sort(struct inventory *inventory)
{
	const size_t n = inventory->n_links;

	inventory->by_name = calloc(n + 1, sizeof(struct link));
	if (!inventory->by_name)
		return -ENOMEM;
	if (n) {
		memcpy(inventory->by_name, inventory->link, n * sizeof(struct link));
		qsort(inventory->link, n, sizeof(struct link), by_ifindex);
		qsort(inventory->by_name, n, sizeof(struct link), by_ifname);
	}
	inventory->n_by_name = n;
	if (inventory->n_own)
		qsort(inventory->own, inventory->n_own, sizeof(struct own), by_object);
	if (inventory->n_names)
		qsort(inventory->name, inventory->n_names, sizeof(struct table_name),
		      by_number);
	return 0;
}

static int read_family(struct rtnl *rtnl, uint8_t family, struct inventory *inventory)
{
	union request request;
	int r;

	pathmsg_put_rules(&request, family);
	r = rtnl_dump(rtnl, &request.nlh, put_rule, inventory);
	if (r < 0)
		return r;
	pathmsg_put_routes(&request, family);
	return rtnl_dump(rtnl, &request.nlh, put_own, inventory);
}

int inventory_read(struct rtnl *rtnl, int runfd, struct inventory *ret)
{
	struct names names = {.inventory = ret};
	union request request;
	int r;

	*ret = (struct inventory){0};
	pathmsg_put_links(&request);
	r = rtnl_dump(rtnl, &request.nlh, put_link, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET6, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET, ret);
	if (r < 0)
		return r;
	rttables_each(put_name, &names);
	if (runfd >= 0 && names.r == 0)
		names.r = names_each(runfd, put_own_name, &names);
	return names.r < 0 ? names.r : sort(ret);
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->link);
	free(inventory->by_name);
	free(inventory->own);
	free(inventory->name);
	free(inventory->policy6.rule);
	free(inventory->policy4.rule);
	*inventory = (struct inventory){0};
}

struct link inventory_link(const struct inventory *inventory, const char *ifname)
{
	const struct link *found;
	struct link key = {0};

	strncpy(key.ifname, ifname, sizeof(key.ifname) - 1);
	found = bsearch(&key, inventory->by_name, inventory->n_by_name, sizeof(key),
			by_ifname);
	return found ? *found : (struct link){0};
}

const char *inventory_ifname(const struct inventory *inventory, uint32_t ifindex)
{
	const struct link key = {.ifindex = ifindex};
	const struct link *found = NULL;

	if (inventory->n_links)
		found = bsearch(&key, inventory->link, inventory->n_links, sizeof(key),
				by_ifindex);
	return found ? found->ifname : NULL;
}

const char *inventory_table(const struct inventory *inventory, uint32_t table)
{
	size_t low = 0, high = inventory->n_names;

	while (low < high) { /* to behind the last of that number */
		const size_t middle = low + (high - low) / 2;

		if (inventory->name[middle].entry.number <= table)
			low = middle + 1;
		else
			high = middle;
	}
	return low && inventory->name[low - 1].entry.number == table
		       ? inventory->name[low - 1].entry.name
		       : NULL;
}

bool inventory_name_taken(const struct inventory *inventory,
			  const struct name_entry *entry)
{
	for (size_t i = 0; i < inventory->n_names; i++) {
		const struct name_entry *other = &inventory->name[i].entry;

		if ((other->number == entry->number) != !strcmp(other->name, entry->name))
			return true;
	}
	return false;
}

bool inventory_claim(struct inventory *inventory, const struct object *object)
{
	const struct own key = {.object = *object};
	struct own *found = NULL;

	if (inventory->n_own)
		found = bsearch(&key, inventory->own, inventory->n_own, sizeof(key),
				by_object);
	if (found)
		found->claimed = true;
	return found;
}

const struct policy *inventory_policy(const struct inventory *inventory, uint8_t family)
{
	return family == AF_INET6 ? &inventory->policy6 : &inventory->policy4;
}
