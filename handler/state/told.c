/* SPDX-License-Identifier: MIT */
#include "state/told.h"

#include "lib/cleanup.h"
#include "lib/trusted.h"
#include "state/run_dir.h"

#include <errno.h>
#include <string.h>

#define NAME "told"

void told_read(int runfd, struct told *ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	const int r = trusted_read(runfd, NAME, sizeof(ret->line), NULL, &bytes, &size);

	ret->n = 0;
	if (r < 0 || size % sizeof(ret->line[0]))
		return;
	ret->n = (unsigned)(size / sizeof(ret->line[0]));
	memcpy(ret->line, bytes, size);
}

int told_write(int runfd, const struct told *told)
{
	return run_dir_replace(runfd, NAME, (const char *)told->line,
			       told->n * sizeof(told->line[0]));
}

bool told_has(const struct told *told, uint32_t ifindex, uint32_t line,
	      enum teller teller, int64_t now_ms)
{
	for (unsigned i = 0; i < told->n; i++) {
		const struct told_line *said = &told->line[i];

		if (said->line != line || said->ms > now_ms ||
		    now_ms - said->ms >= TOLD_MS)
			continue;
		if (!ifindex && said->ifindex)
			return true;
		if (said->ifindex == ifindex && said->teller != (uint32_t)teller)
			return true;
	}
	return false;
}

void told_add(struct told *told, uint32_t ifindex, uint32_t line, enum teller teller,
	      int64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < told->n; i++)
		if (told->line[i].line != line || told->line[i].ifindex != ifindex)
			told->line[n++] = told->line[i];
	if (n == TOLD_MAX)
		n--;
	memmove(told->line + 1, told->line, n * sizeof(told->line[0]));
	told->line[0] = (struct told_line){.ms = now_ms,
					   .ifindex = ifindex,
					   .line = line,
					   .teller = (uint32_t)teller};
	told->n = n + 1;
}
