// SPDX-License-Identifier: MIT
/*
 * Runs a command, and adds a line to /run/used: the microseconds of processor and the KiB that it
 * took. The command is its arguments; or COUNTED, with these, where that is defined.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char *argv[])
{
	struct rusage usage;
	int status = 1, fd;
	pid_t pid;

#ifdef COUNTED
	const char *command = COUNTED;
#else
	const char *command = *++argv;
#endif
	(void)argc;
	if (posix_spawn(&pid, command, NULL, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) < 0)
		return 1;
	fd = open("/run/used", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		dprintf(fd, "%ld %ld\n",
			(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
				usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
			usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
