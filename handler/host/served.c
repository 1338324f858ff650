/* SPDX-License-Identifier: MIT */
#include "host/served.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
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
		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
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

struct looking {
	struct served *served;
	unsigned folder;
	int error;
};

static void note_unread(struct looking *looking, const char *path, int r)
{
	looking->error = r;
	snprintf(looking->served->unread, sizeof(looking->served->unread), "%s", path);
}

static void look_at(void *data, const char *path, int r, const char *text)
{
	struct looking *looking = data;
	struct served *served = looking->served;
	const char *name = strrchr(path, '/') + 1;
	const int order = strcmp(name, SERVED_RULES);

	if (is_hidden(name, looking->folder))
		return;
	if (order == 0) {
		snprintf(served->own, sizeof(served->own), "%s", path);
		served->installed = r == 0 ? *text : r != -EINVAL;
	} else if (r == 0 && sets_mark(text)) {
		served->early |= order < 0;
		if (order > 0)
			snprintf(served->late, sizeof(served->late), "%s", path);
	}
	if (r < 0 && r != -ENOENT && r != -EINVAL) /* a link to /dev/null hides others */
		note_unread(looking, path, r);
}

int served_look(struct served *ret)
{
	struct looking looking = {.served = ret};

	*ret = (struct served){0};
	for (; looking.folder < FOLDERS; looking.folder++) {
		const int r = file_each(folders[looking.folder], ".rules", FILE_MAX,
					look_at, &looking);

		if (r < 0)
			note_unread(&looking, folders[looking.folder], r);
	}
	return looking.error;
}

bool served_link(const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s", ifname);
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

bool served_is_marked(const char *ifname)
{
	const unsigned index = if_nametoindex(ifname);
	_cleanup_free_ char *data = NULL;
	char path[64];
	size_t size;

	snprintf(path, sizeof(path), "/run/udev/data/n%u", index);
	return index && file_read(path, FILE_MAX, &data, &size) == 0 &&
	       strstr(data, "\nE:SIXXS_ROUTE=");
}
