/* SPDX-License-Identifier: MIT */
#include "status/path.h"

#include "kernel/foreign.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool path_is_refused(const struct path *path)
{
	switch (path->reply.error) {
	case 0:
		return path->reply.type == RTN_UNREACHABLE ||
		       path->reply.type == RTN_BLACKHOLE ||
		       path->reply.type == RTN_PROHIBIT;
	case -ENETUNREACH:  /* no route at all, or a rule */
	case -EHOSTUNREACH: /* an unreachable route */
	case -EACCES:       /* prohibit */
	case -EINVAL:       /* blackhole */
		return true;
	default:
		return false;
	}
}

bool path_is_by(const struct path *path, const struct route_reply *reply)
{
	/* of a bound socket IPv4 says so even where there is no route at all */
	const bool bound = path->wanted.selector == SELECT_OUT;

	/* an address of this host stands on its link, but nothing leaves for it */
	return !reply->error && path->tunnel && reply->oif == path->tunnel &&
	       !reply->other_oif && reply->type != RTN_LOCAL && (!bound || reply->table);
}

/* Of a rule that comes before ours, ours as well and of the same selector. */
static enum reason reason_of_ours(const struct kernel_rule *rule,
				  const struct object *own, bool prefer_main)
{
	struct object object;

	if (!kernel_rule_object(rule, &object) || !object_same_selector(&object, own))
		return REASON_OTHER_RULE;
	if (!object.prefers_main) /* own is the backup, but at one priority it is luck */
		return rule->priority < own->priority ? REASON_PRIMARY
						      : REASON_OTHER_RULE;
	return prefer_main ? REASON_PREFER_MAIN : REASON_OTHER_RULE;
}

/* By the rule of tunnels that share another table, but by a route there of none of them. */
static bool is_others_route(const struct path *path, const struct kernel_rule *rule)
{
	struct object object;

	return kernel_rule_object(rule, &object) && object.selector == SELECT_ALL &&
	       path->reply.protocol != OBJECT_PROTOCOL;
}

/* Of a bound socket IPv4 names the link, and no table, where no route takes the packet. */
static bool leaks(const struct path *path, const struct path_tunnel *tunnel)
{
	return tunnel->refuses && !path_is_refused(path) && path->reply.table;
}

static enum reason find_reason(struct path *path, const struct path_tunnel *tunnel,
			       const struct kernel_rules *policy)
{
	const bool refused = path_is_refused(path);
	const struct lookup_result result = {.refused = refused,
					     .table = path->reply.table,
					     .dst_len = path->route.dst.len};
	const struct kernel_rule *rule;

	if (path->no_link)
		return REASON_NO_LINK;
	if (path->reply.error && !refused)
		return REASON_ERROR;
	if (path_is_by(path, &path->reply))
		return path->some || path->taker ? REASON_SOME : REASON_NONE;
	if (!path->local && refused)
		return REASON_NOT_LOCAL;
	if (!tunnel->has_rule)
		return REASON_NO_RULE;
	if (tunnel->held && !leaks(path, tunnel))
		return REASON_HELD;
	if (!tunnel->up && !leaks(path, tunnel))
		return REASON_WAITING;
	rule = policy_first_explaining_rule(policy, policy_place(policy, &path->wanted),
					    &path->packet, &result);
	if (rule && is_others_route(path, rule))
		return REASON_OTHER_ROUTE;
	if (rule) {
		path->rule = *rule;
		return reason_of_ours(rule, &path->wanted, tunnel->prefer_main);
	}
	if (!refused && path->reply.table == path->wanted.table)
		return REASON_OTHER_ROUTE;
	path->lack = tunnel->lack;
	if (!tunnel->has_route || (tunnel->lack == LACK_OTHERS &&
				   (!refused || path->reply.error == -ENETUNREACH)))
		return REASON_NO_ROUTE;
	return refused ? REASON_REFUSED : REASON_OTHER;
}

static bool refuses(const struct kernel_route *route, const struct packet *packet,
		    uint32_t table)
{
	return route->table == table && route->family == packet->to.family &&
	       prefix_covers(&route->dst, &packet->to) &&
	       prefix_covers(&route->src, &packet->from);
}

