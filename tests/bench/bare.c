// SPDX-License-Identifier: MIT
/*
 * The least that a program for such an event can do with the same three libraries: it asks
 * libudev for the event, iniparser for the drop-in and the kernel for the link, waits until
 * that is up, and sends one route and one rule. No record, no owner, no lock, no name, no
 * look at what stands. CONF_DIR: where its drop-ins are.
 */
#include <arpa/inet.h>
#include <iniparser/iniparser.h>
#include <libmnl/libmnl.h>
#include <libudev.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRIORITY 16383

static struct mnl_socket *nl;
static char buf[8192];

static struct nlmsghdr *begin(char *at, unsigned type, unsigned flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return nlh;
}

/* The link's flags, 0: there is none. */
static unsigned link_flags(const char *ifname)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETLINK, 0);
	const struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(nl, buf, sizeof(buf)) < 0 ||
	    nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	return ifi->ifi_flags;
}

static size_t put_route(char *at, int add, uint32_t table, uint32_t oif)
{
	struct nlmsghdr *nlh = add ? begin(at, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL)
				   : begin(at, RTM_DELROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = AF_INET6;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	mnl_attr_put_u32(nlh, RTA_OIF, oif);
	return nlh->nlmsg_len;
}

static size_t put_rule(char *at, int add, uint32_t table, const struct in6_addr *source)
{
	struct nlmsghdr *nlh =
		add ? begin(at, RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
		    : begin(at, RTM_DELRULE, NLM_F_ACK);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = AF_INET6;
	frh->action = FR_ACT_TO_TBL;
	frh->src_len = 128;
	mnl_attr_put(nlh, FRA_SRC, sizeof(*source), source);
	mnl_attr_put_u32(nlh, FRA_TABLE, table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, PRIORITY);
	return nlh->nlmsg_len;
}

int main(void)
{
	struct udev *udev = udev_new();
	struct udev_device *device = udev_device_new_from_environment(udev);
	const char *ifname = udev_device_get_property_value(device, "INTERFACE");
	const char *action = udev_device_get_property_value(device, "ACTION");
	const char *index = udev_device_get_property_value(device, "IFINDEX");
	const int add = !strcmp(action, "add");
	struct in6_addr source;
	char path[128], key[64];
	dictionary *dict;
	uint32_t table;
	unsigned flags;
	size_t size;

	snprintf(path, sizeof(path), CONF_DIR "/%s.conf", ifname);
	dict = iniparser_load(path);
	snprintf(key, sizeof(key), "%s:source", ifname);
	if (!dict ||
	    inet_pton(AF_INET6, iniparser_getstring(dict, key, ""), &source) != 1)
		return 1;
	snprintf(key, sizeof(key), "%s:table", ifname);
	table = (uint32_t)iniparser_getint(dict, key, 0);
	nl = mnl_socket_open(NETLINK_ROUTE);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return 1;
	while (flags = link_flags(ifname), add && flags && !(flags & IFF_UP))
		usleep(1000);
	/* the route of a link that has gone went with it */
	size = flags ? put_route(buf, add, table, (uint32_t)atoi(index)) : 0;
	size += put_rule(buf + size, add, table, &source);
	if (mnl_socket_sendto(nl, buf, size) < 0 ||
	    mnl_socket_recvfrom(nl, buf, sizeof(buf)) < 0)
		return 1;
	mnl_socket_close(nl);
	iniparser_freedict(dict);
	udev_device_unref(device);
	udev_unref(udev);
	return 0;
}
