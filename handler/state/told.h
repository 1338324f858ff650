/* SPDX-License-Identifier: MIT */
/*
 * What was said in the log of each link lately, by whom ever: RUN_DIR/told. The handler and
 * the watcher both look at a link that comes, and what is wrong with it is said once. Read
 * and written under the lock, and only where something is wrong. Knows lines as numbers
 * alone; a file that cannot be read has none.
 */
#ifndef TOLD_H
#define TOLD_H

#include <stdbool.h>
#include <stdint.h>

#define TOLD_MS  60000 /* so long another does not say a line of the same link again */
#define TOLD_MAX 64    /* lines; of more the oldest are forgotten */

#define TOLD_NO_LINK UINT32_MAX /* of which link is not known */

enum teller { TELLER_HANDLER, TELLER_WATCHER };

struct told_line {
	int64_t ms; /* since boot */
	uint32_t ifindex;
	uint32_t line;
	uint32_t teller;
	uint32_t unused; /* 0 */
};

struct told {
	unsigned n;
	struct told_line line[TOLD_MAX]; /* the newest first */
};

void told_read(int runfd, struct told *ret);

/* Returns 0 or -errno. */
int told_write(int runfd, const struct told *told);

/*
 * Whether somebody else than TELLER has said the line of the link within TOLD_MS before
 * NOW. ifindex 0: there is no link any more; then also whether anybody has within that time,
 * while there was one.
 */
bool told_has(const struct told *told, uint32_t ifindex, uint32_t line,
	      enum teller teller, int64_t now_ms);

/* It is said of the link now, or left unsaid: what comes again later is news. */
void told_add(struct told *told, uint32_t ifindex, uint32_t line, enum teller teller,
	      int64_t now_ms);

#endif
