/* SPDX-License-Identifier: MIT */
#include "state/owners.h"

#include "state/owner_file.h"
#include "state/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The same of who has the object on its record. self: is somebody in any case. */
static int read_owner(int runfd, const char *path, const struct object *object,
		      const char *self, char ret[static IFNAMSIZ])
{
	const int r = owner_read_link(runfd, path, ret);

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

	if (!strcmp(name, other->ifname) || !owner_is_name(name) ||
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

	return owner_is_name(name) && record_has(sharers->runfd, name, sharers->object)
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
	if (r == 0)
		strcpy(ret, OWNER_NOBODY);
	return r > 0 ? -EISDIR : r;
}

/* Returns 1: there was a folder, or a link; 0 or -errno. */
static int join_shared(int runfd, const struct object *object, const char *ifname)
{
	char path[OWNER_PATH_SIZE];
	int r;

	owner_path(object, path);
	r = mkdirat(runfd, path, 0755) < 0 ? -errno : 0;
	if (r < 0 && r != -EEXIST)
		return r;
	errno = 0;
	if (r < 0 && !owner_is_folder(runfd, path)) {
		r = errno ? -errno : owner_replace_link(runfd, path, ifname);
		return r < 0 ? r : 1;
	}
	owner_member_path(object, ifname, path);
	if (symlinkat(ifname, runfd, path) < 0 && errno != EEXIST)
		return -errno;
	return r < 0;
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
	r = run_dir_link(runfd, path, ifname);
	if (r == -EISDIR)
		r = owner_replace_folder(runfd, path, ifname);
	return r < 0 ? r : 1;
}

int owners_set(int runfd, const struct object *object, const char *ifname)
{
	return object_is_shared(object) ? join_shared(runfd, object, ifname)
					: set_own(runfd, object, ifname);
}

int owners_begin(int runfd, const struct objects *unowned)
{
	char path[sizeof(OWNERS_NEW) + OBJECT_STRLEN + 1];

	if (!unowned->n)
		return mkdirat(runfd, OWNERS, 0755) < 0 ? -errno : 0;
	/* under another name until all is in it: what a kill has left there is completed */
	if (mkdirat(runfd, OWNERS_NEW, 0755) < 0 && errno != EEXIST)
		return -errno;
	for (size_t i = 0; i < unowned->n; i++) {
		owner_object_path(OWNERS_NEW "/", &unowned->object[i], path);
		if (symlinkat(OWNER_NOBODY, runfd, path) < 0 && errno != EEXIST)
			return -errno;
	}
	return renameat(runfd, OWNERS_NEW, runfd, OWNERS) < 0 ? -errno : 0;
}

bool owners_is_shared(int runfd, const struct object *object)
{
	char path[OWNER_PATH_SIZE];

	owner_path(object, path);
	return owner_is_folder(runfd, path);
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
	owner_member_path(object, ifname, path);
	if (unlinkat(runfd, path, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	owner_path(object, path);
	return run_dir_remove_folder(runfd, path);
}

struct tidy {
	int runfd;
	const char *folder;          /* OWNERS, or that of what is shared */
	const struct object *shared; /* NULL: it is OWNERS */
	owners_fn *is_recorded;
	const void *data;
};

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
	const int r = owner_read_link(tidy->runfd, path, owner);

	if (r <= 0)
		return r;
	if (tidy->shared)
		return record_has(tidy->runfd, owner, tidy->shared);
	return owner_object_of(name, &object) == 0 && object_is_owned(&object) &&
	       record_exists(tidy->runfd, owner) && is_recorded(tidy, &object);
}

static int tidy_one(void *data, const char *name);

static int tidy_folder(const struct tidy *tidy, const char *name, const char *path)
{
	struct tidy within = *tidy;
	struct object shared;
	int r;

	if (tidy->shared)
		return 0; /* nobody here has made it */
	/* what was cut short, or is that of a rule, which earlier versions made */
	if (owner_object_of(name, &shared) < 0 || shared.kind != OBJECT_TABLE)
		return run_dir_remove_all(tidy->runfd, path);
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
		.runfd = runfd, .folder = OWNERS, .is_recorded = fn, .data = data};
	const int r = run_dir_remove_all(runfd, OWNERS_NEW);

	return r < 0 ? r : run_dir_each(runfd, OWNERS, "", tidy_one, &tidy);
}
