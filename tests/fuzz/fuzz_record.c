/* SPDX-License-Identifier: MIT */
/*
 * A record of any bytes: whatever is read of it is the same after it was written and read
 * again, and is written the same a second time.
 */
#include "scratch.h"

#include "state/record.h"

#define FILE_NAME "tunnel.sixxs0"

static size_t read_bytes(char *ret)
{
	const int fd = openat(scratch_open(), FILE_NAME, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, ret, 2 * INI_FILE_MAX);

	MUST(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

/* A complaint is printable text, for it goes to a log as it is. */
static void check_report(void *data, unsigned line, const char *text)
{
	(void)data;
	(void)line;
	for (; *text; text++)
		MUST(*text >= 0x20 && *text < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char first[2 * INI_FILE_MAX], second[2 * INI_FILE_MAX];
	static struct record record, again;
	const int runfd = scratch_open();
	size_t n;
	int r;

	scratch_write(FILE_NAME, bytes, size);
	r = record_read(runfd, "sixxs0", check_report, NULL, &record);
	MUST(r != 0); /* there is one */
	if (r < 0)
		return 0;
	MUST(record_write(runfd, "sixxs0", &record) == 0);
	if (record_is_empty(&record)) {
		MUST(record_read(runfd, "sixxs0", check_report, NULL, &again) == 0);
		return 0;
	}
	n = read_bytes(first);
	MUST(record_read(runfd, "sixxs0", check_report, NULL, &again) == 1);
	MUST(record_equal(&record, &again));
	MUST(record_write(runfd, "sixxs0", &again) == 0);
	MUST(read_bytes(second) == n && !memcmp(first, second, n));
	return 0;
}
