/* SPDX-License-Identifier: MIT */
#include "watch/sd_notify.h"

#include "lib/cleanup.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t size = path ? strlen(path) : 0;
	_cleanup_close_ int fd = -1;
	socklen_t length;

	if (!size)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || size >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract: see unix(7) */
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			     (const struct sockaddr *)&address, length) < 0)
		return -errno;
	return 0;
}
