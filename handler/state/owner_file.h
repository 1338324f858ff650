/* SPDX-License-Identifier: MIT */
/*
 * The files of owners.h, by their names; what they mean is said there. Those that change
 * something are called under the lock.
 */
#ifndef OWNER_FILE_H
#define OWNER_FILE_H

#include "routing/object.h"

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>

#define OWNERS       "owners"
#define OWNERS_NEW   "owners.new" /* until all is in it */
#define OWNER_NOBODY "/"          /* a link to it names nobody */

/* "owners/OBJECT/IFNAME" */
#define OWNER_PATH_SIZE (sizeof(OWNERS) + OBJECT_STRLEN + IFNAMSIZ + 1)

/* Where OBJECT's is: FOLDER, which ends in a slash, and its name. */
void owner_object_path(const char *folder, const struct object *object, char *ret);
void owner_path(const struct object *object, char ret[static OWNER_PATH_SIZE]);
void owner_member_path(const struct object *object, const char *ifname,
		       char ret[static OWNER_PATH_SIZE]);

/* The object of which NAME is the file; -EINVAL: of none. */
int owner_object_of(const char *name, struct object *ret);

/* Whether anybody bears that name. */
bool owner_is_name(const char *name);

/*
 * Returns 1 with *ret, whoever the link PATH names; 0: nobody; -EISDIR: it is a folder;
 * -errno.
 */
int owner_read_link(int runfd, const char *path, char ret[static IFNAMSIZ]);

bool owner_is_folder(int runfd, const char *path);

/*
 * A folder with IFNAME in it takes the place of the link PATH, and the reverse: at no
 * moment is there neither. Return 0 or -errno.
 */
int owner_replace_link(int runfd, const char *path, const char *ifname);
int owner_replace_folder(int runfd, const char *path, const char *ifname);

#endif
