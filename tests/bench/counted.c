// SPDX-License-Identifier: MIT
/* Runs COUNTED with its own arguments, and adds a line to USED: the microseconds that it took. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef COUNTED
#define COUNTED "/usr/sbin/sixxs-route.counted"
#endif
#ifndef USED
#define USED "/run/used"
#endif

extern char **environ;

int main(int argc, char *argv[])
{
	struct rusage usage;
	int status = 1, fd;
	pid_t pid;

	(void)argc;
	if (posix_spawn(&pid, COUNTED, NULL, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) < 0)
		return 1;
	fd = open(USED, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		dprintf(fd, "%ld\n",
			(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
				usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
