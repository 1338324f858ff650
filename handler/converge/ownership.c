/* SPDX-License-Identifier: MIT */
#include "converge/ownership.h"

#include "config/config.h"
#include "state/owners.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct table_search {
	const struct claimant *claimant;
	const struct settings *settings;
	const struct diagnostics *diagnostics;
	const struct object *table; /* as it is wanted */
	bool otherwise;             /* it is held in the other way: shared, or by one */
	bool *ret_used;
	struct table_conflict *ret;
	bool found;
};

/* Whether another's section wants the table in a way that leaves no room beside it. */
static bool is_in_way(const struct section *section, const struct object *table)
{
	return !section->no_route && section->table == table->table &&
	       !(section->source_route && object_is_shared(table));
}

/* What it has in the table is there until its own turn. */
static bool is_left(const struct table_search *search, const char *holder)
{
	const struct claimant *claimant = search->claimant;

	return search->otherwise && !search->ret->left &&
	       !(claimant->had_turn && claimant->had_turn(claimant->data, holder));
}

/* HOLDER has the table: it keeps it if its drop-in wants it still, or cannot be read. */
static int look_at_holder(void *data, const char *holder)
{
	struct table_search *search = data;
	struct tunnel tunnel;
	int r;

	if (search->found || !strcmp(holder, search->claimant->ifname))
		return 0;
	r = config_find(search->settings, holder, search->diagnostics, &tunnel);
	search->found = r < 0;
	for (unsigned i = 0; r > 0 && i < tunnel.n; i++)
		search->found |= is_in_way(&tunnel.section[i], search->table);
	if (!search->found && !is_left(search, holder))
		return 0;
	search->ret->left = !search->found;
	search->ret->unread = r < 0 ? r : 0;
	snprintf(search->ret->holder, IFNAMSIZ, "%s", holder);
	return 0;
}

/* Returns 1 with *ret, 0 or -errno. */
static int find_holder(struct table_search *search)
{
	const struct claimant *claimant = search->claimant;
	struct object own = *search->table;
	char holder[IFNAMSIZ];
	int r;

	/* who shares it already is in nobody's way, whatever the others want now */
	if (object_is_shared(search->table) &&
	    owners_is_shared(claimant->runfd, search->table))
		return 0;
	own.selector = 0;
	r = owners_get(claimant->runfd, &own, claimant->ifname, holder);
	search->otherwise = (r == -EISDIR) != object_is_shared(search->table);
	*search->ret_used |= !object_is_shared(search->table) && holder[0] &&
			     strcmp(holder, claimant->ifname) != 0;
	if (r > 0)
		look_at_holder(search, holder);
	if (r == -EISDIR && search->otherwise) {
		search->ret->shared = true;
		r = owners_each_sharer(claimant->runfd, &own, look_at_holder, search);
	}
	if (r < 0 && r != -EISDIR)
		return r;
	return search->found || search->ret->left;
}

int ownership_conflict(const struct claimant *claimant, const struct settings *settings,
		       const struct diagnostics *diagnostics,
		       const struct objects *wanted, bool *ret_used,
		       struct table_conflict *ret)
{
	*ret_used = false;
	for (size_t i = 0; i < wanted->n; i++) {
		struct table_search search = {.claimant = claimant,
					      .settings = settings,
					      .diagnostics = diagnostics,
					      .table = &wanted->object[i],
					      .ret_used = ret_used,
					      .ret = ret};
		int r;

		if (search.table->kind != OBJECT_TABLE)
			continue;
		*ret = (struct table_conflict){.table = search.table->table};
		r = find_holder(&search);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Who has a shared rule is said by who shares its table. */
static bool has_owner_file(const struct object *object)
{
	return object_is_owned(object) &&
	       !(object->kind == OBJECT_RULE && object_is_shared(object));
}

/* Something that may not stand beside the table's shared rule. */
static bool have_for_all(const struct objects *objects, const struct object *table)
{
	const struct object rule = {.kind = OBJECT_RULE,
				    .family = AF_INET6,
				    .table = table->table,
				    .selector = SELECT_ALL};

	for (size_t i = 0; i < objects->n; i++)
		if (object_excludes(&objects->object[i], &rule))
			return true;
	return false;
}

static bool becomes_shared(const struct objects *old, const struct object *wanted)
{
	return wanted->kind == OBJECT_TABLE && object_is_shared(wanted) &&
	       have_for_all(old, wanted);
}

static int take(const struct claimant *claimant, const struct objects *old,
		const struct object *object)
{
	char owner[IFNAMSIZ];

	/* what is new has no owner most often */
	if (!object_is_shared(object) && objects_have(old, object) &&
	    owners_get(claimant->runfd, object, claimant->ifname, owner) > 0 &&
	    !strcmp(owner, claimant->ifname))
		return 0;
	return owners_set(claimant->runfd, object, claimant->ifname);
}

/* It stays its own until then. */
static int take_to_share(const struct claimant *claimant, const struct objects *old,
			 const struct object *table)
{
	struct object own = *table;

	if (owners_is_shared(claimant->runfd, table))
		return take(claimant, old, table);
	own.selector = 0;
	return take(claimant, old, &own);
}

int ownership_take(const struct claimant *claimant, const struct objects *old,
		   const struct objects *wanted, bool *ret_fresh)
{
	*ret_fresh = true;
	for (size_t i = 0; i < wanted->n; i++) {
		const struct object *object = &wanted->object[i];
		int r = 0;

		if (becomes_shared(old, object))
			r = take_to_share(claimant, old, object);
		else if (has_owner_file(object))
			r = take(claimant, old, object);
		if (r < 0)
			return r;
		if (r > 0 && object->kind == OBJECT_TABLE)
			*ret_fresh = false;
	}
	return 0;
}

/* Returns 1: nobody else may want it; 0: another tunnel does; -errno. */
static int may_delete(const struct claimant *claimant, const struct object *object)
{
	char owner[IFNAMSIZ];
	const int r = object_is_owned(object) ? owners_get(claimant->runfd, object,
							   claimant->ifname, owner)
					      : 0;

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

		if (objects_have(holds, object) || !has_owner_file(object))
			continue;
		r = object_is_shared(object) ? 1 : may_delete(claimant, object);
		if (r > 0)
			r = owners_clear(claimant->runfd, object, claimant->ifname);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Once what was there for all sources has gone. */
static int share(const struct claimant *claimant, const struct objects *old,
		 const struct objects *wanted, const struct objects *holds)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < wanted->n; i++)
		if (becomes_shared(old, &wanted->object[i]) &&
		    !have_for_all(holds, &wanted->object[i]))
			r = owners_set(claimant->runfd, &wanted->object[i],
				       claimant->ifname);
	return r < 0 ? r : 0;
}

int ownership_release(const struct claimant *claimant, const struct objects *old,
		      const struct objects *wanted, const struct objects *holds)
{
	int r = share(claimant, old, wanted, holds);

	if (r == 0)
		r = release(claimant, old, holds);
	return r < 0 ? r : release(claimant, wanted, holds);
}
