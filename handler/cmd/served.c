/* SPDX-License-Identifier: MIT */
#include "cmd/served.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1 << 20) /* bytes of a file that are looked at */

/* udev(7): a file hides those of its name in the folders behind. */
static const char *const folders[] = {"/etc/udev/rules.d", "/run/udev/rules.d",
				      "/usr/local/lib/udev/rules.d",
				      "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};

#define FOLDERS (sizeof(folders) / sizeof(folders[0]))

static bool is_hidden(const char *name, unsigned folder)
{
	char path[PATH_MAX];
	struct stat st;

	while (folder--) {
		snprintf(path, sizeof(path), "%s/%s", folders[folder], name);
		if (lstat(path, &st) == 0)
			return true;
	}
	return false;
}

/* A line that is no comment mentions it. */
static bool sets_mark(const char *text)
{
	for (const char *found = text; (found = strstr(found, "ENV{SIXXS_ROUTE}"));
	     found++) {
		const char *line = found;

		while (line > text && line[-1] != '\n')
			line--;
		if (line[strspn(line, " \t")] != '#')
			return true;
	}
	return false;
}

/* Returns 0 or -errno. */
static int look_at(const char *path, const char *name, struct served *served)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	const int order = strcmp(name, SERVED_RULES);
	const int r = file_read(path, FILE_MAX, &text, &size);

	if (order == 0) {
		snprintf(served->own, sizeof(served->own), "%s", path);
		served->installed = r == 0 ? size : r != -EINVAL;
	} else if (r == 0 && sets_mark(text)) {
		served->early |= order < 0;
		if (order > 0)
			snprintf(served->late, sizeof(served->late), "%s", path);
	}
	return r == -ENOENT || r == -EINVAL ? 0
					    : r; /* a link to /dev/null hides others */
}

int served_look(struct served *ret)
{
	int error = 0;

	*ret = (struct served){0};
	for (unsigned i = 0; i < FOLDERS; i++) {
		char pattern[PATH_MAX];
		glob_t found = {0};

		snprintf(pattern, sizeof(pattern), "%s/*.rules", folders[i]);
		if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
			error = -ENOMEM;
		for (size_t f = 0; f < found.gl_pathc; f++) {
			const char *name = strrchr(found.gl_pathv[f], '/') + 1;
			const int r = is_hidden(name, i)
					      ? 0
					      : look_at(found.gl_pathv[f], name, ret);

			if (r < 0)
				error = r;
		}
		globfree(&found);
	}
	return error;
}

bool served_link(const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s", ifname);
	return access(path, F_OK) == 0;
}

bool served_is_marked(const char *ifname)
{
	_cleanup_free_ char *index = NULL, *data = NULL;
	char path[PATH_MAX];
	size_t size;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", ifname);
	if (file_read(path, 16, &index, &size) < 0)
		return false;
	index[strcspn(index, "\n")] = '\0';
	snprintf(path, sizeof(path), "/run/udev/data/n%.15s", index);
	return file_read(path, FILE_MAX, &data, &size) == 0 &&
	       strstr(data, "\nE:SIXXS_ROUTE=");
}
