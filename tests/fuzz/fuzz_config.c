/* SPDX-License-Identifier: MIT */
/*
 * Up to the first NUL the bytes are one drop-in, and behind it another. Whatever tunnels
 * config_each() gives must be in range, and what config_find() gives for each.
 */
#include "scratch.h"

#include "config/config.h"
#include "config/keys.h"
#include "lib/iproute2.h"
#include "state/table_names.h"

#include <errno.h>
#include <sys/socket.h>

struct given {
	size_t n;
	struct section tunnel[512];
};

static unsigned reports;

static void count(void *data, enum severity severity, const char *file, unsigned line,
		  const char *text)
{
	(void)data;
	(void)line;
	MUST(!strncmp(file, scratch, strlen(scratch)));
	for (; *text; text++)
		MUST((*text >= 0x20 || *text == '\t') && *text < 0x7f);
	reports += severity == SEVERITY_ERROR;
}

static const struct settings settings = {.conf_dir = scratch};
static const struct diagnostics reporter = {.fn = count};

static void check_prefix(const struct prefix *prefix)
{
	char text[PREFIX_STRLEN];
	struct prefix again;

	MUST(prefix->family == AF_INET6 || prefix->family == AF_INET);
	MUST(prefix->len && prefix->len <= prefix_host_len(prefix->family));
	MUST(prefix_is_unicast(prefix));
	prefix_format(prefix, text);
	MUST(prefix_parse(text, &again) == 0 && prefix_equal(prefix, &again));
}

static bool has_selector(const struct section *section)
{
	return section->n_sources || section->source_kind != SOURCES_LISTED ||
	       section->mask || section->by_user || section->bound ||
	       section->n_from_links;
}

static void check_selectors(const struct section *section)
{
	MUST(has_selector(section));
	MUST(section->n_sources <= TUNNEL_SOURCES_MAX);
	for (unsigned i = 0; i < section->n_sources; i++)
		check_prefix(&section->source[i]);
	MUST(!section->source_link[0] || keys_ifname_ok(section->source_link));
	MUST(!section->mask || (section->mark && !(section->mark & ~section->mask)));
	MUST(!section->by_user || section->uid[0] <= section->uid[1]);
	MUST(section->n_from_links <= TUNNEL_LINKS_MAX);
	for (unsigned i = 0; i < section->n_from_links; i++)
		MUST(keys_ifname_ok(section->from_link[i]));
}

static void check(const struct section *section)
{
	MUST(section->label[0] && memchr(section->label, '\0', sizeof(section->label)));
	MUST(keys_ifname_ok(section->ifname));
	MUST(!section->table_name[0] || iproute2_name_ok(section->table_name));
	MUST(section->table >= 1 && section->table <= INT32_MAX);
	MUST(section->table < 253 || section->table > 255 ||
	     (section->table == 254 && section->no_route));
	MUST(section->priority >= (section->prefer_main ? 2 : 1) &&
	     section->priority <= 32765);
	MUST(section->metric >= 1 && section->metric < UINT32_MAX);
	MUST(!section->mtu || (section->mtu >= 68 && section->mtu <= 65520));
	MUST(section->wait >= -1 && section->wait <= 60);
	if (section->gateway6.family)
		check_prefix(&section->gateway6);
	if (section->gateway4.family)
		check_prefix(&section->gateway4);
	check_selectors(section);
}

static int take(void *data, const struct section *tunnel, const char *file, unsigned line)
{
	struct given *given = data;

	MUST(line && !strncmp(file, scratch, strlen(scratch)));
	check(tunnel);
	for (size_t i = 0; i < given->n; i++) {
		const struct section *other = &given->tunnel[i];

		MUST(other->table != tunnel->table || other->no_route ||
		     tunnel->no_route || (other->source_route && tunnel->source_route));
	}
	if (given->n < sizeof(given->tunnel) / sizeof(given->tunnel[0]))
		given->tunnel[given->n++] = *tunnel;
	return 0;
}

/* BAD: something is wrong, it may be another section of this interface. */
static void find_again(const struct section *expected, bool bad)
{
	const struct section *section = NULL;
	struct tunnel tunnel;
	const int r = config_find(&settings, expected->ifname, &reporter, &tunnel);

	MUST(r == 1 || (r < 0 && bad));
	if (r < 0)
		return;
	MUST(tunnel.n >= 1 && tunnel.n <= TUNNEL_SECTIONS_MAX);
	MUST(!strcmp(tunnel.ifname, expected->ifname));
	for (unsigned i = 0; i < tunnel.n; i++)
		if (!strcmp(tunnel.section[i].label, expected->label))
			section = &tunnel.section[i];
	MUST(section && !strcmp(section->table_name, expected->table_name));
	MUST(section->table == expected->table &&
	     section->priority == expected->priority);
	MUST(section->n_sources == expected->n_sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct given given;
	const uint8_t *nul = memchr(bytes, '\0', size);
	const size_t first = nul ? (size_t)(nul - bytes) : size;
	struct tunnel tunnel;
	int r;

	scratch_open();
	iproute2_root = scratch;
	scratch_write("a.conf", bytes, first);
	if (nul)
		scratch_write("sixxs0.conf", nul + 1, size - first - 1);
	else
		unlinkat(scratch_open(), "sixxs0.conf", 0);

	given.n = 0;
	reports = 0;
	r = config_each(&settings, &reporter, take, &given);
	MUST(r <= 0 && (r == 0) == !reports);
	for (size_t i = 0; i < given.n; i++)
		find_again(&given.tunnel[i], r < 0);

	reports = 0;
	r = config_find(&settings, "sixxs0", &reporter, &tunnel);
	MUST(r <= 1 && (r >= 0 || reports));
	for (unsigned i = 0; r == 1 && i < tunnel.n; i++)
		check(&tunnel.section[i]);
	return 0;
}
