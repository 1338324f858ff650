/* SPDX-License-Identifier: MIT */
#include "config/keys.h"

#include "lib/iproute2.h"
#include "lib/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MTU_MIN4 68 /* RFC 791, 3.2 */

/* Decimal, in full: no sign, no blank, no leading zero. */
static bool is_number(const char *value, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t number;

	if ((value[0] == '0' && value[1]) ||
	    !number_parse(value, strlen(value), max, &number) || number < min)
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool keys_ifname_ok(const char *ifname)
{
	const size_t size = name_span(ifname);

	return size && size < IFNAMSIZ && !ifname[size] && !strchr("_.-", ifname[0]);
}

static const char *parse_interface(const char *value, struct section *ret)
{
	if (!keys_ifname_ok(value))
		return "an interface name of at most 15 letters, digits, '_', '.' and '-', which begins with a letter or digit";
	strcpy(ret->ifname, value);
	return NULL;
}

static const char *parse_source(const char *value, struct section *ret)
{
	struct prefix prefix;

	if (!strcmp(value, "none"))
		return NULL;
	if (!strcmp(value, "auto") || !strcmp(value, "auto/prefix")) {
		ret->source_kind = value[4] ? SOURCES_AUTO_PREFIX : SOURCES_AUTO;
		return NULL;
	}
	if (prefix_parse(value, &prefix) < 0)
		return "auto, auto/prefix, an IPv6 or IPv4 address, or a prefix like 2001:db8::/48";
	/* the kernel takes such a rule for one that matches any source */
	if (!prefix.len)
		return "a prefix length of at least 1";
	if (!prefix_is_unicast(&prefix))
		return "a unicast address or prefix";
	for (unsigned i = 0; i < ret->n_sources; i++)
		if (prefix_equal(&ret->source[i], &prefix))
			return "each source only once";
	if (ret->n_sources == TUNNEL_SOURCES_MAX)
		return "no more than 64 sources";
	ret->source[ret->n_sources++] = prefix;
	return NULL;
}

#define EXPECTED_LINK \
	"the name of an interface: at most 15 letters, digits, '_', '.' and '-'"

static const char *parse_source_link(const char *value, struct section *ret)
{
	if (!keys_ifname_ok(value))
		return EXPECTED_LINK;
	strcpy(ret->source_link, value);
	return NULL;
}

/* As is_number, or hexadecimal behind 0x. */
static bool is_mark(const char *value, uint32_t *ret)
{
	char *end;
	unsigned long number;

	if (strncmp(value, "0x", 2) != 0)
		return is_number(value, 1, UINT32_MAX, ret);
	if (strspn(value + 2, "0123456789abcdefABCDEF") != strlen(value + 2) ||
	    !value[2] || strlen(value + 2) > 8)
		return false;
	number = strtoul(value + 2, &end, 16);
	*ret = (uint32_t)number;
	return number != 0;
}

/* Bits outside the mask are cut, as host bits are: the kernel would keep two rules. */
static const char *parse_fwmark(const char *value, struct section *ret)
{
	static const char expected[] =
		"none, MARK or MARK/MASK, as 0x1/0xff: numbers from 1 to 4294967295, of which some bit is in both";
	const char *slash = strchr(value, '/');
	uint32_t mark, mask = UINT32_MAX;
	char text[16];

	if (!strcmp(value, "none"))
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)(slash ? slash - value : 15), value);
	if (strlen(value) > 31 || (slash && slash - value > 15) ||
	    !is_mark(text, &mark) || (slash && !is_mark(slash + 1, &mask)) ||
	    !(mark & mask))
		return expected;
	ret->mark = mark & mask;
	ret->mask = mask;
	return NULL;
}

bool keys_user_is_name(const char *value)
{
	return strcmp(value, "none") != 0 && (value[0] < '0' || value[0] > '9');
}

