/* SPDX-License-Identifier: MIT */
/* The text form of objects, and the way back: see object.h. */
#include "routing/object.h"

#include "lib/text.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The longest route: every word of it, the longest numbers and addresses. */
#define PREFIX_TEXT "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125"
#define HOST_TEXT   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define ROUTE_TEXT                                                      \
	"route 6 from " PREFIX_TEXT " via " HOST_TEXT " dev 2147483647" \
	" metric 4294967294 mtu 65535 table 2147483647"
_Static_assert(sizeof(ROUTE_TEXT) <= OBJECT_STRLEN, "a route's text must fit");

/* ---- text --------------------------------------------------------------------------- */

/* IPv4 and IPv6 as ip(8) numbers its options */
static int family_digit(uint8_t family)
{
	return family == AF_INET6 ? 6 : 4;
}

/* Returns the end of its text. */
static char *put_prefix(char *to, const struct prefix *prefix)
{
	prefix_format(prefix, to);
	return to + strlen(to);
}

static char *put_selector(char *to, const struct object *rule)
{
	switch (rule->selector) {
	case SELECT_SOURCE:
		return put_prefix(stpcpy(to, "from "), &rule->source);
	case SELECT_MARK:
		to = put_hex(stpcpy(to, "fwmark 0x"), rule->mark);
		return put_hex(stpcpy(to, "/0x"), rule->mask);
	case SELECT_USER:
		to = put_number(stpcpy(to, "uidrange "), rule->uid[0]);
		return put_number(stpcpy(to, "-"), rule->uid[1]);
	case SELECT_OUT:
		return stpcpy(stpcpy(to, "oif "), rule->ifname);
	case SELECT_IN:
		return stpcpy(stpcpy(to, "iif "), rule->ifname);
	case SELECT_ALL:
		break;
	}
	return stpcpy(to, "from all");
}

void object_format_selector(const struct object *rule, char ret[static SELECTOR_STRLEN])
{
	put_selector(ret, rule);
}

/* "16383 from 2a02::1 lookup 200" */
static char *put_rule(char *to, const struct object *rule)
{
	to = put_number(to, rule->priority);
	to = put_selector(stpcpy(to, " "), rule);
	to = put_number(stpcpy(to, " lookup "), rule->table);
	if (rule->prefers_main)
		to = put_number(stpcpy(to, " suppress_prefixlength "),
				object_suppress_length(rule));
	else if (rule->selector == SELECT_ALL)
		to = put_number(stpcpy(to, " suppress_ifgroup "), NO_IFGROUP);
	return to;
}

/* "via fe80::1 dev 12 metric 2048 mtu 1400" */
static char *put_way(char *to, const struct object *route, const char *dev)
{
	if (route->gateway.family)
		to = stpcpy(put_prefix(stpcpy(to, "via "), &route->gateway), " ");
	if (route->kind == OBJECT_ROUTE) {
		to = stpcpy(to, "dev ");
		to = stpcpy(dev ? stpcpy(to, dev) : put_number(to, route->oif), " ");
	}
	to = put_number(stpcpy(to, "metric "), route->metric);
	if (route->mtu)
		to = put_number(stpcpy(to, " mtu "), route->mtu);
	return to;
}

void object_format_way(const struct object *route, const char *ifname,
		       char ret[static OBJECT_STRLEN])
{
	put_way(ret, route, ifname);
}

/* "from 2a02::1 via fe80::1 dev 12 metric 2048 mtu 1400 table 200" */
static char *put_route(char *to, const struct object *route, const char *dev)
{
	if (route->source.family)
		to = stpcpy(put_prefix(stpcpy(to, "from "), &route->source), " ");
	to = put_way(to, route, dev);
	return put_number(stpcpy(to, " table "), route->table);
}

/* Without a table, the kind's word and the family. */
static char *put_body(char *to, const struct object *object, const char *dev)
{
	return object->kind == OBJECT_RULE ? put_rule(to, object)
					   : put_route(to, object, dev);
}

