/* SPDX-License-Identifier: MIT */
#include "state/record.h"

#include "lib/cleanup.h"
#include "lib/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX     ".record"
#define FIRST_LINE "sixxs-route 1\n"
#define SIZE_MAX_  (1024 * 1024) /* bytes: more than a tunnel can come to */

#define RECORD_NAME_SIZE (IFNAMSIZ + sizeof(SUFFIX))

static void record_name(const char *ifname, char ret[static RECORD_NAME_SIZE])
{
	const size_t size = strnlen(ifname, IFNAMSIZ - 1);

	memcpy(ret, ifname, size);
	memcpy(ret + size, SUFFIX, sizeof(SUFFIX));
}

static int parse(char *bytes, size_t size, struct objects *ret)
{
	const size_t head = strlen(FIRST_LINE);
	char *line = bytes + head, *end;

	if (strncmp(bytes, FIRST_LINE, head) != 0 || memchr(bytes, '\0', size))
		return -EINVAL;
	for (; *line; line = end + 1) {
		struct object object;
		int r;

		end = strchr(line, '\n');
		if (!end)
			return -EINVAL;
		*end = '\0';
		r = object_parse(line, &object);
		if (r == 0)
			r = objects_put(ret, &object);
		if (r < 0)
			return r;
	}
	return 1;
}

int record_read(int runfd, const char *ifname, struct objects *ret)
{
	_cleanup_free_ char *bytes = NULL;
	char name[RECORD_NAME_SIZE];
	size_t size;
	int r;

	record_name(ifname, name);
	r = trusted_read(runfd, name, SIZE_MAX_, NULL, &bytes, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r == -EFBIG ? -EINVAL : r;
	return parse(bytes, size, ret);
}

int record_write(int runfd, const char *ifname, const struct objects *objects)
{
	_cleanup_free_ char *bytes = NULL;
	char name[RECORD_NAME_SIZE];
	size_t size = strlen(FIRST_LINE);

	bytes = malloc(size + objects->n * OBJECT_STRLEN + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, FIRST_LINE, size + 1);
	for (size_t i = 0; i < objects->n; i++) {
		object_format(&objects->object[i], bytes + size);
		size += strlen(bytes + size);
		bytes[size++] = '\n';
	}
	record_name(ifname, name);
	return run_dir_replace(runfd, name, bytes, size);
}

int record_remove(int runfd, const char *ifname)
{
	char name[RECORD_NAME_SIZE];
	const int r = run_dir_tidy(runfd);

	record_name(ifname, name);
	return r < 0 ? r : run_dir_remove(runfd, name);
}

bool record_exists(int runfd, const char *ifname)
{
	char name[RECORD_NAME_SIZE];

	record_name(ifname, name);
	return faccessat(runfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool record_has(int runfd, const char *ifname, const struct object *object)
{
	struct objects objects = {0};
	const int r = record_read(runfd, ifname, &objects);
	struct object as_shared = *object, as_own = *object;
	bool has;

	if (object->kind == OBJECT_TABLE) {
		as_shared.selector = SELECT_ALL;
		as_own.selector = 0;
	}
	has = r < 0 || objects_have(&objects, &as_own) ||
	      objects_have(&objects, &as_shared);
	objects_free(&objects);
	return has;
}

int record_each(int runfd, run_dir_fn *fn, void *data)
{
	return run_dir_each(runfd, ".", SUFFIX, fn, data);
}
