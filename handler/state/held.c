/* SPDX-License-Identifier: MIT */
#include "state/held.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "lib/trusted.h"
#include "state/boot_id.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WITHOUT_END "none"
#define PATH_SIZE   (sizeof(HELD_FOLDER) + 1 + IFNAMSIZ)

static void held_path(const char *ifname, char ret[static PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, HELD_FOLDER "/%.*s", IFNAMSIZ - 1, ifname);
}

#define END_MAX 999999999999999999 /* so that no sum of two overflows */

static int parse_end(const char *text, size_t size, int64_t *ret)
{
	uint64_t end;

	if (size == strlen(WITHOUT_END) && !memcmp(text, WITHOUT_END, size)) {
		*ret = HELD_WITHOUT_END;
		return 1;
	}
	if (!number_parse(text, size, END_MAX, &end))
		return 0;
	*ret = (int64_t)end;
	return 1;
}

int held_parse(const char *bytes, size_t size, const char *boot, int64_t *ret_until_ms)
{
	const char *blank = memchr(bytes, ' ', size);
	const size_t head = *boot || !blank ? strlen(boot) : (size_t)(blank - bytes);

	if (size < head + 2 || bytes[head] != ' ' || bytes[size - 1] != '\n' ||
	    (*boot && memcmp(bytes, boot, head) != 0))
		return 0;
	return parse_end(bytes + head + 1, size - head - 2, ret_until_ms);
}

size_t held_format(const char *boot, int64_t until_ms, char ret[static HELD_STRLEN])
{
	const int n =
		until_ms == HELD_WITHOUT_END
			? snprintf(ret, HELD_STRLEN, "%s " WITHOUT_END "\n", boot)
			: snprintf(ret, HELD_STRLEN, "%s %" PRId64 "\n", boot, until_ms);

	return (size_t)n;
}

/* The returns of held_look, and 0 too where there is a file that holds nothing. */
static int read_hold(int runfd, const char *ifname, bool *ret_file, int64_t *ret_until_ms)
{
	_cleanup_free_ char *bytes = NULL;
	char path[PATH_SIZE], boot[BOOT_ID_SIZE];
	size_t size;
	int r;

	held_path(ifname, path);
	r = trusted_read(runfd, path, HELD_STRLEN, NULL, &bytes, &size);
	*ret_file = r != -ENOENT && r != -ENOTDIR;
	if (!*ret_file || r == -EPERM || r == -EFBIG || r == -EBUSY || r == -ENXIO)
		return 0;
	if (r < 0)
		return r;
	boot_id(boot);
	return held_parse(bytes, size, boot, ret_until_ms);
}

int held_look(int runfd, const char *ifname, int64_t *ret_until_ms)
{
	bool file;

	return read_hold(runfd, ifname, &file, ret_until_ms);
}

int held_is(int runfd, const char *ifname, bool *ret_over)
{
	int64_t until_ms;
	bool file;
	int r = read_hold(runfd, ifname, &file, &until_ms);

	if (r > 0)
		r = until_ms > clock_boot_ms();
	if (ret_over)
		*ret_over = r == 0 && file;
	return r;
}

int held_set(int runfd, const char *ifname, int64_t until_ms)
{
	char path[PATH_SIZE], boot[BOOT_ID_SIZE], text[HELD_STRLEN];
	const int r = boot_id(boot);
	size_t size;

	if (r < 0) /* without it nobody would take it for a hold */
		return r;
	if (mkdirat(runfd, HELD_FOLDER, 0755) < 0 && errno != EEXIST)
		return -errno;
	held_path(ifname, path);
	size = held_format(boot, until_ms, text);
	return run_dir_replace(runfd, path, text, size);
}

int held_clear(int runfd, const char *ifname)
{
	char path[PATH_SIZE];

	held_path(ifname, path);
	if (unlinkat(runfd, path, 0) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

struct holds {
	int runfd;
	held_fn *fn;
	void *data;
};

static int look_at(void *data, const char *name)
{
	const struct holds *holds = data;
	int64_t until_ms;
	int r;

	if (strlen(name) >= IFNAMSIZ)
		return 0;
	r = held_look(holds->runfd, name, &until_ms);
	if (r <= 0 || until_ms == HELD_WITHOUT_END)
		return r;
	return holds->fn(holds->data, name, until_ms);
}

int held_each(int runfd, held_fn *fn, void *data)
{
	struct holds holds = {.runfd = runfd, .fn = fn, .data = data};
	const int r = run_dir_each(runfd, HELD_FOLDER, "", look_at, &holds);

	return r == -ENOTDIR ? 0 : r; /* a file in its place holds nothing either */
}

struct search {
	int64_t after_ms, first_ms;
};

static int take_first(void *data, const char *ifname, int64_t until_ms)
{
	struct search *search = data;

	(void)ifname;
	if (until_ms > search->after_ms && until_ms < search->first_ms)
		search->first_ms = until_ms;
	return 0;
}

int held_next(int runfd, int64_t after_ms, int64_t *ret_until_ms)
{
	struct search search = {.after_ms = after_ms, .first_ms = HELD_WITHOUT_END};
	const int r = held_each(runfd, take_first, &search);

	if (r < 0 || search.first_ms == HELD_WITHOUT_END)
		return r;
	*ret_until_ms = search.first_ms;
	return 1;
}
