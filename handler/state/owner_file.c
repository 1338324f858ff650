/* SPDX-License-Identifier: MIT */
#include "state/owner_file.h"

#include "state/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Whether a table is shared is said by what stands there, not by its name. Who has a shared
 * rule is found among those who share its table.
 */
void owner_object_path(const char *folder, const struct object *object, char *ret)
{
	char *text = stpcpy(ret, folder);

	if (object->kind == OBJECT_TABLE || object_is_shared(object))
		object_format(
			&(struct object){.kind = OBJECT_TABLE, .table = object->table},
			text);
	else
		object_format(object, text);
	for (; (text = strchr(text, '/')); text++)
		*text = '|';
}

void owner_path(const struct object *object, char ret[static OWNER_PATH_SIZE])
{
	owner_object_path(OWNERS "/", object, ret);
}

void owner_member_path(const struct object *object, const char *ifname,
		       char ret[static OWNER_PATH_SIZE])
{
	owner_path(object, ret);
	stpcpy(stpcpy(ret + strlen(ret), "/"), ifname);
}

bool owner_is_name(const char *name)
{
	return name[0] && strlen(name) < IFNAMSIZ && !strchr(name, '/');
}

bool owner_is_folder(int runfd, const char *path)
{
	struct stat st;

	return fstatat(runfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int owner_read_link(int runfd, const char *path, char ret[static IFNAMSIZ])
{
	const ssize_t n = readlinkat(runfd, path, ret, IFNAMSIZ);

	if (n < 0)
		ret[0] = '\0';
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0 && errno != EINVAL)
		return -errno;
	/* no link: a folder is said to be one; anything else nobody has put there */
	if (n < 0)
		return owner_is_folder(runfd, path) ? -EISDIR : 0;
	if (n == IFNAMSIZ) /* no interface's */
		ret[0] = OWNER_NOBODY[0];
	ret[n < IFNAMSIZ ? n : 1] = '\0';
	return owner_is_name(ret);
}

static int change_places(int runfd, const char *path)
{
	if (syscall(SYS_renameat2, runfd, RUN_DIR_TEMP, runfd, path, RENAME_EXCHANGE) < 0)
		return -errno;
	return run_dir_tidy(runfd);
}

int owner_replace_link(int runfd, const char *path, const char *ifname)
{
	char member[sizeof(RUN_DIR_TEMP) + IFNAMSIZ + 1];
	int r = run_dir_tidy(runfd);

	if (r < 0)
		return r;
	stpcpy(stpcpy(member, RUN_DIR_TEMP "/"), ifname);
	if (mkdirat(runfd, RUN_DIR_TEMP, 0755) < 0 ||
	    symlinkat(ifname, runfd, member) < 0)
		return -errno;
	return change_places(runfd, path);
}

int owner_replace_folder(int runfd, const char *path, const char *ifname)
{
	int r = run_dir_tidy(runfd);

	if (r == 0 && symlinkat(ifname, runfd, RUN_DIR_TEMP) < 0)
		r = -errno;
	return r < 0 ? r : change_places(runfd, path);
}

int owner_object_of(const char *name, struct object *ret)
{
	char text[NAME_MAX + 1];

	snprintf(text, sizeof(text), "%s", name);
	for (char *c = text; (c = strchr(c, '|')); c++)
		*c = '/';
	return object_parse(text, ret);
}
