/* SPDX-License-Identifier: MIT */
#include "host/similar.h"

#include "config/config.h"
#include "config/keys.h"
#include "lib/cleanup.h"
#include "lib/ini_check.h"
#include "netlink/decode.h"
#include "netlink/dump.h"
#include "netlink/encode.h"
#include "state/record.h"

#include <stdio.h>
#include <string.h>

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char folded(const char *name, size_t i)
{
	return ini_check_lower(name[i]);
}

unsigned similar_distance(const char *a, const char *b)
{
	const size_t n_a = strnlen(a, IFNAMSIZ - 1), n_b = strnlen(b, IFNAMSIZ - 1);
	unsigned d[IFNAMSIZ][IFNAMSIZ]; /* of the first so many bytes of each */

	for (size_t i = 0; i <= n_a; i++)
		for (size_t j = 0; j <= n_b; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			d[i][j] = smaller(smaller(d[i - 1][j], d[i][j - 1]) + 1,
					  d[i - 1][j - 1] +
						  (folded(a, i - 1) != folded(b, j - 1)));
			if (i > 1 && j > 1 && folded(a, i - 1) == folded(b, j - 2) &&
			    folded(a, i - 2) == folded(b, j - 1))
				d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n_a][n_b];
}

struct search {
	const char *ifname;
	unsigned distance; /* less than that */
	char best[IFNAMSIZ];
};

/* Of names that are as near, the first. */
static void compare(struct search *search, const char *name)
{
	const unsigned distance = similar_distance(search->ifname, name);

	if (!keys_ifname_ok(name) || distance >= search->distance)
		return;
	search->distance = distance;
	snprintf(search->best, sizeof(search->best), "%s", name);
}

static int take_section(void *data, const struct section *section, const char *file,
			unsigned line)
{
	(void)file, (void)line;
	compare(data, section->ifname);
	return 0;
}

static int take_record(void *data, const char *ifname)
{
	compare(data, ifname);
	return 0;
}

static int take_link(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_link link;

	if (decode_link(nlh, &link) == 0)
		compare(data, link.link.ifname);
	return 0;
}

int similar_altname(struct rtnl *rtnl, const char *ifname, char ret[static IFNAMSIZ])
{
	struct link link;
	const int r = rtnl_link_called(rtnl, ifname, &link);

	if (r < 0 || !link.ifindex || !strcmp(link.ifname, ifname))
		return r;
	snprintf(ret, IFNAMSIZ, "%s", link.ifname);
	return 1;
}

void similar_explain(const struct settings *settings, struct rtnl *rtnl,
		     const char *ifname, char ret[static SIMILAR_SIZE])
{
	_cleanup_close_ const int runfd = run_dir_open(settings->run_dir, false);
	struct search search = {.ifname = ifname, .distance = strlen(ifname) > 4 ? 3 : 2};
	union request request;

	if (similar_altname(rtnl, ifname, search.best) > 0) {
		snprintf(ret, SIMILAR_SIZE, SIMILAR_ALTNAME, ifname, search.best);
		return;
	}
	config_each(settings, NULL, take_section, &search);
	if (runfd >= 0)
		record_each(runfd, take_record, &search);
	encode_dump_links(&request);
	dump_each(rtnl, &request.nlh, take_link, &search);
	if (search.best[0])
		snprintf(ret, SIMILAR_SIZE,
			 "%s: no link, no section, nothing on record: did you mean %s?",
			 ifname, search.best);
	else
		snprintf(
			ret, SIMILAR_SIZE,
			"%s: no link, no section, nothing on record: for the names of all tunnels see: sixxs-route status",
			ifname);
}
