/* SPDX-License-Identifier: MIT */
/*
 * One ICMP echo (RFC 4443, 4.1 and 4.2; RFC 792) and what became of it. Which is ours is
 * known by its data: a number of this run's, which nobody can guess, and its own. Pure:
 * no socket, no clock.
 */
#ifndef ECHO_H
#define ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum echo_state {
	ECHO_UNASKED,
	ECHO_UNSENT, /* see error */
	ECHO_HELD,   /* nor from a tunnel that is held */
	ECHO_NONE,   /* no answer */
	ECHO_ANSWERED,
};

struct echo {
	enum echo_state state;
	int error;       /* of ECHO_UNSENT: why, -errno; see echo_explain */
	int64_t sent_us; /* by the monotonic clock */
	int64_t took_us; /* ECHO_ANSWERED */
};

#define ECHO_COMMAND_MS \
	2000              /* status --ping as a whole, however many sources there are */
#define ECHO_WAIT_MS 1000 /* the least of it that answers are waited for */

/*
 * How long answers are waited for when USED_MS of the command have gone: telling takes no
 * longer than it took to find out.
 */
int64_t echo_wait_ms(int64_t used_ms);

#define ECHO_SIZE 20 /* bytes of a request: head, secret, number */

/* FAMILY: of ICMP or ICMPv6, whose checksum the kernel fills in. */
void echo_request(uint8_t family, uint64_t secret, uint32_t number,
		  uint8_t ret[static ECHO_SIZE]);

/*
 * What a raw socket of that family has received, for ICMP with the IP header. Whether it
 * answers a request with that secret: then with its *ret_number.
 */
bool echo_reply(uint8_t family, uint64_t secret, const uint8_t *bytes, size_t size,
		uint32_t *ret_number);

/* Whether an answer was to be had from this source, and was not. */
bool echo_failed(const struct echo *echo);

/* For programs; NULL: nothing was asked. */
const char *echo_word(enum echo_state state);

/* "answered in 12.345 ms" */
#define ECHO_STRLEN 96
void echo_explain(const struct echo *echo, char ret[static ECHO_STRLEN]);

#endif
