/* SPDX-License-Identifier: MIT */
#include "host/vrf.h"

#include "status/tunnel_status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has_master(const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", ifname);
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

static int read_once(struct vrfs *vrfs)
{
	struct rtnl rtnl;

	if (vrfs->read)
		return vrfs->error;
	vrfs->read = true;
	vrfs->error = rtnl_open(&rtnl, 0);
	if (vrfs->error < 0)
		return vrfs->error;
	vrfs->error = kernel_state_read(&rtnl, &vrfs->kernel);
	rtnl_close(&rtnl);
	return vrfs->error;
}

int vrf_find(struct vrfs *vrfs, const struct section *section, struct vrf *ret)
{
	struct tunnel_status status = {.recorded = false};
	int r = has_master(section->ifname) ? read_once(vrfs) : 0;

	if (r < 0 || !vrfs->read)
		return r;
	memcpy(status.ifname, section->ifname, sizeof(status.ifname));
	r = tunnel_status_add_section(&status, section);
	if (r == 0)
		tunnel_status_find_link(&status, &vrfs->kernel);
	memcpy(ret->name, status.vrf, sizeof(ret->name));
	ret->table = status.vrf_table;
	ret->rule = status.vrf_rule;
	tunnel_status_free(&status);
	return r < 0 ? r : ret->name[0] != '\0';
}