void path_find_refusing(struct path *path, const struct kernel_rules *policy,
			const struct kernel_route *refusing, size_t n)
{
	const struct kernel_route *found = NULL;

	for (size_t i = 0; i < policy->n && !found; i++) {
		const struct kernel_rule *rule = &policy->rule[i];

		if (rule->action != FR_ACT_TO_TBL || !policy_match(rule, &path->packet))
			continue;
		for (size_t k = 0; k < n; k++)
			if (refuses(&refusing[k], &path->packet, rule->table) &&
			    (!found || refusing[k].dst.len > found->dst.len))
				found = &refusing[k];
	}
	if (found)
		path->route = (struct route_reply){.type = found->type,
						   .protocol = found->protocol,
						   .dst = found->dst,
						   .metric = found->metric,
						   .table = found->table};
}

void path_judge(struct path *path, const struct path_tunnel *tunnel,
		const struct kernel_rules *policy)
{
	path->reason = find_reason(path, tunnel, policy);
}

/* "leaves by net0 (table main)", "is refused (No route to host)" */
static void format_way(const struct path *path, const char *ifname, const char *table,
		       char *ret, size_t size)
{
	if (path->reply.error)
		snprintf(ret, size, "is refused (%s)", strerror(-path->reply.error));
	else if (path_is_refused(path))
		snprintf(ret, size, "is refused by table %.64s", table);
	else if (path->reason == REASON_NONE || path->reason == REASON_SOME)
		snprintf(ret, size, "leaves by %.64s", ifname);
	else
		snprintf(ret, size, "leaves by %.64s (table %.64s)", ifname, table);
}

static void format_rule(const struct path *path, const char *ending, char *ret,
			size_t size)
{
	char text[POLICY_STRLEN], protocol[PROTOCOL_STRLEN];

	policy_format(&path->rule, text);
	policy_format_protocol(path->rule.protocol, protocol);
	snprintf(ret, size, "%.383s, %s, %s", text, protocol, ending);
}

/* "unreachable 2000::/3 of table main, metric 10, protocol 4 static, refuses it" */
static void format_refusing(const struct path *path, char *ret, size_t size)
{
	const struct route_reply *route = &path->route;
	char to[PREFIX_STRLEN] = "default", table[32] = "main", protocol[PROTOCOL_STRLEN];

	if (!route->table) {
		snprintf(ret, size, "a route refuses it, although ours is there");
		return;
	}
	if (route->dst.len)
		prefix_format(&route->dst, to);
	if (route->table != RT_TABLE_MAIN)
		snprintf(table, sizeof(table), "%u", route->table);
	policy_format_protocol(route->protocol, protocol);
	snprintf(ret, size, "%s %s of table %s, metric %u, %s, refuses it",
		 foreign_type_word(route->type), to, table, route->metric, protocol);
}

static void format_route(const struct path *path, char *ret, size_t size)
{
	char to[PREFIX_STRLEN] = "default", protocol[PROTOCOL_STRLEN];

	if (path->route.dst.len)
		prefix_format(&path->route.dst, to);
	policy_format_protocol(path->route.protocol, protocol);
	snprintf(ret, size, "another route of table %u is preferred: %s metric %u, %s",
		 path->reply.table, to, path->route.metric, protocol);
}

/* "another route of table 400 takes some: default from 2a02::/80 metric 1024, ..." */
static void format_taker(const struct path *path, char *ret, size_t size)
{
	const struct kernel_route *route = path->taker;
	char to[PREFIX_STRLEN] = "default", from[PREFIX_STRLEN];
	char protocol[PROTOCOL_STRLEN];

	if (route->dst.len)
		prefix_format(&route->dst, to);
	prefix_format(&route->src, from);
	policy_format_protocol(route->protocol, protocol);
	snprintf(ret, size,
		 "another route of table %u takes some: %s from %s metric %u, %s",
		 route->table, to, from, route->metric, protocol);
}

static void format_lack(const struct path *path, char *ret, size_t size)
{
	static const char *const texts[] = {
		[LACK_ROUTE] = "has no default route",
		[LACK_GATEWAY] =
			"has no default route, as main has none by this link that tells the gateway",
		[LACK_OTHERS] = "is left to others, by route = none, and has no route",
	};

	snprintf(ret, size, "table %u %s", path->wanted.table, texts[path->lack]);
}

