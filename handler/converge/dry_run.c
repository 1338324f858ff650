/* SPDX-License-Identifier: MIT */
#include "converge/dry_run.h"

#include "lib/array.h"
#include "netlink/dump.h"
#include "state/owners.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int put(void *data, const struct kernel_object *found)
{
	struct rehearsal *rehearsal = data;

	return found->ours ? array_append(&rehearsal->there, object, found->object) : 0;
}

int rehearsal_read(struct rehearsal *rehearsal, struct rtnl *rtnl)
{
	static const uint8_t families[] = {AF_INET6, AF_INET};
	int r = 0;

	if (rehearsal->read)
		return 0;
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		r = dump_rules(rtnl, families[i], put, rehearsal);
		if (r == 0)
			r = dump_our_routes(rtnl, families[i], 0, 0, put, rehearsal);
	}
	rehearsal->read = r == 0;
	return r;
}

static struct taken *find_taken(const struct rehearsal *rehearsal,
				const struct object *object)
{
	for (size_t i = 0; i < rehearsal->n; i++)
		if (object_equal(&rehearsal->taken[i].object, object))
			return &rehearsal->taken[i];
	return NULL;
}

bool rehearsal_is_taken(const struct rehearsal *rehearsal, const struct object *object,
			const char *ifname)
{
	const struct taken *taken = find_taken(rehearsal, object);

	return taken && strcmp(taken->ifname, ifname) != 0;
}

static bool is_in_conflict(const struct taken *taken, const struct object *table,
			   const char *ifname)
{
	const struct object *other = &taken->object;

	return other->kind == OBJECT_TABLE && table->kind == OBJECT_TABLE &&
	       other->table == table->table && strcmp(taken->ifname, ifname) != 0 &&
	       !(object_is_shared(other) && object_is_shared(table));
}

bool rehearsal_conflict(const struct rehearsal *rehearsal, const struct objects *wanted,
			const char *ifname, struct table_conflict *ret)
{
	for (size_t i = 0; i < wanted->n; i++)
		for (size_t k = 0; k < rehearsal->n; k++) {
			const struct taken *taken = &rehearsal->taken[k];

			if (!is_in_conflict(taken, &wanted->object[i], ifname))
				continue;
			*ret = (struct table_conflict){
				.table = taken->object.table,
				.shared = object_is_shared(&taken->object)};
			memcpy(ret->holder, taken->ifname, IFNAMSIZ);
			return true;
		}
	return false;
}

static struct taken taken_by(const struct object *object, const char *ifname)
{
	struct taken ret = {.object = *object};

	memcpy(ret.ifname, ifname, strnlen(ifname, IFNAMSIZ - 1));
	return ret;
}

static int take(struct rehearsal *rehearsal, const struct objects *wanted,
		const char *ifname)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		struct taken *taken = find_taken(rehearsal, &wanted->object[i]);
		const struct taken more = taken_by(&wanted->object[i], ifname);

		if (taken)
			*taken = more;
		else
			r = array_append(rehearsal, taken, more);
	}
	return r;
}

struct sharers {
	struct shares *shares;
	const struct object *object;
};

static int note_share(void *data, const char *ifname)
{
	const struct sharers *sharers = data;

	return array_append(sharers->shares, share, taken_by(sharers->object, ifname));
}

/* Returns 1: it was the last; 0: others share it still; -errno. */
static int leave(struct rehearsal *rehearsal, const struct claimant *claimant,
		 const struct object *object)
{
	struct shares *shares = &rehearsal->shares;
	struct sharers sharers = {.shares = shares, .object = object};
	int r = 0, last = 1;

	if (!objects_have(&rehearsal->shared, object)) {
		r = owners_each_sharer(claimant->runfd, object, note_share, &sharers);
		if (r == 0)
			r = objects_put(&rehearsal->shared, object);
	}
	for (size_t i = 0; i < shares->n;)
		if (!object_equal(&shares->share[i].object, object)) {
			i++;
		} else if (!strcmp(shares->share[i].ifname, claimant->ifname)) {
			shares->share[i] = shares->share[--shares->n];
		} else {
			last = 0;
			i++;
		}
	return r < 0 ? r : last;
}