/* A name is left to who reads /etc/passwd. */
static const char *parse_user(const char *value, struct section *ret)
{
	static const char expected[] =
		"none, a name of /etc/passwd, a number, or two as 1000-1999, from 0 to 4294967294";
	const char *dash = strchr(value, '-');
	char first[16];

	if (keys_user_is_name(value) || !strcmp(value, "none"))
		return NULL;
	snprintf(first, sizeof(first), "%.*s", (int)(dash ? dash - value : 15), value);
	if ((dash && dash - value > 15) || strlen(value) > 31 ||
	    !is_number(first, 0, UINT32_MAX - 1, &ret->uid[0]) ||
	    !is_number(dash ? dash + 1 : first, 0, UINT32_MAX - 1, &ret->uid[1]) ||
	    ret->uid[0] > ret->uid[1])
		return expected;
	ret->by_user = true;
	return NULL;
}

static const char *parse_switch(const char *value, bool *ret)
{
	*ret = !strcmp(value, "yes");
	return *ret || !strcmp(value, "no") ? NULL : "yes or no";
}

static const char *parse_bound(const char *value, struct section *ret)
{
	return parse_switch(value, &ret->bound);
}

static const char *parse_from_link(const char *value, struct section *ret)
{
	if (!strcmp(value, "none"))
		return NULL;
	if (!keys_ifname_ok(value))
		return EXPECTED_LINK;
	if (!strcmp(value, "lo"))
		return "another interface than lo, by which nothing comes in from elsewhere";
	for (unsigned i = 0; i < ret->n_from_links; i++)
		if (!strcmp(ret->from_link[i], value))
			return "each interface only once";
	if (ret->n_from_links == TUNNEL_LINKS_MAX)
		return "no more than 16 interfaces";
	strcpy(ret->from_link[ret->n_from_links++], value);
	return NULL;
}

bool keys_all_digits(const char *value)
{
	return value[strspn(value, "0123456789")] == '\0';
}

bool keys_table_ok(uint32_t table)
{
	/* 0, 253 and 255 are the kernel's own (linux/rtnetlink.h); 254 is main */
	return table >= 1 && table <= INT32_MAX && table != 253 && table != 255;
}

/* A name is left to who knows iproute2's files. */
static const char *parse_table(const char *value, struct section *ret)
{
	uint32_t table;

	if (!keys_all_digits(value))
		return NULL;
	if (!is_number(value, 1, INT32_MAX, &table) || !keys_table_ok(table))
		return KEYS_TABLE_EXPECTED;
	ret->table = table;
	return NULL;
}

static const char *parse_name(const char *value, struct section *ret)
{
	if (!strcmp(value, "none")) {
		ret->table_name[0] = '\0';
		return NULL;
	}
	if (!iproute2_name_ok(value))
		return "none, or a name of at most 63 letters, digits, '_', '.' and '-' which begins with a letter and is no word of ip(8)";
	strcpy(ret->table_name, value);
	return NULL;
}

static const char *parse_priority(const char *value, struct section *ret)
{
	/* main's own rule stands at 32766 */
	return is_number(value, 1, 32765, &ret->priority) ? NULL
							  : "a number from 1 to 32765";
}

/* "default": this program's; "none": the table is somebody else's. */
static const char *parse_route(const char *value, struct section *ret)
{
	ret->no_route = !strcmp(value, "none");
	return ret->no_route || !strcmp(value, "default") ? NULL : "default or none";
}

static const char *parse_gateway(const char *value, struct section *ret)
{
	struct prefix address, *gateway;

	ret->gateway_auto = !strcmp(value, "auto");
	if (ret->gateway_auto || !strcmp(value, "none"))
		return NULL;
	if (strchr(value, '/') || prefix_parse(value, &address) < 0 ||
	    !prefix_is_unicast(&address))
		return "none, auto, or the unicast address of the next hop";
	gateway = address.family == AF_INET6 ? &ret->gateway6 : &ret->gateway4;
	if (gateway->family)
		return "one gateway for IPv6 and one for IPv4";
	*gateway = address;
	return NULL;
}

static const char *parse_metric(const char *value, struct section *ret)
{
	/* 4294967295 is the fallback route's, which must never win */
	return is_number(value, 1, UINT32_MAX - 1, &ret->metric)
		       ? NULL
		       : "a number from 1 to 4294967294";
}

static const char *parse_mtu(const char *value, struct section *ret)
{
	if (!strcmp(value, "none")) {
		ret->mtu = 0;
		return NULL;
	}
	/* the kernel cuts larger ones to 65535 - 15 without a word (ip_metrics_convert)
	 */
	return is_number(value, MTU_MIN4, 65520, &ret->mtu)
		       ? NULL
		       : "none, or a number from 68 to 65520";
}

