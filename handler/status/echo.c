/* SPDX-License-Identifier: MIT */
#include "status/echo.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_SIZE 8 /* type, code, checksum, identifier, sequence number */

#define RESERVE_MS 100 /* for the start, the end, and others on this machine */

int64_t echo_wait_ms(int64_t used_ms)
{
	const int64_t left_ms = ECHO_COMMAND_MS - RESERVE_MS - 2 * used_ms;

	return left_ms > ECHO_WAIT_MS ? left_ms : ECHO_WAIT_MS;
}

static uint8_t request_type(uint8_t family)
{
	return family == AF_INET6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
}

static uint8_t reply_type(uint8_t family)
{
	return family == AF_INET6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
}

/* RFC 1071; SIZE is even. The same in any byte order. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2) {
		uint16_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

void echo_request(uint8_t family, uint64_t secret, uint32_t number,
		  uint8_t ret[static ECHO_SIZE])
{
	uint16_t sum;

	memset(ret, 0, ECHO_SIZE);
	ret[0] = request_type(family);
	memcpy(ret + 4, &secret, 2); /* an identifier, for whoever captures it */
	ret[6] = (uint8_t)(number >> 8);
	ret[7] = (uint8_t)number;
	memcpy(ret + HEAD_SIZE, &secret, sizeof(secret));
	memcpy(ret + HEAD_SIZE + sizeof(secret), &number, sizeof(number));
	if (family == AF_INET6)
		return;
	sum = checksum(ret, ECHO_SIZE);
	memcpy(ret + 2, &sum, sizeof(sum));
}

bool echo_reply(uint8_t family, uint64_t secret, const uint8_t *bytes, size_t size,
		uint32_t *ret_number)
{
	const size_t ip = family == AF_INET6 || !size ? 0 : (bytes[0] & 15U) * 4;

	if (size < ip + ECHO_SIZE)
		return false;
	bytes += ip;
	if (bytes[0] != reply_type(family) || bytes[1] ||
	    memcmp(bytes + HEAD_SIZE, &secret, sizeof(secret)) != 0)
		return false;
	memcpy(ret_number, bytes + HEAD_SIZE + sizeof(secret), sizeof(*ret_number));
	return true;
}

bool echo_failed(const struct echo *echo)
{
	/* while the link is down, of the other family, or as a backup there is nothing */
	return echo->state == ECHO_NONE ||
	       (echo->state == ECHO_UNSENT && echo->error &&
		echo->error != -EAFNOSUPPORT && echo->error != -EALREADY);
}

const char *echo_word(enum echo_state state)
{
	static const char *const words[] = {
		[ECHO_UNASKED] = NULL, [ECHO_UNSENT] = "unsent",     [ECHO_HELD] = "held",
		[ECHO_NONE] = "none",  [ECHO_ANSWERED] = "answered",
	};

	return words[state];
}

static void explain_unsent(int error, char ret[static ECHO_STRLEN])
{
	switch (error) {
	case 0:
		snprintf(ret, ECHO_STRLEN, "nothing is sent while the link is down");
		break;
	case -EAFNOSUPPORT:
		snprintf(ret, ECHO_STRLEN, "nothing is sent to another family");
		break;
	case -EALREADY:
		snprintf(ret, ECHO_STRLEN, "nothing is sent by a backup");
		break;
	case -EXDEV:
		snprintf(ret, ECHO_STRLEN, "nothing is sent: it would go astray");
		break;
	case -EADDRNOTAVAIL:
		snprintf(ret, ECHO_STRLEN, "nothing is sent: no address of this host");
		break;
	case -ETIME:
		snprintf(ret, ECHO_STRLEN, "not sent: others took all of the time");
		break;
	default:
		snprintf(ret, ECHO_STRLEN, "cannot be sent: %.64s", strerror(-error));
	}
}

void echo_explain(const struct echo *echo, char ret[static ECHO_STRLEN])
{
	ret[0] = '\0';
	switch (echo->state) {
	case ECHO_UNASKED:
		break;
	case ECHO_UNSENT:
		explain_unsent(echo->error, ret);
		break;
	case ECHO_HELD:
		snprintf(ret, ECHO_STRLEN, "nothing is sent while it is held");
		break;
	case ECHO_NONE:
		snprintf(ret, ECHO_STRLEN, "no answer");
		break;
	case ECHO_ANSWERED:
		snprintf(ret, ECHO_STRLEN, "answered in %lld.%03lld ms",
			 (long long)(echo->took_us / 1000),
			 (long long)(echo->took_us % 1000));
		break;
	}
}
