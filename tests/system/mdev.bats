#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Without systemd and udev: what the manual says, under "Other systems", of busybox's mdev, of OpenWrt's
# hotplug.d, and of the watcher beside them or alone.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	install_handler
	udev_control --exit
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	{
		sed -n '/^-SUBSYSTEM=net;/p' /usr/share/man/man8/sixxs-route.8
		echo '.* root:root 660'
	} >/etc/mdev.conf
	grep -q '\*/usr/sbin/sixxs-route' /etc/mdev.conf
	local folder
	while read -r folder; do
		mkdir -p "/etc/${folder%/*}"
		sed -n '/^hotplug\.d/,/^\.Ed/ { /^\/usr\/sbin\/sixxs-route/p }' /usr/share/man/man8/sixxs-route.8 >"/etc/$folder"
		[ "$(wc -l <"/etc/$folder")" -eq 1 ]
	done < <(grep -o 'hotplug\.d/[a-z]*/90-sixxs-route' /usr/share/man/man8/sixxs-route.8)
}

teardown() {
	local pid
	for pid in $started; do kill "$pid" && wait "$pid"; done
	ip link del sixxs0 2>/dev/null || ip link del other0 2>/dev/null || true
	sixxs-route apply --all
	[ -n "${BATS_TEST_COMPLETED-}" ] || cat $messages >&2
}

# hotplug KIND VARIABLE=VALUE...: an event, as OpenWrt's /sbin/hotplug-call makes of it: each script is read
# by a shell of its own, in which nothing else is set but the event.
hotplug() {
	local kind=$1
	shift
	# shellcheck disable=SC2016 # of that shell
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin USER=root HOME=/root "$@" busybox sh -c '
		for script in $(ls /etc/hotplug.d/$1/* 2>&-); do
			([ -f $script ] && . $script)
		done' hotplug-call "$kind"
}

started=
mdev() {
	busybox mdev -df 3>&- &
	started+=" $!"
	wait_until 10 hears_uevents $!
}
watcher() {
	sixxs-route watch 3>&- &
	started+=" $!"
	wait_until 10 due_in $! # its first round is over
}

# hears_uevents PID: of its own socket, that has its number, of the protocol 15
hears_uevents() { awk -v pid="$1" '$2 == 15 && $3 == pid { found = 1 } END { exit !found }' /proc/net/netlink; }

rules() { [ "$(ip -6 -N rule | grep -c 'from 2a02::1 lookup 200 proto 166')" -eq "$1" ]; }
routes() { [ "$(ip -6 -N route show table 200 2>/dev/null | grep -c '^default dev sixxs0 proto 166')" -eq "$1" ]; }

# comes_and_goes: sixxs0 comes, goes up, down, up again, and goes; each is followed.
comes_and_goes() {
	tunnel_add sixxs0
	tunnel_up sixxs0
	wait_until 10 routes 1
	rules 1
	tunnel_down sixxs0
	wait_until 10 routes 0
	tunnel_up sixxs0
	wait_until 10 routes 1
	tunnel_del sixxs0
	wait_until 10 rules 0
}

@test "mdev alone: an interface that comes, is renamed, renamed back, and goes" {
	mdev
	tunnel_add sixxs0
	wait_until 10 rules 1
	ip link set sixxs0 name other0
	wait_until 10 rules 0
	ip link set other0 name sixxs0
	wait_until 10 rules 1
	tunnel_up sixxs0
	sixxs-route apply sixxs0 # as a client's up script does
	routes 1
	tunnel_del sixxs0
	wait_until 10 rules 0
}

@test "hotplug.d: a link that comes, an interface that netifd takes up and down, and a link that goes" {
	tunnel_add sixxs0
	hotplug net ACTION=add SUBSYSTEM=net INTERFACE=sixxs0 DEVICENAME=sixxs0 DEVPATH=/devices/virtual/net/sixxs0 SEQNUM=1
	rules 1
	routes 0
	tunnel_up sixxs0
	hotplug iface ACTION=ifup INTERFACE=wan6 DEVICE=sixxs0
	routes 1
	ip link set sixxs0 down
	hotplug iface ACTION=ifdown INTERFACE=wan6 DEVICE=sixxs0
	rules 1
	routes 0
	ip link set sixxs0 up
	hotplug iface ACTION=ifupdate INTERFACE=wan6 DEVICE=sixxs0 IFUPDATE_ADDRESSES=1
	routes 1
	tunnel_rename sixxs0 other0 down
	hotplug net ACTION=move SUBSYSTEM=net INTERFACE=other0 DEVICENAME=other0 DEVPATH=/devices/virtual/net/other0
	rules 0
	ip link set other0 name sixxs0
	hotplug net ACTION=move SUBSYSTEM=net INTERFACE=sixxs0 DEVICENAME=sixxs0
	rules 1
	tunnel_del sixxs0
	hotplug net ACTION=remove SUBSYSTEM=net INTERFACE=sixxs0 DEVICENAME=sixxs0
	rules 0
}

@test "hotplug.d and the watcher: up and down as well, between two events" {
	watcher
	for _ in 1 2 3; do
		tunnel_add sixxs0
		hotplug net ACTION=add SUBSYSTEM=net INTERFACE=sixxs0 DEVICENAME=sixxs0
		rules 1
		tunnel_up sixxs0
		wait_until 10 routes 1
		tunnel_down sixxs0
		wait_until 10 routes 0
		tunnel_del sixxs0
		hotplug net ACTION=remove SUBSYSTEM=net INTERFACE=sixxs0 DEVICENAME=sixxs0
		rules 0
	done
}

@test "mdev and the watcher: up and down as well, at any speed" {
	mdev
	watcher
	for _ in 1 2 3 4 5; do
		comes_and_goes
	done
}

@test "the watcher alone: it follows links that come, go up and down, and go" {
	watcher
	comes_and_goes
}
