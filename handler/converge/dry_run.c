/* SPDX-License-Identifier: MIT */
#include "converge/dry_run.h"

#include "netlink/dump.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

struct present {
	const struct plan *plan;
	bool *there;          /* per step: its object is in the kernel */
	struct object *slots; /* per step: our other route in its slot, table 0: none */
};

static int mark(void *data, const struct found *found)
{
	const struct present *present = data;

	for (size_t i = 0; found->ours && i < present->plan->n; i++) {
		const struct object *object = &present->plan->step[i].object;

		if (object_equal(object, &found->object))
			present->there[i] = true;
		else if (object_same_slot(object, &found->object) &&
			 object->oif == found->object.oif)
			present->slots[i] = found->object;
	}
	return 0;
}

static int look(struct rtnl *rtnl, struct present *present)
{
	int r = dump_rules(rtnl, AF_INET6, mark, present);

	if (r == 0)
		r = dump_rules(rtnl, AF_INET, mark, present);
	for (size_t i = 0; r == 0 && i < present->plan->n; i++) {
		const struct object *object = &present->plan->step[i].object;

		if (object->kind != OBJECT_RULE)
			r = dump_routes(rtnl, object->family, object->table, mark,
					present);
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

static bool is_planned(const struct plan *plan, size_t before, const struct object *gone)
{
	for (size_t i = 0; i < before; i++)
		if (plan->step[i].op == STEP_DELETE &&
		    object_equal(&plan->step[i].object, gone))
			return true;
	return false;
}

int dry_run(struct rtnl *rtnl, const struct plan *plan, FILE *out)
{
	struct present present = {.plan = plan,
				  .there = calloc(plan->n + 1, sizeof(bool)),
				  .slots = calloc(plan->n + 1, sizeof(struct object))};
	int r = present.there && present.slots ? look(rtnl, &present) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->step[i];
		const bool add = step->op == STEP_ADD;

		if (present.there[i] == add)
			continue;
		if (add && present.slots[i].table &&
		    !is_planned(plan, i, &present.slots[i]))
			r = print(out, STEP_DELETE, &present.slots[i]);
		if (r == 0)
			r = print(out, step->op, &step->object);
	}
	free(present.there);
	free(present.slots);
	fflush(out);
	return r;
}
