/* SPDX-License-Identifier: MIT */
#include "state/owners.h"

#include "state/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "owners"

/* "owners/OBJECT/IFNAME" */
#define OWNER_PATH_SIZE (sizeof(FOLDER) + OBJECT_STRLEN + IFNAMSIZ + 1)

/* Whether a table is shared is said by what stands there, not by its name. */
static void owner_path(const struct object *object, char ret[static OWNER_PATH_SIZE])
{
	struct object plain = *object;
	char *text = stpcpy(ret, FOLDER "/");

	if (plain.kind == OBJECT_TABLE)
		plain.selector = 0;
	object_format(&plain, text);
	for (; (text = strchr(text, '/')); text++)
		*text = '|';
}

static void member_path(const struct object *object, const char *ifname,
			char ret[static OWNER_PATH_SIZE])
{
	owner_path(object, ret);
	stpcpy(stpcpy(ret + strlen(ret), "/"), ifname);
}

/* Whether anybody bears that name. */
static bool is_name(const char *name)
{
	return name[0] && strlen(name) < IFNAMSIZ && !strchr(name, '/');
}

/* Returns 1 with *ret, whoever the link names, 0 (nobody), or -errno. */
static int read_link(int runfd, const char *path, char ret[static IFNAMSIZ])
{
	const ssize_t n = readlinkat(runfd, path, ret, IFNAMSIZ);
	struct stat st;

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0 && errno != EINVAL)
		return -errno;
	/* no link: a folder is said to be one; anything else nobody has put there */
	if (n < 0)
		return fstatat(runfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				       S_ISDIR(st.st_mode)
			       ? -EISDIR
			       : 0;
	if (n == IFNAMSIZ)
		return 0;
	ret[n] = '\0';
	return is_name(ret);
}

/* The same of who has the object on its record. self: is somebody in any case. */
static int read_owner(int runfd, const char *path, const struct object *object,
		      const char *self, char ret[static IFNAMSIZ])
{
	const int r = read_link(runfd, path, ret);

	return r <= 0 ? r : !strcmp(ret, self) || record_has(runfd, ret, object);
}

struct other {
	int runfd;
	const struct object *object;
	const char *ifname;
	char *ret;
};

static int take_other(void *data, const char *name)
{
	const struct other *other = data;

	if (!strcmp(name, other->ifname) || !is_name(name) ||
	    !record_has(other->runfd, name, other->object))
		return 0;
	strcpy(other->ret, name);
	return -ECANCELED; /* one is enough: there may be thousands */
}

/* One who is in the folder, other than IFNAME. The same returns; -ENOTDIR: it is none. */
static int find_other(int runfd, const char *path, const struct object *object,
		      const char *ifname, char ret[static IFNAMSIZ])
{
	struct other other = {
		.runfd = runfd, .object = object, .ifname = ifname, .ret = ret};
	int r;

	ret[0] = '\0';
	r = run_dir_each(runfd, path, "", take_other, &other);
	if (r < 0 && r != -ECANCELED)
		return r == -ELOOP ? -ENOTDIR : r;
	return ret[0] != '\0';
}

struct sharers {
	int runfd;
	const struct object *object;
	run_dir_fn *fn;
	void *data;
};

static int give_sharer(void *data, const char *name)
{
	const struct sharers *sharers = data;

	return is_name(name) && record_has(sharers->runfd, name, sharers->object)
		       ? sharers->fn(sharers->data, name)
		       : 0;
}

int owners_each_sharer(int runfd, const struct object *object, run_dir_fn *fn, void *data)
{
	struct sharers sharers = {
		.runfd = runfd, .object = object, .fn = fn, .data = data};
	char path[OWNER_PATH_SIZE];
	int r;

	owner_path(object, path);
	r = run_dir_each(runfd, path, "", give_sharer, &sharers);
	return r == -ELOOP || r == -ENOTDIR ? 0 : r;
}

int owners_get(int runfd, const struct object *object, const char *ifname,
	       char ret[static IFNAMSIZ])
{
	char path[OWNER_PATH_SIZE];
	int r;

	owner_path(object, path);
	if (object_is_shared(object)) {
		r = find_other(runfd, path, object, ifname, ret);
		if (r != -ENOTDIR)
			return r;
		r = read_owner(runfd, path, object, "", ret);
		return r <= 0 ? r : strcmp(ret, ifname) != 0 ? -ENOTDIR : 0;
	}
	r = read_owner(runfd, path, object, ifname, ret);
	if (r != -EISDIR)
		return r;
	r = find_other(runfd, path, object, ifname, ret);
	return r > 0 ? -EISDIR : r;
}

/*
 * What nobody owns any more may be used in the other way: a link makes way. Returns 1:
 * there was one, or a folder; 0 or -errno.
 */
