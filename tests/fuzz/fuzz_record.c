/* SPDX-License-Identifier: MIT */
/*
 * A record of any bytes: whatever is read of it is the same after it was written and read
 * again, and is written the same a second time. Each line of it as an object: what is taken
 * is written as it was read.
 */
#include "scratch.h"

#include "state/record.h"

#include <errno.h>

#define FILE_NAME "sixxs0.record"
#define SIZE      (1 << 20)

static size_t read_bytes(char *ret)
{
	const int fd = openat(scratch_open(), FILE_NAME, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, ret, SIZE);

	MUST(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

/* For the kernel and for ip(8) it is one object: the same of all that it names. */
static void check_object(const struct object *object)
{
	/* in memory of just their sizes */
	char *text = malloc(OBJECT_STRLEN), *command = malloc(OBJECT_COMMAND_STRLEN);
	struct object again;

	MUST(text && command && object_ok(object));
	object_format(object, text);
	MUST(object_parse(text, &again) == 0 && object_equal(object, &again));
	object_format_ip(object, true, "sixxs0123456789", command);
	MUST(!*command == !object_is_in_kernel(object));
	free(text);
	free(command);
}

static void parse_lines(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size), *rest = text, *line;

	MUST(text);
	while ((line = strsep(&rest, "\n"))) {
		struct object object;
		char again[OBJECT_STRLEN];

		if (object_parse(line, &object) < 0)
			continue;
		object_format(&object, again);
		MUST(!strcmp(line, again));
		check_object(&object);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char first[SIZE], second[SIZE];
	struct objects record = {0}, again = {0};
	const int runfd = scratch_open();
	size_t n;
	int r;

	parse_lines(bytes, size);
	scratch_write(FILE_NAME, bytes, size);
	r = record_read(runfd, "sixxs0", &record);
	MUST(r == 1 || r == -EINVAL); /* there is one */
	if (r == 1) {
		MUST(record_write(runfd, "sixxs0", &record) == 0);
		n = read_bytes(first);
		MUST(n <= size); /* shorter only by what stood there twice */
		MUST(n < size || !memcmp(first, bytes, size));
		MUST(record_read(runfd, "sixxs0", &again) == 1);
		MUST(objects_equal(&record, &again));
		MUST(record_write(runfd, "sixxs0", &again) == 0);
		MUST(read_bytes(second) == n && !memcmp(first, second, n));
	}
	objects_free(&record);
	objects_free(&again);
	return 0;
}
