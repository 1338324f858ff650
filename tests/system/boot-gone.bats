#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# when_gone = unreachable over a boot of the real systemd and restarts of the link, without
# systemd-networkd and with it: programs send all the time to the ports 8999 (the user of the section),
# 9 (its addresses) and 8998 (nobody's, the control).
# "tests/system/run tests/system/boot-gone.bats"; ROOTFS: another Debian's root.

# shellcheck source=tests/system/boot-gone.bash
. "$BATS_TEST_DIRNAME/boot-gone.bash"

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
}

@test "the boot: the kill switch stood before there was an uplink; not one packet has left by it" {
	active uplink.service
	[ "$(systemctl show -P Result sixxs-route-boot.service)" = success ]
	[ "$(systemctl show -P ExecMainExitTimestampMonotonic sixxs-route-boot.service)" -lt \
		"$(systemctl show -P ExecMainStartTimestampMonotonic uplink.service)" ]
	[ ! -e /sys/class/net/wg1 ]
	# the control: as many as make a zero of the others mean something
	sends_by_net0() { [ "$(passed net0 4 8998)" -gt 50 ] && [ "$(passed net0 6 8998)" -gt 50 ]; }
	wait_until 20 sends_by_net0
	held
	sixxs-route status wg1
}

@test "a hundred restarts without systemd-networkd: not one packet, and by the link they do leave" {
	mark
	restarts 100
	held
	comes
	carried() { [ "$(passed wg1 4 8999)" -gt 0 ] && [ "$(passed wg1 6 8999)" -gt 0 ] && [ "$(passed wg1 4 9)" -gt 0 ] && [ "$(passed wg1 6 9)" -gt 0 ]; }
	wait_until 10 carried
	ip link del wg1
	udevadm settle
	held
}

managed() { ip -6 address show dev net9 | grep -q 2001:db8:9::1/64; }

networkd() { # it configures a link, again and again
	ip link add net9 type veth peer name net9far
	ip link set net9far up
	printf '%s\n' '[Match]' Name=net9 '[Network]' Address=2001:db8:9::1/64 >/etc/systemd/network/net9.network
	systemctl restart systemd-networkd.service
	wait_until 20 managed
}

@test "a hundred restarts beside systemd-networkd with both ManageForeign settings off: not one packet" {
	mkdir -p /etc/systemd/networkd.conf.d
	printf '%s\n' '[Network]' ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no >/etc/systemd/networkd.conf.d/foreign.conf
	mark
	networkd
	local i
	for i in {1..10}; do
		restarts 10
		networkctl reconfigure net9
	done
	held
	run sixxs-route check
	[[ $output != *'systemd-networkd runs'* ]]
	rm /etc/systemd/networkd.conf.d/foreign.conf
	systemctl stop systemd-networkd.socket systemd-networkd.service
	ip link del net9
}

@test "with systemd-networkd's defaults it does not hold, which check and status say" {
	mark
	networkd
	leaked() { [ "$(passed net0 4 8999)" -gt 0 ] || [ "$(passed net0 6 8999)" -gt 0 ] || { networkctl reconfigure net9 && false; }; }
	wait_until 20 leaked
	run sixxs-route check
	echo "$output"
	[[ $output == *'systemd-networkd runs'*ManageForeignRoutingPolicyRules=no* ]]
	run sixxs-route status wg1
	echo "$output"
	[[ $output == *systemd-networkd*ManageForeign* ]]
	systemctl stop systemd-networkd.socket systemd-networkd.service
	ip link del net9
}

@test "remove ends it" {
	sixxs-route apply wg1
	mark
	sixxs-route remove wg1
	gone() { [ "$(passed net0 4 8999)" -gt 0 ] && [ "$(passed net0 6 8999)" -gt 0 ] && [ "$(passed net0 4 9)" -gt 0 ] && [ "$(passed net0 6 9)" -gt 0 ]; }
	wait_until 10 gone
}