static int make_folder(int runfd, const char *path)
{
	struct stat st;

	if (mkdirat(runfd, path, 0755) == 0)
		return 0;
	if (errno != EEXIST || fstatat(runfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return 1;
	if (unlinkat(runfd, path, 0) < 0 || mkdirat(runfd, path, 0755) < 0)
		return -errno;
	return 1;
}

static int join_shared(int runfd, const struct object *object, const char *ifname)
{
	char path[OWNER_PATH_SIZE];
	int r;

	owner_path(object, path);
	r = make_folder(runfd, path);
	if (r < 0)
		return r;
	member_path(object, ifname, path);
	return symlinkat(ifname, runfd, path) < 0 && errno != EEXIST ? -errno : r;
}

struct emptying {
	int runfd;
	const char *folder;
};

static int remove_member(void *data, const char *name)
{
	const struct emptying *emptying = data;
	char path[OWNER_PATH_SIZE + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", emptying->folder, name);
	return run_dir_remove(emptying->runfd, path);
}

/* Of a folder in which nobody is but who has no record, or wants it for itself now. */
static int remove_folder(int runfd, const char *path)
{
	struct emptying emptying = {.runfd = runfd, .folder = path};
	const int r = run_dir_each(runfd, path, "", remove_member, &emptying);

	return r < 0 ? r : run_dir_remove_folder(runfd, path);
}

static int replace_link(int runfd, const char *path, const char *ifname)
{
	int r = run_dir_link(runfd, path, ifname);

	if (r != -EISDIR)
		return r;
	r = remove_folder(runfd, path);
	return r < 0 ? r : run_dir_link(runfd, path, ifname);
}

static int set_own(int runfd, const struct object *object, const char *ifname)
{
	char path[OWNER_PATH_SIZE];
	int r;

	owner_path(object, path);
	if (symlinkat(ifname, runfd, path) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	r = replace_link(runfd, path, ifname);
	return r < 0 ? r : 1;
}

int owners_set(int runfd, const struct object *object, const char *ifname)
{
	int (*const set)(int, const struct object *, const char *) =
		object_is_shared(object) ? join_shared : set_own;
	int r = set(runfd, object, ifname);

	if (r == -ENOENT) {
		r = make_folder(runfd, FOLDER);
		if (r >= 0)
			r = set(runfd, object, ifname);
	}
	return r;
}

bool owners_is_shared(int runfd, const struct object *object)
{
	char path[OWNER_PATH_SIZE];
	struct stat st;

	owner_path(object, path);
	return fstatat(runfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int owners_clear(int runfd, const struct object *object, const char *ifname)
{
	char path[OWNER_PATH_SIZE];
	int r;

	/* what is used in the other way by now is not this one's to clear */
	if (!object_is_shared(object)) {
		owner_path(object, path);
		r = run_dir_remove(runfd, path);
		return r == -EISDIR ? 0 : r;
	}
	member_path(object, ifname, path);
	if (unlinkat(runfd, path, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	owner_path(object, path);
	return run_dir_remove_folder(runfd, path);
}

struct tidy {
	int runfd;
	const char *folder;          /* FOLDER, or that of what is shared */
	const struct object *shared; /* NULL: it is FOLDER */
	owners_fn *is_recorded;
	const void *data;
};

/* The object of which NAME is the owner's file; -EINVAL: of none. */
static int object_of(const char *name, struct object *ret)
{
	char text[NAME_MAX + 1];

	snprintf(text, sizeof(text), "%s", name);
	for (char *c = text; (c = strchr(c, '|')); c++)
		*c = '/';
	return object_parse(text, ret);
}

static bool is_recorded(const struct tidy *tidy, const struct object *object)
{
	struct object shared = *object;

	if (tidy->is_recorded(tidy->data, object))
		return true;
	/* a table's name does not say whether it is shared */
	shared.selector = SELECT_ALL;
	return object->kind == OBJECT_TABLE && tidy->is_recorded(tidy->data, &shared);
}

/* Whether it still says whose something is. */
static int is_needed(const struct tidy *tidy, const char *name, const char *path)
{
	char owner[IFNAMSIZ];
	struct object object;
	const int r = read_link(tidy->runfd, path, owner);

	if (r <= 0)
		return r;
	if (tidy->shared)
		return record_has(tidy->runfd, owner, tidy->shared);
	return object_of(name, &object) == 0 && object_is_owned(&object) &&
	       record_exists(tidy->runfd, owner) && is_recorded(tidy, &object);
}

static int tidy_one(void *data, const char *name);

static int tidy_folder(const struct tidy *tidy, const char *name, const char *path)
{
	struct tidy within = *tidy;
	struct object shared;
	int r;

	if (tidy->shared || object_of(name, &shared) < 0)
		return 0; /* nobody here has made it */
	within.folder = path;
	within.shared = &shared;
	r = run_dir_each(tidy->runfd, path, "", tidy_one, &within);
	return r < 0 ? r : run_dir_remove_folder(tidy->runfd, path);
}

static int tidy_one(void *data, const char *name)
{
	const struct tidy *tidy = data;
	char path[2 * OWNER_PATH_SIZE + NAME_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", tidy->folder, name);
	r = is_needed(tidy, name, path);
	if (r == -EISDIR)
		return tidy_folder(tidy, name, path);
	return r == 0 ? run_dir_remove(tidy->runfd, path) : r < 0 ? r : 0;
}

int owners_tidy(int runfd, owners_fn *fn, const void *data)
{
	struct tidy tidy = {
		.runfd = runfd, .folder = FOLDER, .is_recorded = fn, .data = data};

	return run_dir_each(runfd, FOLDER, "", tidy_one, &tidy);
}