static const char *parse_refusal(const char *value, enum refusal *ret)
{
	if (!strcmp(value, "fallthrough"))
		*ret = FALLTHROUGH;
	else if (!strcmp(value, "unreachable"))
		*ret = UNREACHABLE;
	else
		return "fallthrough or unreachable";
	return NULL;
}

static const char *parse_when_down(const char *value, struct section *ret)
{
	return parse_refusal(value, &ret->when_down);
}

static const char *parse_when_gone(const char *value, struct section *ret)
{
	return parse_refusal(value, &ret->when_gone);
}

static const char *parse_carrier(const char *value, struct section *ret)
{
	ret->carrier_needed = !strcmp(value, "needed");
	return ret->carrier_needed || !strcmp(value, "ignored") ? NULL
								: "ignored or needed";
}

static const char *parse_prefer_main(const char *value, struct section *ret)
{
	return parse_switch(value, &ret->prefer_main);
}

static const char *parse_steer(const char *value, struct section *ret)
{
	ret->source_route = !strcmp(value, "source-route");
	return ret->source_route || !strcmp(value, "rule") ? NULL
							   : "rule or source-route";
}

static const char *parse_wait(const char *value, struct section *ret)
{
	uint32_t seconds;

	if (!is_number(value, 0, 60, &seconds))
		return "a number of seconds from 0 to 60";
	ret->wait = (int)seconds;
	return NULL;
}

static const char *parse_connect_limit(const char *value, struct section *ret)
{
	static const char expected[] = "connects/seconds, as 4/60: 1 to 64, 1 to 86400";
	const char *slash = strchr(value, '/');
	char connects[8];

	if (!slash || slash - value >= (ptrdiff_t)sizeof(connects))
		return expected;
	memcpy(connects, value, (size_t)(slash - value));
	connects[slash - value] = '\0';
	return is_number(connects, 1, LIMIT_CONNECTS_MAX, &ret->limit.connects) &&
			       is_number(slash + 1, 1, LIMIT_SECONDS_MAX,
					 &ret->limit.seconds)
		       ? NULL
		       : expected;
}

const struct config_key config_keys[CONFIG_KEYS + 1] = {
	{"interface", "the section's name", KEY_DESCRIBED, NULL, parse_interface},
	{"source", "none", KEY_SEVERAL, "none|auto|auto/prefix", parse_source},
	{"source_link", "the interface", KEY_DESCRIBED, NULL, parse_source_link},
	{"fwmark", "none", 0, NULL, parse_fwmark},
	{"user", "none", 0, NULL, parse_user},
	{"bound", "no", 0, NULL, parse_bound},
	{"from_link", "none", KEY_SEVERAL, "none", parse_from_link},
	{"table", NULL, 0, NULL, parse_table},
	{"name", "the section's name", KEY_DESCRIBED, NULL, parse_name},
	{"priority", "16383", 0, NULL, parse_priority},
	{"route", "default", 0, NULL, parse_route},
	{"gateway", "none", KEY_SEVERAL, "none|auto", parse_gateway},
	{"metric", "2048", 0, NULL, parse_metric},
	{"mtu", "none", 0, NULL, parse_mtu},
	{"prefer_main", "by the selectors", KEY_DESCRIBED, NULL, parse_prefer_main},
	{"steer", "rule", 0, NULL, parse_steer},
	{"when_down", "fallthrough", 0, NULL, parse_when_down},
	{"when_gone", "fallthrough", 0, NULL, parse_when_gone},
	{"carrier", "ignored", 0, NULL, parse_carrier},
	{"wait", "0 with systemd, else 5", KEY_DESCRIBED, NULL, parse_wait},
	/* SixXS' FAQ: more than 4 times in 60 s, and it is 5 minutes; twice a day, a week */
	{"connect_limit", "4/60", 0, NULL, parse_connect_limit},
	{NULL, NULL, 0, NULL, NULL},
};

void keys_defaults(struct section *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->wait = -1;
	for (const struct config_key *key = config_keys; key->name; key++)
		if (key->default_text && !(key->flags & KEY_DESCRIBED))
			key->parse(key->default_text, ret);
}
