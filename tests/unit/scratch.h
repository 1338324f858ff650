/* SPDX-License-Identifier: MIT */
/* A temporary folder for a test's files, and what a parser reported about them. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UNUSED __attribute__((unused)) /* not every test needs all */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* PARSE takes none of these texts for a TYPE, and does not touch what it would set. */
#define ASSERT_REFUSES(parse, type, texts)                          \
	for (size_t i = 0; i < LENGTH(texts); i++) {                \
		type set, untouched;                                \
                                                                    \
		memset(&set, 0x5a, sizeof(set));                    \
		memset(&untouched, 0x5a, sizeof(untouched));        \
		if (parse((texts)[i], &set) != -EINVAL)             \
			fail_msg("taken: \"%s\"", (texts)[i]);      \
		assert_memory_equal(&set, &untouched, sizeof(set)); \
	}

static char scratch[PATH_MAX]; /* the folder */
static char reported[16384];   /* "LINE: TEXT\n" or "FILE:LINE: TEXT\n" each */

UNUSED static int scratch_make(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	umask(022);
	snprintf(scratch, sizeof(scratch), "%s/sixxs-route.XXXXXX", base ? base : "/tmp");
	reported[0] = '\0';
	return mkdtemp(scratch) ? 0 : -1;
}

UNUSED static int scratch_remove(void **state)
{
	(void)state;
	return remove_tree(scratch);
}

/* Good until the call after the next. */
UNUSED static const char *scratch_path(const char *name)
{
	static char paths[2][2 * PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

UNUSED static void scratch_write_bytes(const char *name, const char *bytes, size_t size)
{
	FILE *file = fopen(scratch_path(name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

UNUSED static void scratch_write(const char *name, const char *text)
{
	scratch_write_bytes(name, text, strlen(text));
}

/* The folder NAME and all above it that are missing. */
UNUSED static void scratch_mkdir(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", name);
	for (char *slash = path; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(scratch_path(path), 0755);
		*slash = '/';
	}
	mkdir(scratch_path(path), 0755);
}

/* An open descriptor of the folder. */
UNUSED static int scratch_open(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

UNUSED static int folder; /* such a descriptor, for a test's set-up */

UNUSED static int scratch_make_folder(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	folder = scratch_open();
	return 0;
}

UNUSED static int scratch_remove_folder(void **state)
{
	close(folder);
	return scratch_remove(state);
}

UNUSED static void report_text(void *data, unsigned line, const char *text)
{
	const size_t have = strlen(reported);

	(void)data;
	snprintf(reported + have, sizeof(reported) - have, "%u: %s\n", line, text);
}

#endif