int rehearsal_own(struct rehearsal *rehearsal, const struct claimant *claimant,
		  const struct objects *old, const struct objects *wanted,
		  struct objects *gone)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < old->n; i++) {
		const struct object *object = &old->object[i];

		if (!object_is_shared(object) || !object_is_in_kernel(object) ||
		    objects_have(wanted, object))
			continue;
		r = leave(rehearsal, claimant, object);
		if (r > 0)
			r = objects_put(gone, object);
	}
	for (size_t i = 0; i < gone->n;)
		if (rehearsal_is_taken(rehearsal, &gone->object[i], claimant->ifname))
			objects_drop(gone, &gone->object[i]);
		else
			i++;
	return r < 0 ? r : take(rehearsal, wanted, claimant->ifname);
}

static int print(FILE *out, enum step_op op, const struct object *object)
{
	char text[OBJECT_COMMAND_STRLEN], ifname[IFNAMSIZ] = "";

	if (object->oif && !if_indextoname(object->oif, ifname))
		return errno == ENXIO ? 0 : -errno; /* the link took its route along */
	object_format_ip(object, op == STEP_ADD, ifname, text);
	fprintf(out, "%s\n", text);
	return 0;
}

static int delete (struct rehearsal *rehearsal, struct object object, FILE *out)
{
	objects_drop(&rehearsal->there, &object);
	return print(out, STEP_DELETE, &object);
}

/* As execute evicts: any route of ours that is not the wanted one leaves its table. */
static bool is_in_way(const struct object *object, const struct object *wanted)
{
	return object_excludes(object, wanted) ||
	       (object->kind == OBJECT_ROUTE && wanted->kind == OBJECT_ROUTE &&
		object->family == wanted->family && object->table == wanted->table &&
		prefix_equal(&object->source, &wanted->source));
}

/* In a table that is shared already what is in its rule's way is left to a sweep. */
static bool joins(int runfd, const struct object *wanted)
{
	return object_is_shared(wanted) && runfd >= 0 && owners_is_shared(runfd, wanted);
}

static int add(struct rehearsal *rehearsal, int runfd, const struct object *wanted,
	       FILE *out)
{
	const bool clears = !joins(runfd, wanted);
	int r = 0;

	for (size_t i = 0; clears && r == 0 && i < rehearsal->there.n;)
		if (is_in_way(&rehearsal->there.object[i], wanted) &&
		    !object_equal(&rehearsal->there.object[i], wanted))
			r = delete (rehearsal, rehearsal->there.object[i], out);
		else
			i++;
	if (r < 0 || objects_have(&rehearsal->there, wanted))
		return r;
	r = array_append(&rehearsal->there, object, *wanted);
	return r < 0 ? r : print(out, STEP_ADD, wanted);
}

int rehearsal_run(struct rehearsal *rehearsal, struct rtnl *rtnl, int runfd,
		  const struct plan *plan, FILE *out)
{
	int r = rehearsal_read(rehearsal, rtnl);

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->step[i];

		if (step->op == STEP_ADD)
			r = add(rehearsal, runfd, &step->object, out);
		else if (objects_have(&rehearsal->there, &step->object))
			r = delete (rehearsal, step->object, out);
	}
	return r;
}

int rehearsal_done(struct rehearsal *rehearsal, const char *ifname)
{
	char(*done)[IFNAMSIZ] = array_push(rehearsal->done, rehearsal->n_done);

	if (!done)
		return -ENOMEM;
	snprintf(*done, IFNAMSIZ, "%s", ifname);
	return 0;
}

bool rehearsal_is_done(const void *data, const char *ifname)
{
	const struct rehearsal *rehearsal = data;

	for (size_t i = 0; i < rehearsal->n_done; i++)
		if (!strcmp(rehearsal->done[i], ifname))
			return true;
	return false;
}

void rehearsal_free(struct rehearsal *rehearsal)
{
	objects_free(&rehearsal->there);
	free(rehearsal->done);
	objects_free(&rehearsal->shared);
	free(rehearsal->taken);
	free(rehearsal->shares.share);
	*rehearsal = (struct rehearsal){0};
}
