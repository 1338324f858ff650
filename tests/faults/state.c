/* SPDX-License-Identifier: MIT */
/*
 * Tells lib.bash what the state of the machine is, three times a case, at a small part of what ip(8)
 * and stat(1) cost. It knows nothing of the program. What it does not know of a message it shows as
 * hexadecimal numbers, so that no difference is hidden.
 *
 * Reads lines "TO FILE...", with tabs between, from stdin. Writes into TO all rules and routes of
 * both families, a line each, then mode, owners, target and contents of each FILE; an empty line to
 * stdout says that it is done. Ends, and says why, where it cannot.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct known {
	const char *name;
	void (*put)(FILE *to, const void *data, size_t size);
};

static void put_hex(FILE *to, const void *data, size_t size)
{
	for (const unsigned char *byte = data; size; byte++, size--)
		fprintf(to, "%02x", *byte);
}

static void put_address(FILE *to, const void *data, size_t size)
{
	const int family = size == sizeof(struct in_addr) ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6 && size != sizeof(struct in6_addr))
		put_hex(to, data, size);
	else
		fputs(inet_ntop(family, data, text, sizeof(text)), to);
}

static void put_number(FILE *to, const void *data, size_t size)
{
	uint32_t number;

	if (size != sizeof(number)) {
		put_hex(to, data, size);
		return;
	}
	memcpy(&number, data, size);
	fprintf(to, "%u", number);
}

static void put_text(FILE *to, const void *data, size_t size)
{
	fprintf(to, "%.*s", (int)size, (const char *)data);
}

static void put_link(FILE *to, const void *data, size_t size)
{
	char name[IF_NAMESIZE];

	if (size == sizeof(uint32_t) && if_indextoname(*(const uint32_t *)data, name))
		fputs(name, to);
	else
		put_number(to, data, size);
}

/* The rest of it grows with time. */
static void put_error(FILE *to, const void *data, size_t size)
{
	const struct rta_cacheinfo *info = data;

	put_number(to, &info->rta_error,
		   size < sizeof(*info) ? 0 : sizeof(info->rta_error));
}

static const struct known of_rule[FRA_MAX + 1] = {
	[FRA_DST] = {"to", put_address},
	[FRA_SRC] = {"from", put_address},
	[FRA_IIFNAME] = {"iif", put_text},
	[FRA_OIFNAME] = {"oif", put_text},
	[FRA_PRIORITY] = {"priority", put_number},
	[FRA_FWMARK] = {"fwmark", put_number},
	[FRA_FWMASK] = {"fwmask", put_number},
	[FRA_TABLE] = {"lookup", put_number},
	[FRA_PROTOCOL] = {"protocol", put_hex},
	[FRA_UID_RANGE] = {"uidrange", put_hex},
};

static const struct known of_route[FRA_MAX + 1] = {
	[RTA_DST] = {"to", put_address},      [RTA_SRC] = {"from", put_address},
	[RTA_OIF] = {"dev", put_link},        [RTA_GATEWAY] = {"via", put_address},
	[RTA_PREFSRC] = {"src", put_address}, [RTA_PRIORITY] = {"metric", put_number},
	[RTA_TABLE] = {"table", put_number},  [RTA_CACHEINFO] = {"error", put_error},
};

/* Rules and routes have the same header, but for the names of its fields. */
static int put_message(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	const bool is_rule = message->nlmsg_type == RTM_NEWRULE;
	const struct known *known = is_rule ? of_rule : of_route;
	const struct nlattr *attribute;
	FILE *to = data;

	fprintf(to,
		"%s inet%s to /%u from /%u tos %u protocol %u scope %u type %u flags %x",
		is_rule ? "rule" : "route", head->rtm_family == AF_INET6 ? "6" : "",
		head->rtm_dst_len, head->rtm_src_len, head->rtm_tos, head->rtm_protocol,
		head->rtm_scope, head->rtm_type, head->rtm_flags);
	mnl_attr_for_each(attribute, message, sizeof(*head))
	{
		const unsigned type = mnl_attr_get_type(attribute);
		const bool is_known = type <= FRA_MAX && known[type].put;

		if (is_known)
			fprintf(to, " %s ", known[type].name);
		else
			fprintf(to, " %u:", type);
		(is_known ? known[type].put
			  : put_hex)(to, mnl_attr_get_payload(attribute),
				     mnl_attr_get_payload_len(attribute));
	}
	fputc('\n', to);
	return MNL_CB_OK;
}

/* Returns whether nothing was changed meanwhile. */
static bool put_all(FILE *to, struct mnl_socket *socket, uint16_t type,
		    unsigned char family)
{
	static unsigned sequence;
	char buffer[32768];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	ssize_t length;
	int status;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++sequence;
	((struct rtmsg *)mnl_nlmsg_put_extra_header(request, sizeof(struct rtmsg)))
		->rtm_family = family;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		err(1, "cannot ask for rules or routes");
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			err(1, "cannot read rules or routes");
		status = mnl_cb_run(buffer, (size_t)length, sequence, 0, put_message, to);
	} while (status == MNL_CB_OK);
	if (status < 0 && errno != EINTR)
		err(1, "cannot understand rules or routes");
	return !status;
}

static void put_file(FILE *to, const char *path)
{
	char target[4096];
	struct stat stat;
	ssize_t length;
	FILE *file;
	int byte;

	if (lstat(path, &stat)) {
		fprintf(to, "file %s: %s\n", path, strerrorname_np(errno));
		return;
	}
	fprintf(to, "file %s: %o %u:%u\n", path, stat.st_mode, stat.st_uid, stat.st_gid);
	if (S_ISLNK(stat.st_mode)) {
		length = readlink(path, target, sizeof(target));
		fprintf(to, "%s -> %.*s\n", path, (int)length, target);
	} else if (S_ISREG(stat.st_mode)) {
		file = fopen(path, "r");
		if (!file)
			err(1, "%s", path);
		fprintf(to, "%s: ", path);
		while ((byte = getc(file)) != EOF)
			fputs(byte ? (char[]){(char)byte, 0} : "\\0", to);
		fclose(file);
	}
}

int main(void)
{
	const uint16_t types[] = {RTM_GETRULE, RTM_GETROUTE};
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	char line[65536];
	char *word, *rest;
	bool is_whole;
	FILE *to;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		err(1, "cannot open a socket");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		word = strtok_r(line, "\t", &rest);
		to = word ? fopen(word, "w") : NULL;
		if (!to)
			err(1, "cannot write the state");
		do {
			rewind(to);
			is_whole = true;
			for (size_t i = 0; i < 4; i++)
				is_whole &= put_all(to, socket, types[i / 2],
						    i % 2 ? AF_INET : AF_INET6);
		} while (!is_whole);
		while ((word = strtok_r(NULL, "\t", &rest)))
			put_file(to, word);
		if (ftruncate(fileno(to), ftell(to)) || fclose(to) || puts("") < 0 ||
		    fflush(stdout))
			err(1, "cannot write the state");
	}
	return 0;
}
