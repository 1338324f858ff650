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

/* Whether the file holds just these bytes, and a last newline: it is gone if it is empty.
 */
static bool holds(int dirfd, const uint8_t *bytes, size_t size)
{
	static char text[1 << 21];
	int fd = openat(dirfd, "rt_tables", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	if (n > 0 && (size_t)n == size + 1 && text[n - 1] == '\n')
		n--;
	return n >= 0 && (size_t)n == size && !memcmp(text, bytes, size);
}

static void as_ours(const uint8_t *bytes, size_t size)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	struct name_rival rival = {.entry = {.number = UINT32_MAX}};
	int dirfd = scratch_open(), r;
	bool stood;

	scratch_write("rt_tables", bytes, size);
	stood = (size >= 6 && !memcmp(bytes, "200 a\n", 6)) ||
		memmem(bytes, size, "\n200 a\n", 7) ||
		(size >= 6 && !memcmp(bytes + size - 6, "\n200 a", 6)) ||
		(size == 5 && !memcmp(bytes, "200 a", 5));
	names_each(dirfd, take, NULL);
	r = names_add(dirfd, &want, &rival);
	MUST(r == NAME_OURS || r == NAME_TAKEN || r == NUMBER_TAKEN);
	MUST(!stood || r == NAME_OURS);
	MUST(r == NAME_OURS ||
	     (rival.ours && memchr(rival.entry.name, '\0', sizeof(rival.entry.name))));
	MUST((int)names_look(dirfd, &want, &rival) == r);
	if (r == NAME_OURS && !stood) {
		MUST(!holds(dirfd, bytes, size));
		MUST(names_drop(dirfd, &want) == 0);
	}
	MUST(holds(dirfd, bytes, size));
	unlinkat(dirfd, "rt_tables", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	scratch_open();
	iproute2_root = scratch; /* where there are no others */
	as_others(bytes, size);
	as_ours(bytes, size);
	return 0;
}
