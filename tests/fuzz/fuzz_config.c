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

static void check(const struct section *tunnel)
{
	MUST(tunnel->label[0] && memchr(tunnel->label, '\0', sizeof(tunnel->label)));
	MUST(config_ifname_ok(tunnel->ifname));
	MUST(!tunnel->table_name[0] || iproute2_name_ok(tunnel->table_name));
	MUST(tunnel->table >= 1 && tunnel->table <= INT32_MAX);
	MUST(tunnel->table < 253 || tunnel->table > 255);
	MUST(tunnel->priority >= (tunnel->prefer_main ? 2 : 1) &&
	     tunnel->priority <= 32765);
	MUST(tunnel->metric >= 1 && tunnel->metric < UINT32_MAX);
	MUST(!tunnel->mtu || (tunnel->mtu >= 68 && tunnel->mtu <= 65520));
	MUST(tunnel->wait >= -1 && tunnel->wait <= 60);
	MUST(tunnel->n_sources <= TUNNEL_SOURCES_MAX);
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		check_prefix(&tunnel->source[i]);
	if (tunnel->gateway6.family)
		check_prefix(&tunnel->gateway6);
	if (tunnel->gateway4.family)
		check_prefix(&tunnel->gateway4);
}

static int take(void *data, const struct section *tunnel, const char *file, unsigned line)
{
	struct given *given = data;

	MUST(line && !strncmp(file, scratch, strlen(scratch)));
	check(tunnel);
	for (size_t i = 0; i < given->n; i++) {
		MUST(strcmp(given->tunnel[i].ifname, tunnel->ifname));
		MUST(given->tunnel[i].table != tunnel->table);
	}
	if (given->n < sizeof(given->tunnel) / sizeof(given->tunnel[0]))
		given->tunnel[given->n++] = *tunnel;
	return 0;
}

static void find_again(const struct section *expected)
{
	struct section tunnel;

	MUST(config_find(&settings, expected->ifname, &reporter, &tunnel) == 1);
	MUST(!strcmp(tunnel.label, expected->label));
	MUST(!strcmp(tunnel.table_name, expected->table_name));
	MUST(tunnel.table == expected->table && tunnel.priority == expected->priority);
	MUST(tunnel.n_sources == expected->n_sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct given given;
	const uint8_t *nul = memchr(bytes, '\0', size);
	const size_t first = nul ? (size_t)(nul - bytes) : size;
	struct section tunnel;
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
		find_again(&given.tunnel[i]);

	reports = 0;
	r = config_find(&settings, "sixxs0", &reporter, &tunnel);
	MUST(r <= 1 && (r >= 0 || reports));
	if (r == 1)
		check(&tunnel);
	return 0;
}
