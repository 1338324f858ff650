/* SPDX-License-Identifier: MIT */
#include "host/surroundings.h"

#include "host/similar.h"
#include "kernel/astray.h"
#include "kernel/foreign.h"
#include "kernel/kernel_state.h"
#include "kernel/resolve.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "routing/plan.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct surroundings {
	struct rtnl rtnl;
	struct kernel_state state;
	const struct claims *claims;
	struct log_memory told; /* what is the same for every tunnel */
	bool refusing_known[2]; /* of IPv6, IPv4 */
	/* the priority of others' first rule but "lookup local" */
	uint32_t first_of_others[2];
};

static void close_all(struct surroundings *around)
{
	kernel_state_free(&around->state);
	rtnl_close(&around->rtnl);
}

/* ---- links -------------------------------------------------------------------------- */

static bool lacks_gateway(const struct section *section, uint8_t family)
{
	const struct prefix *gateway =
		family == AF_INET6 ? &section->gateway6 : &section->gateway4;

	return plan_has_family(section, family) && !gateway->family;
}

/* No event, and no answer of the kernel's, is about that name. */
static int warn_of_altname(struct surroundings *around, const struct claim *claim)
{
	char ifname[IFNAMSIZ];
	const int r = similar_altname(&around->rtnl, claim->section.ifname, ifname);

	if (r > 0)
		claim_say(around->claims, claim, SEVERITY_WARNING, claim->line,
			  SIMILAR_ALTNAME, claim->section.ifname, ifname);
	return r < 0 ? r : 0;
}

/* Where the kernel looks for each far address among the link's neighbours. */
static void warn_of_neighbours(const struct surroundings *around,
			       const struct claim *claim, const struct kernel_link *link)
{
	const struct section *section = &claim->section;
	const bool of_auto = section->source_kind != SOURCES_LISTED &&
			     !section->gateway6.family && !section->gateway4.family;

	if (link->noarp || section->no_route || section->gateway_auto ||
	    (!of_auto && !lacks_gateway(section, AF_INET6) &&
	     !lacks_gateway(section, AF_INET)))
		return;
	claim_say(
		around->claims, claim, SEVERITY_WARNING, claim_line(claim, "gateway"),
		"%s has neighbours, as Ethernet has: without a gateway every far address is looked for among them, and none is reached: set gateway = auto, or the next hop's address",
		section->ifname);
}

/*
 * A link that is up, and by which main has no default route of a family that has a source. One
 * of ours that stands had it once.
 */
static int warn_of_gateway(struct surroundings *around, const struct claim *claim,
			   const struct kernel_link *link)
{
	const struct objects ours = {.n = around->state.n_ours,
				     .object = around->state.ours};
	struct section section = claim->section;
	struct resolved resolved;
	const char *family;
	int r;

	if (!section.gateway_auto || !plan_is_up(&section, &link->link))
		return 0;
	r = resolve_auto(&around->rtnl, &link->link, &ours, &section, &resolved);
	if (r < 0 || !(resolved.no_gateway6 || resolved.no_gateway4))
		return r;
	family = !resolved.no_gateway4 ? "IPv6 " : !resolved.no_gateway6 ? "IPv4 " : "";
	claim_say(
		around->claims, claim, SEVERITY_WARNING, claim_line(claim, "gateway"),
		"gateway = auto: main has no %sdefault route by %s that tells the next hop: until it has, what the section selects finds no %sroute in table %u: set gateway to the next hop's address if none is to come",
		family, section.ifname, family, section.table);
	return 0;
}

/* ---- routes of main ----------------------------------------------------------------- */

/* Main's own default of a lower metric is used in its stead, and then is suppressed. */
static bool is_used(const struct surroundings *around, const struct kernel_route *route)
{
	for (size_t i = 0; !route->dst.len && i < around->state.n_foreign; i++) {
		const struct kernel_route *other = &around->state.foreign[i];

		if (other->family == route->family && other->table == RT_TABLE_MAIN &&
		    !other->dst.len && other->type == RTN_UNICAST &&
		    other->metric < route->metric)
			return false;
	}
	return true;
}

/* One so short is no network that main knows, but takes what was meant for the tunnel. */
static bool refuses_all(const struct surroundings *around,
			const struct kernel_route *route, uint8_t family)
{
	return route->family == family && route->table == RT_TABLE_MAIN &&
	       route->protocol != RTPROT_KERNEL && route->dst.len <= PREFER_MAIN_LENGTH &&
	       is_used(around, route);
}

static int read_refusing(struct surroundings *around, uint8_t family)
{
	bool *known = &around->refusing_known[family == AF_INET];
	int r = 0;

	if (!*known)
		r = kernel_state_read_refusing(&around->rtnl, family, &around->state);
	if (r == 0 && !*known)
		r = kernel_state_read_foreign(&around->rtnl, family, RT_TABLE_MAIN,
					      &around->state);
	*known |= r == 0;
	return r;
}

static int warn_of_refusing(struct surroundings *around, const struct claim *claim,
			    uint8_t family)
{
	int r;

	if (!claim->section.prefer_main || !plan_has_family(&claim->section, family))
		return 0;
	r = read_refusing(around, family);
	for (size_t i = 0; r == 0 && i < around->state.n_refusing; i++) {
		const struct kernel_route *route = &around->state.refusing[i];
		char dst[PREFIX_STRLEN] = "default", text[ASTRAY_STRLEN];

		if (!refuses_all(around, route, family))
			continue;
		if (route->dst.len)
			prefix_format(&route->dst, dst);
		snprintf(
			text, sizeof(text),
			"prefer_main lets a route of main come first that refuses packets (ip -%c route: %s %s metric %u): delete that route, or set prefer_main = no",
			family == AF_INET6 ? '6' : '4', foreign_type_word(route->type),
			dst, route->metric);
		if (!log_was_told(&around->told, text))
			claim_say(around->claims, claim, SEVERITY_WARNING,
				  claim_line(claim, "prefer_main"), "%s", text);
	}
	return r;
}

