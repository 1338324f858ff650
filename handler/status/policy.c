/* SPDX-License-Identifier: MIT */
#include "status/policy.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static bool is_within(const struct prefix *host, const struct prefix *prefix)
{
	const unsigned whole = prefix->len / 8, rest = prefix->len % 8;

	if (memcmp(host->addr, prefix->addr, whole) != 0)
		return false;
	return !rest || !((host->addr[whole] ^ prefix->addr[whole]) >> (8 - rest));
}

/* Asks for what a plain packet has not. */
static bool has_other_selectors(const struct kernel_rule *rule)
{
	return rule->other || rule->oif[0] || rule->tos || rule->ipproto ||
	       rule->sport[1] || rule->dport[1] || rule->l3mdev;
}

/* As fib_rule_match() of net/core/fib_rules.c; for it, this host's packets come by lo. */
bool policy_match(const struct kernel_rule *rule, const struct packet *packet)
{
	const char *iif = packet->iif[0] ? packet->iif : "lo";
	bool match = !has_other_selectors(rule);

	match &= !rule->iif[0] || !strcmp(rule->iif, iif);
	match &= !(rule->mark & rule->mask); /* the packet's is 0 */
	match &= packet->uid >= rule->uid[0] && packet->uid <= rule->uid[1];
	match &= is_within(&packet->from, &rule->from);
	match &= is_within(&packet->to, &rule->to);
	return match != rule->inverted;
}

size_t policy_place(const struct kernel_rules *policy, const struct object *object)
{
	for (size_t i = 0; i < policy->n; i++) {
		struct object ours;

		if (policy->rule[i].priority == object->priority &&
		    kernel_rule_object(&policy->rule[i], &ours) &&
		    object_equal(&ours, object))
			return i;
	}
	return policy->n;
}

static bool explains(const struct kernel_rule *rule, const struct lookup_result *result)
{
	switch (rule->action) {
	case FR_ACT_TO_TBL:
		return !result->refused && rule->table == result->table &&
		       (rule->suppress_prefixlength == UINT32_MAX ||
			result->dst_len > rule->suppress_prefixlength);
	case FR_ACT_BLACKHOLE:
	case FR_ACT_UNREACHABLE:
	case FR_ACT_PROHIBIT:
		return result->refused;
	default:
		return false;
	}
}

static size_t find_priority(const struct kernel_rules *policy, size_t i,
			    uint32_t priority)
{
	while (i < policy->n && policy->rule[i].priority < priority)
		i++;
	return i;
}

const struct kernel_rule *policy_first_explaining_rule(const struct kernel_rules *policy,
						       size_t end,
						       const struct packet *packet,
						       const struct lookup_result *result)
{
	size_t i = 0;

	while (i < end) {
		const struct kernel_rule *rule = &policy->rule[i++];

		if (!policy_match(rule, packet))
			continue;
		if (rule->action == FR_ACT_GOTO) {
			i = find_priority(policy, i, rule->target);
			if (i > end)
				return rule; /* it leaps over ours */
		} else if (explains(rule, result)) {
			return rule;
		}
	}
	return NULL;
}

static void format_table(uint32_t table, char *ret, size_t size)
{
	const char *name = table == RT_TABLE_MAIN      ? "main"
			   : table == RT_TABLE_LOCAL   ? "local"
			   : table == RT_TABLE_DEFAULT ? "default"
						       : NULL;

	if (name)
		snprintf(ret, size, "lookup %s", name);
	else
		snprintf(ret, size, "lookup %u", table);
}

static void format_action(const struct kernel_rule *rule, char *ret, size_t size)
{
	switch (rule->action) {
	case FR_ACT_TO_TBL:
		format_table(rule->table, ret, size);
		break;
	case FR_ACT_GOTO:
		snprintf(ret, size, "goto %u", rule->target);
		break;
	case FR_ACT_BLACKHOLE:
		snprintf(ret, size, "blackhole");
		break;
	case FR_ACT_UNREACHABLE:
		snprintf(ret, size, "unreachable");
		break;
	case FR_ACT_PROHIBIT:
		snprintf(ret, size, "prohibit");
		break;
	default:
		snprintf(ret, size, "action %u", rule->action);
	}
}

void policy_format(const struct kernel_rule *rule, char ret[static POLICY_STRLEN])
{
	char from[PREFIX_STRLEN] = "all", to[PREFIX_STRLEN + 4] = "", action[32];

	if (rule->from.len)
		prefix_format(&rule->from, from);
	if (rule->to.len) {
		memcpy(to, " to ", sizeof(" to "));
		prefix_format(&rule->to, to + strlen(to));
	}
	format_action(rule, action, sizeof(action));
	snprintf(ret, POLICY_STRLEN, "rule %u: %sfrom %s%s %s", rule->priority,
		 rule->inverted ? "not " : "", from, to, action);
}
