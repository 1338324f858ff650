/* SPDX-License-Identifier: MIT */
#include "kernel/policy.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_in(uint32_t number, uint32_t first, uint32_t last)
{
	return number >= first && number <= last;
}

/* As fib_rule_match() of net/core/fib_rules.c; for it, this host's packets come by lo. */
bool policy_match(const struct kernel_rule *rule, const struct packet *packet)
{
	const char *iif = packet->iif[0] ? packet->iif : "lo";
	bool match = !rule->other && !rule->l3mdev;

	match &= !rule->iif[0] || !strcmp(rule->iif, iif);
	match &= !rule->oif[0] || !strcmp(rule->oif, packet->oif);
	match &= !((rule->mark ^ packet->mark) & rule->mask);
	match &= !rule->by_uid || is_in(packet->uid, rule->uid[0], rule->uid[1]);
	match &= !rule->tos || rule->tos == packet->tos;
	match &= !rule->ipproto || rule->ipproto == packet->ipproto;
	match &= !rule->sport[1] || is_in(packet->sport, rule->sport[0], rule->sport[1]);
	match &= !rule->dport[1] || is_in(packet->dport, rule->dport[0], rule->dport[1]);
	match &= prefix_covers(&rule->from, &packet->from);
	match &= prefix_covers(&rule->to, &packet->to);
	return match != rule->inverted;
}

bool policy_is_narrow(const struct kernel_rule *rule)
{
	return rule->protocol != OBJECT_PROTOCOL &&
	       (rule->tos || rule->ipproto || rule->sport[1] || rule->dport[1] ||
		rule->by_uid);
}

bool policy_takes_some(const struct kernel_rule *rule, const struct packet *packet,
		       struct packet *ret)
{
	struct packet other = *packet;

	if (!policy_is_narrow(rule))
		return false;
	other.tos = rule->tos;
	other.ipproto = rule->ipproto;
	other.sport = rule->sport[1];
	other.dport = rule->dport[1];
	/* nobody's are those that come in: no rule by user takes them */
	if (rule->by_uid && packet->uid != UINT32_MAX)
		other.uid = rule->uid[0];
	if (policy_match(rule, packet) || !policy_match(rule, &other))
		return false;
	*ret = other;
	return true;
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

/* Text, appended piece by piece; what does not fit is cut. */
struct text {
	char *bytes;
	size_t size, n;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text,
						      const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->n, text->size - text->n, format, args);
	va_end(args);
	if (n > 0)
		text->n += (size_t)n < text->size - text->n ? (size_t)n
							    : text->size - text->n - 1;
}

static void put_prefix(struct text *text, const char *word, const struct prefix *prefix)
{
	char bytes[PREFIX_STRLEN] = "all";

	if (prefix->len)
		prefix_format(prefix, bytes);
	put(text, "%s%s", word, bytes);
}

static void put_range(struct text *text, const char *word, uint32_t first, uint32_t last)
{
	if (first == last)
		put(text, " %s %u", word, first);
	else
		put(text, " %s %u-%u", word, first, last);
}

static void put_ipproto(struct text *text, uint8_t ipproto)
{
	const char *word = ipproto == IPPROTO_TCP      ? "tcp"
			   : ipproto == IPPROTO_UDP    ? "udp"
			   : ipproto == IPPROTO_ICMP   ? "icmp"
			   : ipproto == IPPROTO_ICMPV6 ? "ipv6-icmp"
						       : NULL;

	if (word)
		put(text, " ipproto %s", word);
	else
		put(text, " ipproto %u", ipproto);
}

static void put_mark(struct text *text, const struct kernel_rule *rule)
{
	put(text, " fwmark %#x", rule->mark);
	if (rule->mask != UINT32_MAX)
		put(text, "/%#x", rule->mask);
}

/* In ip(8)'s order and words. */
static void put_selectors(struct text *text, const struct kernel_rule *rule)
{
	put_prefix(text, rule->inverted ? "not from " : "from ", &rule->from);
	if (rule->to.len)
		put_prefix(text, " to ", &rule->to);
	if (rule->tos)
		put(text, " tos %#x", rule->tos);
	if (rule->mark || rule->mask)
		put_mark(text, rule);
	if (rule->iif[0])
		put(text, " iif %s", rule->iif);
	if (rule->oif[0])
		put(text, " oif %s", rule->oif);
	if (rule->by_uid)
		put(text, " uidrange %u-%u", rule->uid[0], rule->uid[1]);
	if (rule->ipproto)
		put_ipproto(text, rule->ipproto);
	if (rule->sport[1])
		put_range(text, "sport", rule->sport[0], rule->sport[1]);
	if (rule->dport[1])
		put_range(text, "dport", rule->dport[0], rule->dport[1]);
	if (rule->other)
		put(text, " (and more)");
}

void policy_format(const struct kernel_rule *rule, char ret[static POLICY_STRLEN])
{
	struct text text = {.bytes = ret, .size = POLICY_STRLEN};
	char action[32];

	put(&text, "rule %u: ", rule->priority);
	put_selectors(&text, rule);
	format_action(rule, action, sizeof(action));
	put(&text, " %s", rule->l3mdev ? "lookup [l3mdev-table]" : action);
	if (rule->suppress_prefixlength != UINT32_MAX)
		put(&text, " suppress_prefixlength %u", rule->suppress_prefixlength);
	if (rule->suppress_ifgroup != UINT32_MAX)
		put(&text, " suppress_ifgroup %u", rule->suppress_ifgroup);
}

/* iproute2's names of the protocols that a stray default route most often bears */
static const char *protocol_name(uint8_t protocol)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{0, "unspec"}, {2, "kernel"}, {3, "boot"},   {4, "static"},
		{9, "ra"},     {11, "zebra"}, {12, "bird"},  {16, "dhcp"},
		{42, "babel"}, {186, "bgp"},  {188, "ospf"},
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == protocol)
			return names[i].name;
	return NULL;
}

void policy_format_protocol(uint8_t protocol, char ret[static PROTOCOL_STRLEN])
{
	const char *name =
		protocol == OBJECT_PROTOCOL ? "sixxs" : protocol_name(protocol);

	snprintf(ret, PROTOCOL_STRLEN, "protocol %u%s%s", protocol, name ? " " : "",
		 name ? name : "");
}
