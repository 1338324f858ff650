/* SPDX-License-Identifier: MIT */
#include "converge/dry_run.h"

#include "lib/array.h"
#include "netlink/dump.h"

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

int rehearsal_take(struct rehearsal *rehearsal, const struct objects *wanted,
		   const char *ifname)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		struct taken *taken = find_taken(rehearsal, &wanted->object[i]);
		struct taken more = {.object = wanted->object[i]};

		memcpy(more.ifname, ifname, strnlen(ifname, IFNAMSIZ - 1));
		if (taken)
			*taken = more;
		else
			r = array_append(rehearsal, taken, more);
	}
	return r;
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

static int add(struct rehearsal *rehearsal, const struct object *wanted, FILE *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rehearsal->there.n;)
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

int rehearsal_run(struct rehearsal *rehearsal, struct rtnl *rtnl, const struct plan *plan,
		  FILE *out)
{
	int r = rehearsal_read(rehearsal, rtnl);

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->step[i];

		if (step->op == STEP_ADD)
			r = add(rehearsal, &step->object, out);
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

bool rehearsal_is_done(const struct rehearsal *rehearsal, const char *ifname)
{
	for (size_t i = 0; rehearsal && i < rehearsal->n_done; i++)
		if (!strcmp(rehearsal->done[i], ifname))
			return true;
	return false;
}

void rehearsal_free(struct rehearsal *rehearsal)
{
	objects_free(&rehearsal->there);
	free(rehearsal->done);
	free(rehearsal->taken);
	*rehearsal = (struct rehearsal){0};
}
