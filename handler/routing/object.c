/* SPDX-License-Identifier: MIT */
#include "routing/object.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool object_is_rule(const struct object *object)
{
	return object->kind == OBJECT_RULE || object->kind == OBJECT_RULE_MAIN;
}

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int object_compare(const struct object *a, const struct object *b)
{
	int r = compare(a->kind, b->kind);

	if (r == 0)
		r = compare(a->family, b->family);
	if (r == 0)
		r = compare(a->table, b->table);
	if (r == 0)
		r = compare(a->priority, b->priority);
	if (r == 0)
		r = memcmp(&a->source, &b->source, sizeof(a->source)); /* no padding */
	if (r == 0)
		r = compare(a->oif, b->oif);
	if (r == 0)
		r = compare(a->metric, b->metric);
	if (r == 0)
		r = compare(a->mtu, b->mtu);
	if (r == 0)
		r = memcmp(&a->gateway, &b->gateway, sizeof(a->gateway));
	return r;
}

bool object_equal(const struct object *a, const struct object *b)
{
	return object_compare(a, b) == 0;
}

bool object_same_slot(const struct object *a, const struct object *b)
{
	return !object_is_rule(a) && !object_is_rule(b) && a->family == b->family &&
	       a->table == b->table && a->metric == b->metric;
}

bool objects_have(const struct objects *objects, const struct object *object)
{
	for (unsigned i = 0; i < objects->n; i++)
		if (object_equal(&objects->object[i], object))
			return true;
	return false;
}

void objects_copy(struct objects *ret, const struct objects *from)
{
	ret->n = from->n;
	memcpy(ret->object, from->object, from->n * sizeof(from->object[0]));
}

int objects_put(struct objects *objects, const struct object *object)
{
	if (objects_have(objects, object))
		return 0;
	if (objects->n == OBJECTS_MAX)
		return -E2BIG;
	objects->object[objects->n++] = *object;
	return 0;
}

void objects_drop(struct objects *objects, const struct object *object)
{
	for (unsigned i = 0; i < objects->n; i++)
		if (object_equal(&objects->object[i], object)) {
			objects->object[i] = objects->object[--objects->n];
			return;
		}
}

/* IPv4 and IPv6 as ip(8) numbers its options */
static int family_digit(uint8_t family)
{
	return family == AF_INET6 ? 6 : 4;
}

void object_format(const struct object *object, char ret[static OBJECT_STRLEN])
{
	const int family = family_digit(object->family);
	char source[PREFIX_STRLEN] = "", gateway[PREFIX_STRLEN] = "none";

	switch (object->kind) {
	case OBJECT_RULE:
	case OBJECT_RULE_MAIN:
		prefix_format(&object->source, source);
		snprintf(ret, OBJECT_STRLEN, "%s %d from %s table %u priority %u",
			 object->kind == OBJECT_RULE ? "rule" : "rule-main", family,
			 source, object->table, object->priority);
		break;
	case OBJECT_ROUTE:
		if (object->gateway.family)
			prefix_format(&object->gateway, gateway);
		snprintf(ret, OBJECT_STRLEN,
			 "route %d table %u oif %u via %s metric %u mtu %u", family,
			 object->table, object->oif, gateway, object->metric,
			 object->mtu);
		break;
	case OBJECT_FALLBACK:
		snprintf(ret, OBJECT_STRLEN, "fallback %d table %u", family,
			 object->table);
		break;
	}
}

static int parse_rule(const char *text, struct object *object)
{
	char source[PREFIX_STRLEN];

	/* widths are PREFIX_STRLEN - 1 */
	if (sscanf(text, "%*s %*d from %49s table %u priority %u", source, &object->table,
		   &object->priority) != 3 ||
	    prefix_parse(source, &object->source) < 0)
		return -EINVAL;
	if (object->source.family != object->family || !object->source.len)
		return -EINVAL;
	return 0;
}