const char *path_reason(enum reason reason)
{
	static const char *const words[] = {
		[REASON_NONE] = NULL,
		[REASON_SOME] = "some-packets",
		[REASON_WAITING] = "waiting",
		[REASON_PRIMARY] = "primary",
		[REASON_HELD] = "held",
		[REASON_PREFER_MAIN] = "prefer-main",
		[REASON_NOT_LOCAL] = "not-local",
		[REASON_NO_LINK] = "no-link",
		[REASON_NO_ROUTE] = "no-route",
		[REASON_NO_RULE] = "no-rule",
		[REASON_OTHER_RULE] = "other-rule",
		[REASON_OTHER_ROUTE] = "other-route",
		[REASON_REFUSED] = "refused",
		[REASON_OTHER] = "other",
		[REASON_ERROR] = "error",
	};

	return words[reason];
}

/* Where it is not by which way that matters most. Returns whether that was so. */
static bool explain_instead(const struct path *path, const char *way,
			    char ret[static PATH_STRLEN])
{
	switch (path->reason) {
	case REASON_WAITING:
		snprintf(ret, PATH_STRLEN, "waiting for the link; until then it %s", way);
		return true;
	case REASON_HELD:
		snprintf(ret, PATH_STRLEN, "held; until it is released it %s", way);
		return true;
	case REASON_NO_LINK:
		snprintf(ret, PATH_STRLEN, "there is no link %s", path->wanted.ifname);
		return true;
	case REASON_NOT_LOCAL:
		if (path->wanted.selector == SELECT_IN)
			snprintf(ret, PATH_STRLEN, "nothing from %s is forwarded",
				 path->wanted.ifname);
		else
			snprintf(
				ret, PATH_STRLEN,
				"no address of this host, which forwards nothing for it");
		return true;
	case REASON_ERROR:
		snprintf(ret, PATH_STRLEN, "the kernel does not tell the way: %s",
			 strerror(-path->reply.error));
		return true;
	case REASON_NONE:
	case REASON_SOME:
	case REASON_PRIMARY:
	case REASON_PREFER_MAIN:
	case REASON_NO_ROUTE:
	case REASON_NO_RULE:
	case REASON_OTHER_RULE:
	case REASON_OTHER_ROUTE:
	case REASON_REFUSED:
	case REASON_OTHER:
		break;
	}
	return false;
}

/* Why it is this way; "" where it is the tunnel's. */
static void format_why(const struct path *path, char *ret, size_t size)
{
	ret[0] = '\0';
	switch (path->reason) {
	case REASON_PRIMARY:
		snprintf(ret, size, "backup of the section with priority %u",
			 path->rule.priority);
		break;
	case REASON_PREFER_MAIN:
		snprintf(ret, size, "a more specific route, as prefer_main wants");
		break;
	case REASON_NO_ROUTE:
		format_lack(path, ret, size);
		break;
	case REASON_NO_RULE:
		snprintf(ret, size, "its rule is missing");
		break;
	case REASON_OTHER_RULE:
		format_rule(path, "comes before its own", ret, size);
		break;
	case REASON_SOME:
		if (path->some)
			format_rule(path, "takes some before its own does", ret, size);
		else
			format_taker(path, ret, size);
		break;
	case REASON_OTHER_ROUTE:
		format_route(path, ret, size);
		break;
	case REASON_REFUSED:
		format_refusing(path, ret, size);
		break;
	case REASON_OTHER:
		snprintf(ret, size, "although its rule and route are there");
		break;
	case REASON_NONE:
	case REASON_WAITING:
	case REASON_HELD:
	case REASON_NO_LINK:
	case REASON_NOT_LOCAL:
	case REASON_ERROR:
		break;
	}
}

void path_explain(const struct path *path, const char *ifname, const char *table,
		  char ret[static PATH_STRLEN])
{
	char way[192], why[512];

	format_way(path, ifname, table, way, sizeof(way));
	if (explain_instead(path, way, ret))
		return;
	format_why(path, why, sizeof(why));
	snprintf(ret, PATH_STRLEN, "%s%s%s", way,
		 !why[0]                       ? ""
		 : path->reason == REASON_SOME ? "; but "
					       : ": ",
		 why);
}
