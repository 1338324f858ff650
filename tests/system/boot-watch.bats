#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The watcher as a service of the real systemd, beside the real udevd, networkd and an
# OpenVPN: "tests/system/run tests/system/boot-watch.bats"; ROOTFS: another Debian's root.

# shellcheck source=wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"

teardown() {
	udev_control --start-exec-queue
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
}

tunnel() {
	ip tuntap add "$1" mode tun && udevadm settle && ip link set "$1" up
}

counts() { # TABLE LINES: so many rules and routes of it bear our mark
	[ "$({ ip -6 -N rule && ip -4 -N rule; } | grep -c "lookup $1 proto 166")" -eq 2 ] &&
		[ "$({ ip -6 -N route show table "$1" && ip -4 -N route show table "$1"; } 2>/dev/null | grep -c 'proto 166')" -eq "$2" ]
}

up() { counts "20${1#sixxs}" 2; }
down() { counts "20${1#sixxs}" 0; }
gone() { ! { ip -6 -N rule && ip -4 -N rule; } | grep "lookup 20${1#sixxs} proto 166"; }

pid() { systemctl show -P MainPID sixxs-route.service; }
is_another() { [ "$(pid)" != "$1" ]; }
active() { systemctl -q is-active sixxs-route.service; }

# cycles IFACE: it is served, now and at once
cycles() {
	local i
	for i in 1 2 3 4 5; do
		ip link set "$1" down
		wait_until 10 down "$1"
		ip link set "$1" up
		wait_until 10 up "$1"
	done
}

@test "coldplug: a tunnel made before udevd starts the watcher, which nobody enabled" {
	[ "$(systemctl is-enabled sixxs-route.service)" = static ]
	wait_until 10 active
	wait_until 10 down sixxs0
	ip link set sixxs0 up
	wait_until 10 up sixxs0
}

@test "hotplug: it serves the next tunnels too, as one process" {
	local before
	before=$(pid)
	tunnel sixxs1
	wait_until 10 up sixxs1
	tunnel sixxs2
	wait_until 10 up sixxs2
	[ "$(pid)" = "$before" ]
	cycles sixxs0
	cycles sixxs2
}

@test "it survives a restart of udevd, a daemon-reload, and a replay of all events" {
	local before
	before=$(pid)
	systemctl restart systemd-udevd.service
	cycles sixxs1
	systemctl daemon-reload
	cycles sixxs1
	udevadm trigger --type=devices --action=add --settle
	udevadm trigger --type=devices --action=change --settle
	cycles sixxs1
	[ "$(pid)" = "$before" ]
	tunnel sixxs9 # no section: nothing is done, nothing is hurt
	ip link del sixxs9
	udevadm settle
	[ "$(pid)" = "$before" ]
}

@test "it survives its own restart, and makes good what it has missed" {
	systemctl stop sixxs-route.service
	up sixxs0 && up sixxs1 # as they are
	ip link set sixxs0 down
	ip link set sixxs0 up
	udevadm settle # nobody else is left who could
	down sixxs0
	systemctl start sixxs-route.service
	up sixxs0 # no waiting: started means that the first round is over
	systemctl restart sixxs-route.service
	up sixxs0 && up sixxs1
	cycles sixxs0
	systemctl reload sixxs-route.service
	cycles sixxs0
}

@test "it is restarted when it is killed" {
	local before
	before=$(pid)
	kill -KILL "$before"
	other() { active && [ "$(pid)" != "$before" ]; }
	wait_until 10 other
	cycles sixxs0
}

@test "systemctl stop leaves routes, and the next tunnel starts it again" {
	systemctl stop sixxs-route.service
	[ "$(systemctl show -P Result sixxs-route.service)" = success ]
	up sixxs0 && up sixxs1 && up sixxs2
	ip link del sixxs2
	udevadm settle
	wait_until 10 gone sixxs2 # by the handler
	tunnel sixxs2
	wait_until 10 active
	wait_until 10 up sixxs2
}

