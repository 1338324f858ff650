/* SPDX-License-Identifier: MIT */
#include "converge/messages.h"

#include "kernel/policy.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* A link's name, or "ifindex 12" for one that is gone. */
static const char *link_name(uint32_t ifindex, char ret[static IFNAMSIZ + 16])
{
	if (!if_indextoname(ifindex, ret))
		snprintf(ret, IFNAMSIZ + 16, "ifindex %u", ifindex);
	return ret;
}

void explain_step(const struct step *step, char ret[static OBJECT_COMMAND_STRLEN])
{
	char name[IFNAMSIZ + 16] = "";

	object_format_ip(&step->object, step->op == STEP_ADD,
			 step->object.oif ? link_name(step->object.oif, name) : "", ret);
}

const char *explain_verdict(enum verdict verdict)
{
	static const char *const words[] = {
		[VERDICT_DONE] = "done",         [VERDICT_ALREADY] = "already so",
		[VERDICT_PENDING] = "link down", [VERDICT_GONE] = "link gone",
		[VERDICT_NO_IPV6] = "no IPv6",   [VERDICT_FOREIGN] = "taken",
		[VERDICT_FAILED] = "failed",
	};

	return words[verdict];
}

const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

void explain_route(const struct kernel_object *found, const char *ifname,
		   char ret[static EXPLAIN_SIZE])
{
	const struct object *route = &found->object;
	char protocol[PROTOCOL_STRLEN];

	policy_format_protocol(found->protocol, protocol);
	snprintf(ret, EXPLAIN_SIZE, "%sdefault dev %s metric %u, %s",
		 route->kind == OBJECT_UNREACHABLE ? "unreachable " : "",
		 route->oif ? ifname : "nothing", route->metric, protocol);
}

void explain_kernel_object(const struct kernel_object *found,
			   char ret[static EXPLAIN_SIZE])
{
	char name[IFNAMSIZ + 16];

	explain_route(found, link_name(found->object.oif, name), ret);
}

/* A kernel without them says so in its sentence, before it looks at a gateway. */
static bool lacks_source_routes(const struct object *object, const struct answer *answer)
{
	return object->kind != OBJECT_RULE && object->source.len &&
	       (!object->gateway.family || strstr(answer->sentence, "IPV6_SUBTREES"));
}

static const char *advice(const struct step *step, const struct answer *answer)
{
	switch (-answer->error) {
	case EPERM:
		return "run it as root (it needs CAP_NET_ADMIN)";
	case EACCES:
		return "is IPv6 disabled on the link? see sysctl -a -r disable_ipv6";
	case ENODEV:
		return "IPv6 needs an MTU of at least 1280 on the link";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "check the key gateway";
	case EINVAL:
		if (lacks_source_routes(&step->object, answer))
			return "steer = source-route needs a kernel with CONFIG_IPV6_SUBTREES: set steer = rule";
		return step->object.gateway.family
			       ? "check the key gateway: the link's own address is no next hop"
			       : "does this kernel have policy routing?";
	case EAFNOSUPPORT:
	case EOPNOTSUPP:
		return "does this kernel have policy routing for this family?";
	default:
		return "once that is mended, run: sixxs-route apply --all";
	}
}

static void explain_foreign(const struct step *step, const struct result *result,
			    char ret[static EXPLAIN_SIZE])
{
	char other[EXPLAIN_SIZE], rule[OBJECT_COMMAND_STRLEN];

	if (step->object.kind == OBJECT_RULE) {
		explain_step(step, rule);
		snprintf(
			ret, EXPLAIN_SIZE,
			"\"%s\" failed: another rule at priority %u has the same source or mark and more besides, and the kernel takes it for the same: delete that rule, or set another priority",
			rule, step->object.priority);
		return;
	}
	explain_kernel_object(&result->other, other);
	snprintf(
		ret, EXPLAIN_SIZE,
		"table %u already has a default route that is not ours (%s %.200s), which is left alone: delete it, or set another table or metric",
		step->object.table, family_name(step->object.family), other);
}

void explain_result(const struct step *step, const struct result *result,
		    char ret[static EXPLAIN_SIZE])
{
	const struct answer *answer = &result->answer;
	char what[OBJECT_COMMAND_STRLEN];

	if (result->verdict == VERDICT_FOREIGN) {
		explain_foreign(step, result, ret);
		return;
	}
	explain_step(step, what);
	snprintf(ret, EXPLAIN_SIZE, "\"%s\" failed: %s%s%s%s: %s", what, answer->sentence,
		 answer->sentence[0] ? " (" : "", strerror(-answer->error),
		 answer->sentence[0] ? ")" : "", advice(step, answer));
}

bool explain_name(const struct name_entry *want, enum name_verdict verdict,
		  const struct name_conflict *conflict, char ret[static EXPLAIN_SIZE])
{
	ret[0] = '\0';
	if (verdict == NAME_TAKEN)
		snprintf(
			ret, EXPLAIN_SIZE,
			"table %u gets no name: %s the name %s to table %u; set another name, or name = none",
			want->number,
			conflict->ours ? "another tunnel gave" : "iproute2 gives",
			want->name, conflict->entry.number);
	if (verdict == NUMBER_TAKEN)
		snprintf(
			ret, EXPLAIN_SIZE,
			"table %u does not get the name %s: %s it %s; set name = none, or another table",
			want->number, want->name,
			conflict->ours ? "another tunnel calls" : "iproute2 calls",
			conflict->entry.name);
	return ret[0];
}