static const char *const words[] = {
	[OBJECT_TABLE] = "table",
	[OBJECT_KEPT] = "kept",
	[OBJECT_UNREACHABLE] = "unreachable",
	[OBJECT_ROUTE] = "route",
	[OBJECT_RULE] = "rule",
};

void object_format(const struct object *object, char ret[static OBJECT_STRLEN])
{
	char *end = stpcpy(stpcpy(ret, words[object->kind]), " ");

	if (!object_is_in_kernel(object)) {
		end = put_number(end, object->table);
		stpcpy(end, object_is_shared(object) ? " shared" : "");
		return;
	}
	end = put_number(end, (uint64_t)family_digit(object->family));
	put_body(stpcpy(end, " "), object, NULL);
}

void object_format_ip(const struct object *object, bool add, const char *ifname,
		      char ret[static OBJECT_COMMAND_STRLEN])
{
	const char *word = object->kind == OBJECT_RULE          ? "priority"
			   : object->kind == OBJECT_UNREACHABLE ? "unreachable default"
								: "default";
	char body[OBJECT_STRLEN];

	ret[0] = '\0';
	if (!object_is_in_kernel(object))
		return;
	put_body(body, object, ifname);
	snprintf(ret, OBJECT_COMMAND_STRLEN, "ip -%d %s %s %s %s protocol %d%s",
		 family_digit(object->family),
		 object->kind == OBJECT_RULE ? "rule" : "route", add ? "add" : "del",
		 word, body, OBJECT_PROTOCOL, object->gateway.family ? " onlink" : "");
}

/* ---- and back ----------------------------------------------------------------------- */

/* Takes WORD and the blank behind it off *TEXT. */
static bool take_word(const char **text, const char *word)
{
	const size_t size = strlen(word);

	if (strncmp(*text, word, size) != 0 || (*text)[size] != ' ')
		return false;
	*text += size + 1;
	return true;
}

/* The next word, without the blank behind it. */
static bool take_text(const char **text, char *ret, size_t size)
{
	const size_t n = strcspn(*text, " ");

	if (!n || n >= size)
		return false;
	memcpy(ret, *text, n);
	ret[n] = '\0';
	*text += n + ((*text)[n] == ' ');
	return true;
}

static bool take_number(const char **text, uint32_t *ret)
{
	char word[16], *end;
	unsigned long number;

	if (!take_text(text, word, sizeof(word)) || word[0] < '0' || word[0] > '9')
		return false;
	number = strtoul(word, &end, 10);
	*ret = (uint32_t)number;
	return !*end && number <= UINT32_MAX;
}

static bool take_prefix(const char **text, struct prefix *ret)
{
	char word[PREFIX_STRLEN];

	return take_text(text, word, sizeof(word)) && prefix_parse(word, ret) == 0;
}

/* "0x1/0xff", "1000-1999" */
static bool take_pair(const char **text, int base, char between, uint32_t ret[static 2])
{
	char word[32], *end;
	unsigned long first, second;

	if (!take_text(text, word, sizeof(word)))
		return false;
	first = strtoul(word, &end, base);
	if (*end != between)
		return false;
	second = strtoul(end + 1, &end, base);
	ret[0] = (uint32_t)first;
	ret[1] = (uint32_t)second;
	return !*end && first <= UINT32_MAX && second <= UINT32_MAX;
}

static bool parse_selector(const char **text, struct object *rule)
{
	uint32_t pair[2];

	if (take_word(text, "from all")) {
		rule->selector = SELECT_ALL;
		return true;
	}
	if (take_word(text, "from"))
		return take_prefix(text, &rule->source) && rule->source.len &&
		       rule->source.family == rule->family;
	if (take_word(text, "fwmark") && take_pair(text, 16, '/', pair)) {
		rule->selector = SELECT_MARK;
		rule->mark = pair[0];
		rule->mask = pair[1];
		return rule->mark && !(rule->mark & ~rule->mask);
	}
	if (take_word(text, "uidrange")) {
		rule->selector = SELECT_USER;
		return take_pair(text, 10, '-', rule->uid) &&
		       rule->uid[0] <= rule->uid[1];
	}
	if (take_word(text, "oif"))
		rule->selector = SELECT_OUT;
	else if (take_word(text, "iif"))
		rule->selector = SELECT_IN;
	else
		return false;
	return take_text(text, rule->ifname, sizeof(rule->ifname));
}