static int parse_route(const char *text, struct object *object)
{
	char gateway[PREFIX_STRLEN];

	if (sscanf(text, "%*s %*d table %u oif %u via %49s metric %u mtu %u",
		   &object->table, &object->oif, gateway, &object->metric,
		   &object->mtu) != 5)
		return -EINVAL;
	if (strcmp(gateway, "none") &&
	    (prefix_parse(gateway, &object->gateway) < 0 ||
	     object->gateway.family != object->family ||
	     object->gateway.len != prefix_host_len(object->family)))
		return -EINVAL;
	return object->oif && object->metric != METRIC_FALLBACK ? 0 : -EINVAL;
}

static int parse_fallback(const char *text, struct object *object)
{
	object->metric = METRIC_FALLBACK;
	return sscanf(text, "%*s %*d table %u", &object->table) == 1 ? 0 : -EINVAL;
}

static int parse_kind(const char *word, enum object_kind *ret)
{
	static const char *const words[] = {
		[OBJECT_RULE] = "rule",
		[OBJECT_RULE_MAIN] = "rule-main",
		[OBJECT_ROUTE] = "route",
		[OBJECT_FALLBACK] = "fallback",
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i])) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

/* No tunnel has a table of the kernel's; only the rule before its own leads to main. */
static bool is_table_of_ours(const struct object *object)
{
	if (object->kind == OBJECT_RULE_MAIN)
		return object->table == RT_TABLE_MAIN;
	return object->table &&
	       !(object->table >= RT_TABLE_DEFAULT && object->table <= RT_TABLE_LOCAL);
}

/* A number that a sane record would not hold would not come out as it went in. */
static bool is_canonical(const struct object *object, const char *text)
{
	char again[OBJECT_STRLEN];

	object_format(object, again);
	return !strcmp(again, text);
}

int object_parse(const char *text, struct object *ret)
{
	struct object object = {0};
	char word[16];
	int digit, r = -EINVAL;

	if (sscanf(text, "%15s %d", word, &digit) != 2 ||
	    parse_kind(word, &object.kind) < 0)
		return -EINVAL;
	object.family = digit == 6 ? AF_INET6 : AF_INET;
	switch (object.kind) {
	case OBJECT_RULE:
	case OBJECT_RULE_MAIN:
		r = parse_rule(text, &object);
		break;
	case OBJECT_ROUTE:
		r = parse_route(text, &object);
		break;
	case OBJECT_FALLBACK:
		r = parse_fallback(text, &object);
		break;
	}
	if (r < 0)
		return r;
	if (!is_table_of_ours(&object) || !is_canonical(&object, text))
		return -EINVAL;
	*ret = object;
	return 0;
}

void object_format_ip(const struct object *object, bool add, const char *ifname,
		      char ret[static OBJECT_STRLEN])
{
	char source[PREFIX_STRLEN], via[PREFIX_STRLEN + 8] = "", mtu[16] = "";
	const int n = snprintf(
		ret, OBJECT_STRLEN, "ip -%d %s %s ", family_digit(object->family),
		object_is_rule(object) ? "rule" : "route", add ? "add" : "del");
	const size_t size = OBJECT_STRLEN - (size_t)n;

	ret += n;
	switch (object->kind) {
	case OBJECT_RULE:
	case OBJECT_RULE_MAIN:
		prefix_format(&object->source, source);
		snprintf(ret, size, "from %s table %u%s priority %u protocol %d", source,
			 object->table,
			 object->kind == OBJECT_RULE_MAIN ? " suppress_prefixlength 0"
							  : "",
			 object->priority, OBJECT_PROTOCOL);
		break;
	case OBJECT_ROUTE:
		if (object->gateway.family) {
			memcpy(via, " via ", sizeof(" via "));
			prefix_format(&object->gateway, via + strlen(via));
		}
		if (object->mtu)
			snprintf(mtu, sizeof(mtu), " mtu %u", object->mtu);
		snprintf(ret, size, "default%s dev %s%s table %u metric %u%s protocol %d",
			 via, ifname, object->gateway.family ? " onlink" : "",
			 object->table, object->metric, mtu, OBJECT_PROTOCOL);
		break;
	case OBJECT_FALLBACK:
		snprintf(ret, size, "unreachable default table %u metric %u protocol %d",
			 object->table, object->metric, OBJECT_PROTOCOL);
		break;
	}
}
