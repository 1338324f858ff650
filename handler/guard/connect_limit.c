/* SPDX-License-Identifier: MIT */
#include "guard/connect_limit.h"

#include "lib/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How long one counts. */
static int64_t span_ms(const struct limit *limit)
{
	return (int64_t)limit->seconds * 1050;
}

bool connects_rebase(struct connects *connects, const char *boot, int64_t now_ms)
{
	const bool other = boot[0] && strcmp(connects->boot, boot) != 0;
	bool changed = false;

	for (unsigned i = 0; i < connects->n; i++) {
		struct connect *connect = &connects->connect[i];

		if (!other && connect->ms <= now_ms)
			continue;
		connect->ms = now_ms;
		changed = true;
	}
	if (other)
		snprintf(connects->boot, sizeof(connects->boot), "%s", boot);
	return changed;
}

/* Forgets those that no longer count. */
static void refresh(struct connects *connects, const struct limit *limit, int64_t now_ms)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < connects->n; i++)
		if (now_ms - connects->connect[i].ms < span_ms(limit))
			connects->connect[kept++] = connects->connect[i];
	connects->n = kept;
}

static void take_out(struct connects *connects, unsigned i)
{
	memmove(&connects->connect[i], &connects->connect[i + 1],
		(--connects->n - i) * sizeof(connects->connect[0]));
}

/* A full list loses its oldest: no limit is that high. */
static void put(struct connects *connects, int64_t ms, bool expected)
{
	if (connects->n == CONNECTS_MAX)
		take_out(connects, 0);
	connects->connect[connects->n++] =
		(struct connect){.ms = ms, .expected = expected};
}

int64_t connects_wait(const struct connects *connects, const struct limit *limit,
		      int64_t now_ms)
{
	struct connects counting = *connects;

	refresh(&counting, limit, now_ms);
	if (counting.n < limit->connects)
		return 0;
	return counting.connect[counting.n - limit->connects].ms + span_ms(limit) -
	       now_ms;
}

void connects_allow(struct connects *connects, const struct limit *limit, int64_t now_ms)
{
	refresh(connects, limit, now_ms);
	put(connects, now_ms, true);
}

/* Takes the permission out whose interface this is, if there is one. */
static void claim(struct connects *connects, int64_t now_ms)
{
	for (unsigned i = 0; i < connects->n; i++) {
		const struct connect *connect = &connects->connect[i];

		if (connect->expected &&
		    (now_ms - connect->ms <= CONNECTS_LAG_MS || i + 1 == connects->n)) {
			take_out(connects, i);
			return;
		}
	}
}

unsigned connects_appear(struct connects *connects, const struct limit *limit,
			 int64_t now_ms)
{
	unsigned within = 0;

	refresh(connects, limit, now_ms);
	claim(connects, now_ms);
	put(connects, now_ms, false);
	for (unsigned i = 0; i < connects->n; i++)
		within += now_ms - connects->connect[i].ms <=
			  (int64_t)limit->seconds * 1000;
	return within;
}

void connects_fill(struct connects *connects, const struct limit *limit, int64_t now_ms)
{
	connects->n = 0;
	while (connects->n < limit->connects)
		put(connects, now_ms, false);
}

/* Returns the end of "WORD NUMBER\n". */
static char *put_line(char *to, const char *word, int64_t number)
{
	to = put_number(stpcpy(stpcpy(to, word), " "), (uint64_t)number);
	return stpcpy(to, "\n");
}

size_t connects_format(const struct connects *connects, const struct limit *limit,
		       char ret[static CONNECTS_STRLEN])
{
	const unsigned n = connects->n;
	char *end;

	end = stpcpy(
		ret,
		"# When a tunnel's client connected, in milliseconds since the boot. Do not edit.\n");
	end = put_line(end, "until",
		       n ? connects->connect[n - 1].ms + span_ms(limit) : 0);
	if (connects->boot[0])
		end = stpcpy(stpcpy(stpcpy(end, "boot "), connects->boot), "\n");
	for (unsigned i = 0; i < n; i++)
		end = put_line(end, connects->connect[i].expected ? "allowed" : "connect",
			       connects->connect[i].ms);
	*end = '\0';
	return (size_t)(end - ret);
}

/* "WORD NUMBER": returns the number, or -1. */
static int64_t parse_line(const char *line, const char *end, const char *word)
{
	const size_t size = strlen(word);
	uint64_t number;

	if ((size_t)(end - line) <= size || memcmp(line, word, size) != 0 ||
	    line[size] != ' ')
		return -1;
	line += size + 1;
	return number_parse(line, (size_t)(end - line), INT64_MAX / 10, &number)
		       ? (int64_t)number
		       : -1;
}

static bool take_boot(const char *line, const char *end, struct connects *ret)
{
	const size_t word = strlen("boot "), size = (size_t)(end - line);

	if (size <= word || size >= word + sizeof(ret->boot) ||
	    memcmp(line, "boot ", word) != 0 || ret->boot[0])
		return false;
	memcpy(ret->boot, line + word, size - word);
	ret->boot[size - word] = '\0';
	return true;
}

static int take_line(const char *line, const char *end, struct connects *ret,
		     int64_t *ret_until_ms)
{
	bool expected = false;
	int64_t ms;

	if ((line < end && *line == '#') || take_boot(line, end, ret))
		return 0;
	ms = parse_line(line, end, "until");
	if (ms >= 0) {
		*ret_until_ms = ms;
		return 0;
	}
	ms = parse_line(line, end, "connect");
	if (ms < 0) {
		ms = parse_line(line, end, "allowed");
		expected = true;
	}
	if (ms < 0 || ret->n == CONNECTS_MAX ||
	    (ret->n && ms < ret->connect[ret->n - 1].ms))
		return -EINVAL;
	put(ret, ms, expected);
	return 0;
}

int connects_parse(const char *text, size_t size, struct connects *ret,
		   int64_t *ret_until_ms)
{
	const char *const end = text + size;

	ret->n = 0;
	ret->boot[0] = '\0';
	*ret_until_ms = -1;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (!newline || take_line(text, newline, ret, ret_until_ms) < 0)
			return -EINVAL;
		text = newline + 1;
	}
	return *ret_until_ms < 0 ? -EINVAL : 0;
}
