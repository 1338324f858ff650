/* SPDX-License-Identifier: MIT */
#include "state/netns.h"

#include "lib/text.h"
#include "state/boot_id.h"
#include "state/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h, since Linux 5.14 */
#endif

#define NAME "netns"

enum netns netns_look(void)
{
	struct stat own, first;

	if (fstatat(AT_FDCWD, "/proc/self/ns/net", &own, 0) < 0 ||
	    fstatat(AT_FDCWD, "/proc/1/ns/net", &first, 0) < 0)
		return NETNS_UNKNOWN;
	return own.st_dev == first.st_dev && own.st_ino == first.st_ino ? NETNS_HOME
									: NETNS_AWAY;
}

int netns_parse(const char *bytes, size_t size, const char *boot, uint64_t *ret)
{
	const size_t head = strlen(boot);

	return head && size > head && !memcmp(bytes, boot, head) && bytes[head] == ' ' &&
	       number_parse(bytes + head + 1, size - head - 1, UINT64_MAX, ret);
}

size_t netns_format(const char *boot, uint64_t cookie, char ret[static NETNS_STRLEN])
{
	return (size_t)snprintf(ret, NETNS_STRLEN, "%.36s %" PRIu64, boot, cookie);
}

static int get_cookie(int socket_fd, uint64_t *ret)
{
	socklen_t size = sizeof(*ret);

	if (getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size) < 0)
		return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;
	return 0;
}

/* Returns 1 with *ret; 0: it says nothing of this boot. */
static int read_mark(int dirfd, const char *path, const char *boot, uint64_t *ret)
{
	char text[NETNS_STRLEN];
	const ssize_t n = readlinkat(dirfd, path, text, sizeof(text));

	return n < 0 ? 0 : netns_parse(text, (size_t)n, boot, ret);
}

static enum netns compare(int dirfd, const char *path, int socket_fd)
{
	char boot[BOOT_ID_SIZE];
	uint64_t own, home;

	boot_id(boot);
	if (get_cookie(socket_fd, &own) < 0 || !read_mark(dirfd, path, boot, &home))
		return NETNS_UNKNOWN;
	return own == home ? NETNS_HOME : NETNS_AWAY;
}

enum netns netns_compare(int runfd, int socket_fd)
{
	return compare(runfd, NAME, socket_fd);
}

bool netns_is_marked(int socket_fd)
{
	return compare(AT_FDCWD, RUN_DIR "/" NAME, socket_fd) == NETNS_HOME;
}

int netns_mark(int runfd, int socket_fd)
{
	char boot[BOOT_ID_SIZE], text[NETNS_STRLEN];
	uint64_t own, home;
	const int r = get_cookie(socket_fd, &own);

	if (r < 0)
		return r;
	boot_id(boot);
	if (!*boot || (read_mark(runfd, NAME, boot, &home) && home == own))
		return 0;
	netns_format(boot, own, text);
	return run_dir_link(runfd, NAME, text);
}
