/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char ret[static EVENT_NAME_SIZE], const char *text)
{
	snprintf(ret, EVENT_NAME_SIZE, "%s", text ? text : "");
}

static uint32_t parse_ifindex(const char *text)
{
	char *end;
	unsigned long n;

	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	return *end || n > INT32_MAX ? 0 : (uint32_t)n;
}

static const char *last_component(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static int read_device(struct udev_device *device, struct event *ret)
{
	const char *subsystem = udev_device_get_subsystem(device);
	const char *action = udev_device_get_action(device);

	if (!subsystem || !action || strcmp(subsystem, "net") != 0)
		return -ENODATA;
	ret->removal = !strcmp(action, "remove");
	ret->replay = udev_device_get_property_value(device, "SYNTH_UUID");
	ret->ifindex = parse_ifindex(udev_device_get_property_value(device, "IFINDEX"));
	copy(ret->ifname, udev_device_get_property_value(device, "INTERFACE"));
	copy(ret->old_ifname,
	     last_component(udev_device_get_property_value(device, "DEVPATH_OLD")));
	copy(ret->tag, udev_device_get_property_value(device, "SIXXS_ROUTE"));
	return ret->ifname[0] ? 0 : -ENODATA;
}

int event_read(struct event *ret)
{
	struct udev *udev = udev_new();
	struct udev_device *device = udev ? udev_device_new_from_environment(udev) : NULL;
	struct event event = {0};
	int r = errno == ENOMEM ? -ENOMEM : -ENODATA;

	if (device)
		r = read_device(device, &event);
	udev_device_unref(device);
	udev_unref(udev);
	if (r == 0)
		*ret = event;
	return r;
}
