/* SPDX-License-Identifier: MIT */
#include "converge/dry_run.h"

#include "netlink/dump.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

struct present {
	const struct plan *plan;
	bool *ret; /* per step: its object is in the kernel */
	struct object
		*ret_slots; /* per step: our other route in its slot, table 0: none */
};

static int mark(void *data, const struct found *found)
{
	const struct present *present = data;

	for (unsigned i = 0; found->ours && i < present->plan->n; i++) {
		const struct object *object = &present->plan->step[i].object;

		if (object_equal(object, &found->object))
			present->ret[i] = true;
		else if (object_same_slot(object, &found->object) &&
			 object->oif == found->object.oif)
			present->ret_slots[i] = found->object;
	}
	return 0;
}

static int look(struct rtnl *rtnl, struct present *present)
{
	int r = dump_rules(rtnl, AF_INET6, mark, present);

	if (r == 0)
		r = dump_rules(rtnl, AF_INET, mark, present);
	for (unsigned i = 0; r == 0 && i < present->plan->n; i++) {
		const struct object *object = &present->plan->step[i].object;

		if (!object_is_rule(object))
			r = dump_routes(rtnl, object->family, object->table, mark,
					present);
	}
	return r;
}

static int print(FILE *out, enum step_op op, const struct object *object)
{
	char text[OBJECT_STRLEN], ifname[IFNAMSIZ] = "";

	if (object->oif && !if_indextoname(object->oif, ifname))
		return errno == ENXIO ? 0 : -errno; /* the link took its route along */
	object_format_ip(object, op == STEP_ADD, ifname, text);
	return fprintf(out, "%s\n", text) < 0 ? -errno : 0;
}

static bool is_planned(const struct plan *plan, unsigned before,
		       const struct object *gone)
{
	for (unsigned i = 0; i < before; i++)
		if (plan->step[i].op == STEP_DELETE &&
		    object_equal(&plan->step[i].object, gone))
			return true;
	return false;
}

int rehearse(struct rtnl *rtnl, const struct plan *plan, FILE *out)
{
	bool there[PLAN_MAX] = {false};
	struct object slots[PLAN_MAX];
	struct present present = {.plan = plan, .ret = there, .ret_slots = slots};
	int r;

	for (unsigned i = 0; i < plan->n; i++)
		slots[i].table = 0;
	r = look(rtnl, &present);
	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->step[i];
		const bool add = step->op == STEP_ADD;

		if (there[i] == add)
			continue;
		if (add && slots[i].table && !is_planned(plan, i, &slots[i]))
			r = print(out, STEP_DELETE, &slots[i]);
		if (r == 0)
			r = print(out, step->op, &step->object);
	}
	return r == 0 && fflush(out) == EOF ? -errno : r;
}