/* ---- routes of tables that tunnels share --------------------------------------------- */

/* Of one table, by the first claim to it. */
static int warn_of_foreign(struct surroundings *around, const struct claim *claim)
{
	struct kernel_state *state = &around->state;
	const size_t first = state->n_foreign;
	struct foreign_harm harm;
	char text[FOREIGN_EXPLAIN_STRLEN];
	const int r = kernel_state_read_foreign(&around->rtnl, AF_INET6,
						claim->section.table, state);

	if (r < 0 || state->n_foreign == first)
		return r;
	foreign_find(state->foreign + first, state->n_foreign - first, state->ours,
		     state->n_ours, &harm);
	if (!harm.n)
		return 0;
	foreign_explain(&harm, kernel_state_ifname(state, foreign_oif(harm.route)), text);
	if (!log_was_told(&around->told, text))
		claim_say(around->claims, claim, SEVERITY_WARNING,
			  claim_line(claim, "table"), "%s", text);
	return 0;
}

static int by_table(const void *a, const void *b)
{
	const struct claim *x = *(const struct claim *const *)a;
	const struct claim *y = *(const struct claim *const *)b;

	if (x->section.table != y->section.table)
		return x->section.table < y->section.table ? -1 : 1;
	return claim_order(x, y);
}

/* The kernel tells all of a table, which may be thousands of tunnels': it is asked once. */
static int look_at_shared(struct surroundings *around)
{
	const struct claims *claims = around->claims;
	const struct claim **sharing = calloc(claims->n + 1, sizeof(*sharing));
	size_t n = 0;
	int r = 0;

	if (!sharing)
		return -ENOMEM;
	for (size_t i = 0; i < claims->n; i++)
		if (claim_counts(claims->claim[i]) &&
		    claims->claim[i]->section.source_route)
			sharing[n++] = claims->claim[i];
	qsort(sharing, n, sizeof(*sharing), by_table);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!i || sharing[i]->section.table != sharing[i - 1]->section.table)
			r = warn_of_foreign(around, sharing[i]);
	free(sharing);
	return r;
}

/* ---- rules -------------------------------------------------------------------------- */

static void find_first_of_others(struct surroundings *around, uint8_t family)
{
	const struct kernel_rules *rules = kernel_state_rules(&around->state, family);
	size_t i = 0;

	while (i < rules->n && (rules->rule[i].protocol == OBJECT_PROTOCOL ||
				(rules->rule[i].action == FR_ACT_TO_TBL &&
				 rules->rule[i].table == RT_TABLE_LOCAL)))
		i++;
	around->first_of_others[family == AF_INET] =
		i < rules->n ? rules->rule[i].priority : UINT32_MAX;
}

/* Only a tunnel whose rules stand can be led astray, and by a rule before them. */
static bool may_go_astray(const struct surroundings *around, const struct object *wanted)
{
	return wanted->kind == OBJECT_RULE &&
	       around->first_of_others[wanted->family == AF_INET] <= wanted->priority &&
	       kernel_state_has(&around->state, wanted);
}

static int warn_of_rules(struct surroundings *around, const struct claim *claim,
			 const struct kernel_link *link)
{
	struct objects wanted = {0};
	char text[ASTRAY_STRLEN] = "";
	bool ask = false;
	int r = plan_wanted(&claim->section, &link->link, &wanted);

	for (size_t i = 0; r == 0 && i < wanted.n; i++)
		ask |= may_go_astray(around, &wanted.object[i]);
	if (ask)
		r = astray_find(&around->rtnl, &link->link, &wanted, text);
	if (r > 0 && !log_was_told(&around->told, text))
		claim_say(around->claims, claim, SEVERITY_WARNING, claim->line, "%s: %s",
			  claim->section.ifname, text);
	objects_free(&wanted);
	return r < 0 ? r : 0;
}

static int look(struct surroundings *around, const struct claim *claim)
{
	const struct kernel_link *link =
		kernel_state_link(&around->state, claim->section.ifname);
	int r = 0;

	if (link)
		warn_of_neighbours(around, claim, link);
	else
		r = warn_of_altname(around, claim);
	if (r == 0 && link)
		r = warn_of_gateway(around, claim, link);
	if (r == 0)
		r = warn_of_refusing(around, claim, AF_INET6);
	if (r == 0)
		r = warn_of_refusing(around, claim, AF_INET);
	return r == 0 && link && link->link.up ? warn_of_rules(around, claim, link) : r;
}

int surroundings_warn(const struct claims *claims)
{
	_cleanup_(close_all) struct surroundings around = {.claims = claims};
	int r = rtnl_open(&around.rtnl, 0);

	if (r == 0)
		r = kernel_state_read(&around.rtnl, &around.state);
	find_first_of_others(&around, AF_INET6);
	find_first_of_others(&around, AF_INET);
	for (size_t i = 0; r == 0 && i < claims->n; i++)
		if (claim_counts(claims->claim[i]))
			r = look(&around, claims->claim[i]);
	return r < 0 ? r : look_at_shared(&around);
}
