/* SPDX-License-Identifier: MIT */
#include "status/path.h"

#include "converge/messages.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct prefix path_host(const struct prefix *source)
{
	struct prefix host = *source;
	const uint8_t len = prefix_host_len(source->family);

	if (host.len < len)
		host.addr[len / 8 - 1] |= 1;
	host.len = len;
	return host;
}

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

bool path_is_by(const struct path *path, uint32_t ifindex)
{
	return !path->reply.error && ifindex && path->reply.oif == ifindex;
}

static enum reason find_reason(struct path *path, const struct path_tunnel *tunnel,
			       const struct kernel_rules *policy)
{
	const bool refused = path_is_refused(path);
	const struct lookup_result result = {.refused = refused,
					     .table = path->reply.table,
					     .dst_len = path->route.dst.len};
	const size_t place = policy_place(policy, &tunnel->rule);
	const struct kernel_rule *rule;

	if (path->reply.error && !refused)
		return REASON_ERROR;
	if (path_is_by(path, tunnel->link.ifindex))
		return REASON_NONE;
	if (!path->local && refused)
		return REASON_NOT_LOCAL;
	if (!tunnel->has_rule)
		return REASON_NO_RULE;
	if (!tunnel->link.up)
		return REASON_WAITING;
	rule = policy_first_explaining_rule(policy, place, &path->packet, &result);
	if (rule) {
		path->rule = *rule;
		return tunnel->prefer_main && rule->protocol == OBJECT_PROTOCOL &&
				       rule->table == RT_TABLE_MAIN
			       ? REASON_PREFER_MAIN
			       : REASON_OTHER_RULE;
	}
	if (!refused && path->reply.table == tunnel->rule.table)
		return REASON_OTHER_ROUTE;
	if (!tunnel->has_route)
		return REASON_NO_ROUTE;
	return refused ? REASON_REFUSED : REASON_OTHER;
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
	else if (path->reason == REASON_NONE)
		snprintf(ret, size, "leaves by %.64s", ifname);
	else
		snprintf(ret, size, "leaves by %.64s (table %.64s)", ifname, table);
}

static void format_rule(const struct path *path, char *ret, size_t size)
{
	char text[POLICY_STRLEN], protocol[PROTOCOL_STRLEN];

	policy_format(&path->rule, text);
	explain_protocol(path->rule.protocol, protocol);
	snprintf(ret, size, "%.160s, %s, comes before its own", text, protocol);
}

static void format_route(const struct path *path, uint32_t own_table, char *ret,
			 size_t size)
{
	char to[PREFIX_STRLEN] = "default", protocol[PROTOCOL_STRLEN];

	if (path->route.dst.len)
		prefix_format(&path->route.dst, to);
	explain_protocol(path->route.protocol, protocol);
	snprintf(ret, size, "another route of table %u is preferred: %s metric %u, %s",
		 own_table, to, path->route.metric, protocol);
}

const char *path_reason(enum reason reason)
{
	static const char *const words[] = {
		[REASON_NONE] = NULL,
		[REASON_WAITING] = "waiting",
		[REASON_PREFER_MAIN] = "prefer-main",
		[REASON_NOT_LOCAL] = "not-local",
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

void path_explain(const struct path *path, const char *ifname, const char *table,
		  uint32_t own_table, char ret[static PATH_STRLEN])
{
	char way[192], why[256] = "";

	format_way(path, ifname, table, way, sizeof(way));
	switch (path->reason) {
	case REASON_NONE:
		break;
	case REASON_WAITING:
		snprintf(ret, PATH_STRLEN, "waiting for the link; until then it %s", way);
		return;
	case REASON_NOT_LOCAL:
		snprintf(ret, PATH_STRLEN,
			 "no address of this host, which forwards nothing for it");
		return;
	case REASON_ERROR:
		snprintf(ret, PATH_STRLEN, "the kernel does not tell the way: %s",
			 strerror(-path->reply.error));
		return;
	case REASON_PREFER_MAIN:
		snprintf(why, sizeof(why), "a more specific route, as prefer_main wants");
		break;
	case REASON_NO_ROUTE:
		snprintf(why, sizeof(why), "table %u has no default route", own_table);
		break;
	case REASON_NO_RULE:
		snprintf(why, sizeof(why), "its rule is missing");
		break;
	case REASON_OTHER_RULE:
		format_rule(path, why, sizeof(why));
		break;
	case REASON_OTHER_ROUTE:
		format_route(path, own_table, why, sizeof(why));
		break;
	case REASON_REFUSED:
		snprintf(why, sizeof(why), "a route refuses it, although ours is there");
		break;
	case REASON_OTHER:
		snprintf(why, sizeof(why), "although its rule and route are there");
		break;
	}
	snprintf(ret, PATH_STRLEN, "%s%s%s", way, why[0] ? ": " : "", why);
}
