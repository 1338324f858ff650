/* SPDX-License-Identifier: MIT */
#include "cmd/namespace.h"

#include "lib/cleanup.h"
#include "lib/log.h"
#include "state/netns.h"
#include "state/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Who names a folder of its own says whose it is. */
static bool is_default(const struct settings *settings)
{
	const size_t size = strlen(RUN_DIR);
	struct stat named, own;

	if (!strncmp(settings->run_dir, RUN_DIR, size) &&
	    !settings->run_dir[size + strspn(settings->run_dir + size, "/.")])
		return true;
	return fstatat(AT_FDCWD, settings->run_dir, &named, 0) == 0 &&
	       fstatat(AT_FDCWD, RUN_DIR, &own, 0) == 0 && named.st_dev == own.st_dev &&
	       named.st_ino == own.st_ino;
}

/* What the mark says takes one call, and /proc makes two folders and their files first. */
void namespace_look(struct settings *settings, int socket_fd)
{
	const bool looks = is_default(settings) && !netns_is_marked(socket_fd);
	const enum netns netns = looks ? netns_look() : NETNS_UNKNOWN;

	settings->at_home = netns == NETNS_HOME;
	settings->away = netns == NETNS_AWAY;
}

/* As far as the run folder tells. */
static bool is_away(const struct settings *settings, int socket_fd)
{
	_cleanup_close_ int runfd = run_dir_open(settings->run_dir, false);

	return runfd >= 0 && netns_compare(runfd, socket_fd) == NETNS_AWAY;
}

int namespace_check(const struct settings *settings, int socket_fd)
{
	const bool known = settings->at_home || settings->away || !is_default(settings);

	if (known ? !settings->away : !is_away(settings, socket_fd))
		return 0;
	log_line(
		LOG_ERR,
		"this is another network namespace than that of PID 1, and %s is for PID 1's tunnels: nothing was done; give this one folders of its own: --run-dir and --conf-dir (or, with ip netns exec NAME, --run-dir and drop-ins in /etc/netns/NAME/sixxs-route/conf.d)",
		settings->run_dir);
	return -EXDEV;
}
