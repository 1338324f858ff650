/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a rt_tables of others, and must be read as C's own fgets() reads them;
 * then they are ours, and a line more and less must leave the others as they were.
 */
#include "scratch.h"

#include "lib/iproute2.h"
#include "state/table_names.h"

#include <limits.h>

#define ENTRIES_MAX 4096

struct entries {
	size_t n;
	struct {
		uint32_t number;
		char name[512];
	} entry[ENTRIES_MAX];
};

static struct entries read_by_us, read_by_stdio;

static void append(void *data, uint32_t number, const char *name)
{
	struct entries *entries = data;

	MUST(strlen(name) < sizeof(entries->entry[0].name));
	if (entries->n == ENTRIES_MAX)
		return;
	entries->entry[entries->n].number = number;
	strcpy(entries->entry[entries->n++].name, name);
}

static void read_with_stdio(const uint8_t *bytes, size_t size)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	char line[512], name[512];

	MUST(file);
	while (fgets(line, sizeof(line), file)) {
		const char *text = line + strspn(line, " \t");
		int number;

		if (strchr("#\n", *text)) /* or its end */
			continue;
		if (sscanf(text, "0x%x %511s", (unsigned *)&number, name) != 2 &&
		    sscanf(text, "%d %511s", &number, name) != 2)
			break;
		if (number >= 0)
			append(&read_by_stdio, (uint32_t)number, name);
	}
	fclose(file);
}

static void as_others(const uint8_t *bytes, size_t size)
{
	read_by_us.n = read_by_stdio.n = 0;
	iproute2_parse((const char *)bytes, size, append, &read_by_us);
	if (size)
		read_with_stdio(bytes, size);
	MUST(read_by_us.n == read_by_stdio.n);
	for (size_t i = 0; i < read_by_us.n; i++) {
		MUST(read_by_us.entry[i].number == read_by_stdio.entry[i].number);
		MUST(!strcmp(read_by_us.entry[i].name, read_by_stdio.entry[i].name));
	}
}

static int take(void *data, const struct name_entry *entry)
{
	(void)data;
	MUST(iproute2_name_ok(entry->name));
	return 0;
}

static size_t read_ours(int dirfd, char ret[static 1 << 21])
{
	int fd = openat(dirfd, "rt_tables", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, 1 << 21);

	MUST(n >= 0);
	if (fd >= 0)
		close(fd);
	return (size_t)n;
}

/* Whether the file holds just these bytes, and a last newline: it is gone if it is empty.
 */
static bool holds(int dirfd, const uint8_t *bytes, size_t size)
{
	static char text[1 << 21];
	size_t n = read_ours(dirfd, text);

	if (n == size + 1 && text[n - 1] == '\n')
		n--;
	return n == size && !memcmp(text, bytes, size);
}

/* Whether this is a line of the file. */
static bool stands(int dirfd, const char *line)
{
	static char text[1 << 21];
	const size_t n = read_ours(dirfd, text), size = strlen(line);

	for (const char *at = text;
	     (at = memmem(at, n - (size_t)(at - text), line, size)); at++)
		if (at == text || at[-1] == '\n')
			return true;
	return false;
}

/* A line more, which is set twice, and less. */
static void set_and_clear(int dirfd)
{
	static char before[1 << 21];
	struct name_entry want = {.number = 4711, .name = "another"};
	const size_t n = read_ours(dirfd, before);
	struct name_conflict preferred;

	if (memmem(before, n, "4711 ", 5) || memmem(before, n, " another", 8))
		return;
	for (unsigned twice = 0; twice < 2; twice++) {
		MUST(names_set(dirfd, &want, &preferred) == NAME_OURS);
		MUST(stands(dirfd, "4711 another\n"));
	}
	want.name[0] = '\0';
	MUST(names_set(dirfd, &want, &preferred) == NAME_OURS);
	MUST(holds(dirfd, (const uint8_t *)before, n));
}

/* What no program of ours has written: at least what is taken out is not there. */
static void as_disorder(const uint8_t *bytes, size_t size)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	const struct name_entry none = {.number = 200};
	struct name_conflict preferred;
	const int dirfd = scratch_open();
	int r;

	scratch_write("rt_tables", bytes, size);
	names_each(dirfd, take, NULL);
	r = names_look(dirfd, &want, &preferred);
	MUST(r == NAME_OURS || r == NAME_TAKEN);
	MUST(r == NAME_OURS || (preferred.ours && preferred.entry.number != 200 &&
				!strcmp(preferred.entry.name, "a")));
	MUST(!size || holds(dirfd, bytes, size)); /* to look changes nothing */
	MUST(names_set(dirfd, &want, &preferred) == r);
	MUST(names_set(dirfd, &none, &preferred) == NAME_OURS);
	MUST(!stands(dirfd, "200 "));
	unlinkat(dirfd, "rt_tables", 0);
}

static void put_line(void *data, uint32_t number, const char *name)
{
	struct name_entry entry = {.number = number};
	struct name_conflict preferred;

	if (!iproute2_name_ok(name) || number == 4711 || !strcmp(name, "another"))
		return;
	strcpy(entry.name, name);
	MUST(names_put(data, &entry, false, &preferred) >= 0);
}

/* The same lines in our order. */
static void as_ours(const uint8_t *bytes, size_t size)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	struct table_names names = {0};
	struct name_conflict preferred;
	const int dirfd = scratch_open();
	static char text[1 << 21];
	size_t n;
	int r;

	MUST(names_read(-1, &names) == 0);
	iproute2_parse((const char *)bytes, size, put_line, &names);
	MUST(names_write(dirfd, &names) == 0);
	r = names_look(dirfd, &want, &preferred);
	n = read_ours(dirfd, text);
	MUST((r == NAME_TAKEN) ==
	     (memmem(text, n, " a\n", 3) && !stands(dirfd, "200 a\n")));
	set_and_clear(dirfd);
	MUST(names_set(dirfd, &want, &preferred) == r);
	MUST(r != NAME_OURS || stands(dirfd, "200 a\n"));
	set_and_clear(dirfd);
	names_free(&names);
	unlinkat(dirfd, "rt_tables", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	scratch_open();
	iproute2_root = scratch; /* where there are no others */
	as_others(bytes, size);
	as_disorder(bytes, size);
	as_ours(bytes, size);
	return 0;
}