/* What follows the table is compared with what the format would have written. */
static bool parse_rule(const char *text, struct object *rule)
{
	uint32_t length;

	if (!take_number(&text, &rule->priority) || !parse_selector(&text, rule) ||
	    !take_word(&text, "lookup") || !take_number(&text, &rule->table))
		return false;
	rule->prefers_main = take_word(&text, "suppress_prefixlength");
	rule->former = rule->prefers_main && take_number(&text, &length) &&
		       length == PREFER_MAIN_FORMER;
	if (rule->prefers_main &&
	    (rule->table != RT_TABLE_MAIN || rule->selector == SELECT_ALL))
		return false;
	return rule->table != 0;
}

static bool parse_route(const char *text, struct object *route)
{
	if (take_word(&text, "from") &&
	    (!take_prefix(&text, &route->source) || !route->source.len ||
	     route->source.family != route->family))
		return false;
	if (take_word(&text, "via") &&
	    (!take_prefix(&text, &route->gateway) ||
	     route->gateway.family != route->family ||
	     route->gateway.len != prefix_host_len(route->family)))
		return false;
	if (take_word(&text, "dev") && (!take_number(&text, &route->oif) || !route->oif))
		return false;
	if (!take_word(&text, "metric") || !take_number(&text, &route->metric))
		return false;
	if (take_word(&text, "mtu") && (!take_number(&text, &route->mtu) || !route->mtu))
		return false;
	if (!take_word(&text, "table") || !take_number(&text, &route->table))
		return false;
	if (route->kind == OBJECT_UNREACHABLE)
		return route->metric == METRIC_UNREACHABLE && !route->oif &&
		       !route->gateway.family && !route->mtu;
	return route->oif && route->metric && route->metric != METRIC_UNREACHABLE;
}

/* The kernel's own tables hold no route of ours. */
static bool is_table_of_ours(const struct object *object)
{
	if (object->kind == OBJECT_RULE)
		return object->table != RT_TABLE_DEFAULT &&
		       object->table != RT_TABLE_LOCAL;
	return object->table &&
	       !(object->table >= RT_TABLE_DEFAULT && object->table <= RT_TABLE_LOCAL);
}

static bool parse(const char *text, struct object *ret)
{
	if (take_word(&text, words[OBJECT_TABLE])) {
		ret->kind = OBJECT_TABLE;
		ret->selector = strchr(text, ' ') ? SELECT_ALL : 0;
		return take_number(&text, &ret->table);
	}
	if (take_word(&text, words[OBJECT_KEPT])) {
		ret->kind = OBJECT_KEPT;
		return take_number(&text, &ret->table);
	}
	if (take_word(&text, words[OBJECT_RULE]))
		ret->kind = OBJECT_RULE;
	else if (take_word(&text, words[OBJECT_ROUTE]))
		ret->kind = OBJECT_ROUTE;
	else if (take_word(&text, words[OBJECT_UNREACHABLE]))
		ret->kind = OBJECT_UNREACHABLE;
	else
		return false;
	if (take_word(&text, "6"))
		ret->family = AF_INET6;
	else if (take_word(&text, "4"))
		ret->family = AF_INET;
	else
		return false;
	return ret->kind == OBJECT_RULE ? parse_rule(text, ret) : parse_route(text, ret);
}

int object_parse(const char *text, struct object *ret)
{
	struct object object = {0};
	char again[OBJECT_STRLEN];

	if (!parse(text, &object) || !is_table_of_ours(&object))
		return -EINVAL;
	/* what comes out otherwise than it went in is not ours */
	object_format(&object, again);
	if (strcmp(again, text) != 0)
		return -EINVAL;
	*ret = object;
	return 0;
}

bool object_ok(const struct object *object)
{
	struct object again;
	char text[OBJECT_STRLEN];

	object_format(object, text);
	return object_parse(text, &again) == 0 && object_equal(object, &again);
}
