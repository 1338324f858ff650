/* SPDX-License-Identifier: MIT */
#include "converge/ownership.h"

#include "config/config.h"
#include "state/owners.h"

#include <errno.h>
#include <string.h>

/* Returns 1: it keeps the table; 0: it does not want it any more. */
static int keeps(const struct settings *settings, struct table_conflict *conflict)
{
	struct tunnel tunnel;
	const int r = config_find(settings, conflict->holder, NULL, &tunnel);

	conflict->unread = r < 0;
	return r < 0 || (r > 0 && tunnel.table == conflict->table);
}

int ownership_conflict(const struct claimant *claimant, const struct settings *settings,
		       const struct objects *wanted, struct table_conflict *ret)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct object *table = &wanted->object[i];
		int r;

		if (table->kind != OBJECT_TABLE)
			continue;
		*ret = (struct table_conflict){.table = table->table};
		r = owners_get(claimant->runfd, table, claimant->ifname, ret->holder);
		ret->shared = r == -EISDIR || r == -ENOTDIR;
		if (ret->shared)
			return 1;
		if (r > 0 && !object_is_shared(table) &&
		    strcmp(ret->holder, claimant->ifname) != 0)
			r = keeps(settings, ret);
		else if (r > 0)
			r = 0;
		if (r != 0)
			return r;
	}
	return 0;
}

int ownership_take(const struct claimant *claimant, const struct objects *old,
		   const struct objects *wanted)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		const struct object *object = &wanted->object[i];
		char owner[IFNAMSIZ];

		/* what is new has no owner most often */
		if (objects_have(old, object) && !object_is_shared(object) &&
		    owners_get(claimant->runfd, object, claimant->ifname, owner) > 0 &&
		    !strcmp(owner, claimant->ifname))
			continue;
		r = owners_set(claimant->runfd, object, claimant->ifname);
	}
	return r;
}

/* Returns 1: nobody else may want it; 0: another tunnel does; -errno. */
static int may_delete(const struct claimant *claimant, const struct object *object)
{
	char owner[IFNAMSIZ];
	const int r = owners_get(claimant->runfd, object, claimant->ifname, owner);

	if (r == -EISDIR || r == -ENOTDIR) /* a table that is used in another way now */
		return 0;
	return r < 0 ? r : r == 0 || !strcmp(owner, claimant->ifname);
}

int ownership_gone(const struct claimant *claimant, const struct objects *old,
		   const struct objects *wanted, struct objects *ret)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct object *object = &old->object[i];
		int r;

		if (objects_have(wanted, object))
			continue;
		r = may_delete(claimant, object);
		if (r > 0)
			r = objects_put(ret, object);
		if (r < 0)
			return r;
	}
	return 0;
}

static int release(const struct claimant *claimant, const struct objects *from,
		   const struct objects *holds)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct object *object = &from->object[i];
		int r;

		if (objects_have(holds, object))
			continue;
		r = object_is_shared(object) ? 1 : may_delete(claimant, object);
		if (r > 0)
			r = owners_clear(claimant->runfd, object, claimant->ifname);
		if (r < 0)
			return r;
	}
	return 0;
}

int ownership_release(const struct claimant *claimant, const struct objects *old,
		      const struct objects *wanted, const struct objects *holds)
{
	const int r = release(claimant, old, holds);

	return r < 0 ? r : release(claimant, wanted, holds);
}