@test "a route that was pending when the handler ended comes with the link, not before" {
	ip link del sixxs2
	ip tuntap add sixxs2 mode tun
	udevadm settle
	wait_until 10 down sixxs2
	# the watcher has looked at all that came
	wait_until 10 due_in "$(pid)"
	down sixxs2
	ip link set sixxs2 up
	wait_until 10 up sixxs2
}

@test "systemd-networkd with its defaults deletes our rules, again and again: always back within about a second" {
	local i
	ip link add net0 type veth peer name net1
	ip link set net1 up
	printf '%s\n' '[Match]' Name=net0 '[Network]' Address=2001:db8::1/64 >/etc/systemd/network/net0.network
	stdbuf -oL ip monitor rule >/tmp/monitor 3>&- &
	local monitor=$!
	systemctl start systemd-networkd.service
	managed() { ip -6 address show dev net0 | grep -q 2001:db8::1/64; }
	wait_until 20 managed
	all_up() { up sixxs0 && up sixxs1 && up sixxs2; }
	away() { # NUMBER: it has deleted one rule so often
		[ "$(grep -c '^Deleted.*from 2a02::10 ' /tmp/monitor)" -ge "$1" ]
	}
	for i in {1..24}; do
		networkctl reconfigure net0
		wait_until 5 away "$i"
		wait_until 2 all_up
	done
	kill $monitor
	cat /tmp/monitor >&2
	# told once, and not of PID 1, which made its socket
	[ "$(journalctl -b -u sixxs-route.service --no-pager | grep -c 'deleted over and over')" -eq 1 ]
	journalctl -b -u sixxs-route.service --no-pager |
		grep 'deleted over and over by .*the process systemd-networkd).*"ManageForeignRoutingPolicyRules=no" .*/etc/systemd/networkd.conf.d/zz-sixxs-route.conf, '
	networkctl --no-pager status net0 >&2
	systemctl stop systemd-networkd.socket systemd-networkd.service
	ip link del net0
}

@test "an OpenVPN that is restarted, again and again, by its unit: source = auto" {
	local i killed
	vpn_pid() { systemctl show -P MainPID vpn.service; }
	vpn_again() { [ "$(vpn_pid)" != "$killed" ] && [ "$(vpn_pid)" -ne 0 ]; }
	vpn_up() { up sixxs3 && ip -6 -N rule | grep -q 'from 2a02::3 lookup 203' && ip -4 -N rule | grep -q 'from 198.51.100.3 lookup 203'; }
	systemctl start vpn.service
	wait_until 10 vpn_up
	for i in 1 2 3 4 5; do
		systemctl restart vpn.service
		wait_until 10 vpn_up
	done
	killed=$(vpn_pid)
	systemctl kill -s KILL vpn.service # and Restart=
	wait_until 10 vpn_again
	wait_until 10 vpn_up
	systemctl stop vpn.service
	wait_until 10 gone sixxs3
}

@test "status and check say that no watcher runs, and why" {
	systemctl stop sixxs-route.service
	run sixxs-route status sixxs0
	[[ $output == *'no watcher runs'*'it was not started yet, was stopped, or failed; see: systemctl status sixxs-route.service'* ]]
	run sixxs-route check
	[[ $output == *'no watcher runs'*'systemctl start sixxs-route.service'* ]]
	systemctl mask --runtime sixxs-route.service
	run sixxs-route check
	[[ $output == *'no watcher runs'*'masked until the next boot; run: systemctl unmask --runtime sixxs-route.service'* ]]
	systemctl unmask --runtime sixxs-route.service
	systemctl start sixxs-route.service
	run sixxs-route check
	[[ $output != *'no watcher runs'* ]]
	run sixxs-route status sixxs0
	[[ $output == *sixxs0* && $output != *'no watcher runs'* ]]
}

