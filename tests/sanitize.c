/* SPDX-License-Identifier: MIT */
/* For make SANITIZE=1: what the sanitizers shall do when no environment can tell them. */
#include <stdio.h>
#include <string.h>

const char *__asan_default_options(void);
int __lsan_is_turned_off(void);

/* Some tests preload a library that turns the clock. */
const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0";
}

/*
 * Leaks are looked for with ptrace(2), which strace holds and systemd's filter forbids, and
 * by /proc.
 */
int __lsan_is_turned_off(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	int off = !file, n;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "TracerPid: %d", &n) == 1 ||
		    sscanf(line, "Seccomp: %d", &n) == 1)
			off |= n;
	if (file)
		fclose(file);
	return off;
}
