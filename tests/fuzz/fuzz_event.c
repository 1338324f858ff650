/* SPDX-License-Identifier: MIT */
/* Variables of any bytes, a NUL or newline between them, as the environment of an event.
 */
#include "scratch.h"

#include "cmd/uevent.h"

#include <errno.h>

#define VARIABLES_MAX 64

static bool ends(char c)
{
	return c == '\0' || c == '\n';
}

/* Each in memory of just its size. Returns how many there are. */
static size_t split(const char *text, size_t size, char *ret[static VARIABLES_MAX + 1])
{
	const char *const end = text + size;
	size_t n = 0;

	while (text < end && n < VARIABLES_MAX) {
		const char *stop = text;

		while (stop < end && !ends(*stop))
			stop++;
		ret[n] = strndup(text, (size_t)(stop - text));
		MUST(ret[n++]);
		text = stop + 1;
	}
	ret[n] = NULL;
	return n;
}

static void check_name(const char name[static EVENT_NAME_SIZE])
{
	MUST(memchr(name, '\0', EVENT_NAME_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *variables[VARIABLES_MAX + 1], *copies[VARIABLES_MAX + 1];
	char **const before = environ;
	const size_t n = split((const char *)bytes, size, variables);
	struct event event;
	int r;

	memcpy(copies, variables, sizeof(copies)); /* libudev may move them about */
	environ = variables;
	r = event_read(&event);
	environ = before;
	MUST(r == 0 || r == -ENODATA);
	if (r == 0) {
		MUST(event.ifname[0] && event.ifindex <= INT32_MAX);
		MUST(!(event.addition && event.removal));
		check_name(event.ifname);
		check_name(event.old_ifname);
		check_name(event.tag);
	}
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
	return 0;
}
