/* SPDX-License-Identifier: MIT */
#include "cmd/uevent.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy(char ret[static EVENT_NAME_SIZE], const char *text)
{
	const size_t size = text ? strnlen(text, EVENT_NAME_SIZE - 1) : 0;

	if (size)
		memcpy(ret, text, size);
	ret[size] = '\0';
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

/* NULL also for want of memory, which is noted in *error. */
static const char *property(struct udev_device *device, const char *name, int *error)
{
	const char *value = udev_device_get_property_value(device, name);

	if (!value && errno == ENOMEM)
		*error = -ENOMEM;
	return value;
}

static int read_device(struct udev_device *device, struct event *ret)
{
	int error = 0;
	const char *subsystem = property(device, "SUBSYSTEM", &error);
	const char *action = property(device, "ACTION", &error);
	const char *tunnel_before = property(device, "SIXXS_ROUTE_OLD", &error);

	if (!subsystem || !action || strcmp(subsystem, "net") != 0)
		return error ? error : -ENODATA;
	ret->addition = !strcmp(action, "add");
	ret->removal = !strcmp(action, "remove");
	ret->replay = property(device, "SYNTH_UUID", &error);
	ret->ifindex = parse_ifindex(property(device, "IFINDEX", &error));
	copy(ret->ifname, property(device, "INTERFACE", &error));
	copy(ret->old_ifname, last_component(property(device, "DEVPATH_OLD", &error)));
	if (!ret->old_ifname[0])
		copy(ret->old_ifname, tunnel_before);
	copy(ret->tag, property(device, "SIXXS_ROUTE", &error));
	ret->named = !strcmp(action, "move") && ret->tag[0] && !tunnel_before;
	if (error)
		return error;
	return ret->ifname[0] ? 0 : -ENODATA;
}

static bool is_read(const char *variable)
{
	static const char *const names[] = {
		/* without these there is no device */
		"ACTION=", "DEVPATH=", "SUBSYSTEM=", "SEQNUM=",
		/* read_device() */
		"INTERFACE=", "IFINDEX=", "SYNTH_UUID=", "DEVPATH_OLD=", "SIXXS_ROUTE=",
		"SIXXS_ROUTE_OLD="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(variable, names[i], strlen(names[i])))
			return true;
	return !strchr(variable, '='); /* which libudev refuses */
}

/*
 * Each variable costs libudev some five thousand instructions; and libudev 252 writes to
 * address 0 if TAGS or CURRENT_TAGS holds no tag at all.
 */
static void keep_what_is_read(void)
{
	char **to = environ;

	for (char **from = environ; from && *from; from++)
		if (is_read(*from))
			*to++ = *from;
	if (to)
		*to = NULL;
}

int event_read(struct event *ret)
{
	/* until the next, or the end: to free them is a twentieth of an event's work */
	static struct udev *udev;
	static struct udev_device *device;
	struct event event = {0};
	int r;

	device = udev_device_unref(device);
	keep_what_is_read();
	if (!udev)
		udev = udev_new();
	if (udev)
		device = udev_device_new_from_environment(udev);
	r = errno == ENOMEM ? -ENOMEM : -ENODATA;
	if (device)
		r = read_device(device, &event);
	if (r == 0)
		*ret = event;
	return r;
}
