/* SPDX-License-Identifier: MIT */
#include "watch/culprit.h"

#include "converge/messages.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORKD     "systemd-networkd"
#define COMM_SIZE    16
#define CULPRIT_SIZE 64
#define REMEDY_SIZE  256

/* "" if there is no such process. */
static void read_comm(uint32_t pid, char ret[static COMM_SIZE])
{
	_cleanup_close_ int fd = -1;
	char path[32];
	size_t size;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_fd(fd, ret, COMM_SIZE - 1, &size) < 0)
		size = 0;
	ret[size] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* The kernel cuts a name after 15 bytes. */
static bool is_networkd(uint32_t pid)
{
	char name[COMM_SIZE];

	read_comm(pid, name);
	return name[0] && !strncmp(name, NETWORKD, COMM_SIZE - 1);
}

static bool networkd_runs(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool runs = false;

	while (dir && !runs && (entry = readdir(dir))) {
		const unsigned long pid = strtoul(entry->d_name, NULL, 10);

		runs = pid > 0 && pid <= INT_MAX && is_networkd((uint32_t)pid);
	}
	if (dir)
		closedir(dir);
	return runs;
}

/*
 * The name of the process whose number PORT is by custom (netlink(7)), escaped, or "" if
 * there is none now. PID 1 makes the socket of systemd-networkd: where that runs, it is
 * meant. ret_remedy: "; " and what to do, or "".
 */
static void find(uint32_t port, char ret[static CULPRIT_SIZE],
		 char ret_remedy[static REMEDY_SIZE])
{
	char name[COMM_SIZE];

	read_comm(port, name);
	if (is_networkd(port) || (port == 1 && networkd_runs())) {
		strcpy(ret, NETWORKD);
		strcpy(ret_remedy,
		       "; put the lines \"[Network]\", \"ManageForeignRoutingPolicyRules=no\" and \"ManageForeignRoutes=no\" into /etc/systemd/networkd.conf.d/zz-sixxs-route.conf, then run systemctl restart systemd-networkd");
		return;
	}
	escape(name, ret, CULPRIT_SIZE);
	ret_remedy[0] = '\0';
}

bool culprit_tell(struct log_memory *told, uint32_t port, const char *ifname,
		  const struct object *object)
{
	const struct step step = {.op = STEP_ADD, .object = *object};
	char what[OBJECT_COMMAND_STRLEN], who[CULPRIT_SIZE], remedy[REMEDY_SIZE];

	find(port, who, remedy);
	/* once of each; nobody knows whether one that has ended was another */
	if ((!who[0] && told->n) || log_was_told(told, who))
		return true;
	explain_step(&step, what);
	log_line(
		LOG_WARNING,
		"%s: what \"%s\" adds is deleted over and over by netlink port %u (%s%s): it is put back each time, within about a second%s",
		ifname, what, port,
		who[0] ? "going by its number, the process "
		       : "no process has that number now",
		who, remedy);
	/* the repairs themselves may fill it */
	if (!log_is_full())
		return true;
	told->n = 0;
	return false;
}
