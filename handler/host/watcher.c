/* SPDX-License-Identifier: MIT */
#include "host/watcher.h"

#include "lib/cleanup.h"
#include "state/run_dir.h"
#include "state/watch_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNIT "sixxs-route.service"

static bool is_masked(const char *folder)
{
	char path[64], target[16];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, UNIT);
	n = readlinkat(AT_FDCWD, path, target, sizeof(target));
	return n == (ssize_t)strlen("/dev/null") &&
	       !memcmp(target, "/dev/null", (size_t)n);
}

static bool is_there(void)
{
	static const char *const folders[] = {"/etc", "/run", "/usr/local/lib",
					      "/usr/lib", "/lib"};
	char path[64];

	for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/systemd/system/%s", folders[i], UNIT);
		if (faccessat(AT_FDCWD, path, F_OK, 0) == 0)
			return true;
	}
	return false;
}

static const char *find_reason(void)
{
	if (is_masked("/etc/systemd/system"))
		return "its unit is masked; run: systemctl unmask " UNIT
		       "; systemctl start " UNIT;
	if (is_masked("/run/systemd/system"))
		return "its unit is masked until the next boot; run: systemctl unmask --runtime " UNIT
		       "; systemctl start " UNIT;
	if (!is_there())
		return "its unit " UNIT
		       " is in none of systemd's folders; install it (make install UNITDIR=...)";
	return "it was not started yet, was stopped, or failed; see: systemctl status " UNIT
	       "; then run: systemctl start " UNIT;
}

bool watcher_is_missing(const struct settings *settings, char ret[static WATCHER_SIZE])
{
	_cleanup_close_ int runfd = -1;
	pid_t pid;
	int r;

	if (faccessat(AT_FDCWD, "/run/systemd/system", F_OK, 0) < 0 && errno == ENOENT)
		return false;
	runfd = run_dir_open(settings->run_dir, false);
	r = runfd < 0 ? runfd : watch_lock_find_holder(runfd, &pid);
	if (r > 0 || (r == -EACCES && geteuid() != 0))
		return false;
	if (r < 0 && r != -ENOENT) {
		snprintf(ret, WATCHER_SIZE,
			 "it is not known whether a watcher runs: %s/watch.lock: %s",
			 settings->run_dir, run_dir_strerror(r));
		return true;
	}
	snprintf(ret, WATCHER_SIZE,
		 "no watcher runs, so what a link gets later stays without routes: %s",
		 find_reason());
	return true;
}

bool watcher_is_expected(const char *ifname)
{
	return if_nametoindex(ifname) > 0 || errno != ENODEV;
}