@test "the run folder is taken away: the service is back in another one, and serves as before" {
	local before
	before=$(pid)
	rm -r /run/sixxs-route
	wait_until 10 is_another "$before"
	wait_until 10 active
	cycles sixxs0
	run sixxs-route status sixxs0
	[[ $output == *sixxs0* && $output != *'no watcher runs'* ]]
	sixxs-route apply --all
}

@test "its sandbox: one capability, no new ones, system calls filtered, under 2.0" {
	local score refused
	score=$(systemd-analyze security --no-pager sixxs-route.service | sed -nE 's/.*Overall exposure level.*: ([0-9.]+) .*/\1/p')
	echo "# systemd-analyze security: $score" >&3
	awk -v score="$score" 'BEGIN { exit !(score != "" && score < 2.0) }'
	grep -E '^CapBnd:\s0*1000$' "/proc/$(pid)/status" # bit 12, CAP_NET_ADMIN
	grep -E '^CapEff:\s0*1000$' "/proc/$(pid)/status"
	grep -E '^NoNewPrivs:\s1$' "/proc/$(pid)/status"
	grep -E '^Seccomp:\s2$' "/proc/$(pid)/status"
	cycles sixxs0
	# nothing was refused to it
	refused=$(journalctl -b -u sixxs-route.service --no-pager | grep -ciE 'denied|not permitted|read-only|cannot' || true)
	[ "$refused" -eq 0 ]
}

@test "who deletes over and over is named from within the sandbox too" {
	named() { journalctl -b -u sixxs-route.service --no-pager | grep -q 'deleted over and over by netlink port [0-9]* (.* process ip)'; }
	perl -e 'open my $ip, "|-", "ip", "-6", "-force", "-batch", "-" or die; $ip->autoflush;
		for (1 .. 40) { print $ip "rule del from 2a02::10 table 200\n"; select undef, undef, undef, 0.05 }' 2>/dev/null || true
	wait_until 10 named
	wait_until 10 up sixxs0
}

@test "the handler does all its work within systemd-udevd's own sandbox, without the watcher" {
	local cursor
	[ "$(systemctl show -P MemoryDenyWriteExecute systemd-udevd.service)" = yes ]
	[ -n "$(systemctl show -P SystemCallFilter systemd-udevd.service)" ]
	systemctl stop sixxs-route.service
	systemctl mask --runtime sixxs-route.service
	# nobody else is left who could say something; of so short a process the journal often misses the unit
	cursor=$(journalctl -b -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
	said() { journalctl -q -t sixxs-route --after-cursor "$cursor" --no-pager "$@"; }
	ip link del sixxs1
	wait_until 10 gone sixxs1
	# with systemd the handler does not wait for the link: it must be up when its event is handled
	udev_control --stop-exec-queue
	ip tuntap add sixxs1 mode tun
	ip link set sixxs1 up
	udev_control --start-exec-queue
	udevadm settle
	wait_until 10 up sixxs1
	ip -6 route show table sixxs1 | grep '^default dev sixxs1 '
	[ -e /run/sixxs-route/sixxs1.record ]
	wait_until 10 eval 'said | grep -q "sixxs1: added 2 routes, 2 rules; link up"'
	ip link del sixxs1
	udevadm settle
	wait_until 10 gone sixxs1
	[ ! -e /run/sixxs-route/sixxs1.record ]
	[ -z "$(said -p err)" ]
	systemctl unmask --runtime sixxs-route.service
	tunnel sixxs1
	wait_until 10 up sixxs1
}

@test "no unit failed, and the last tunnel leaves nothing in the kernel" {
	local i
	for i in 0 1 2; do ip link del sixxs$i; done
	udevadm settle
	for i in 0 1 2; do wait_until 10 gone sixxs$i; done
	[ -z "$(ip -6 -N route show table all proto 166)" ]
	run systemctl --failed --quiet --no-legend --plain
	echo "$output"
	[ -z "$output" ]
}
