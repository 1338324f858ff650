#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# OpenVPN on a persistent device, which --mktun has made: "tests/clients/run openvpn-mktun".

# shellcheck source=clients.bash
. "$BATS_TEST_DIRNAME/clients.bash"
links=(ovpm0 ovpm1) units=(openvpn-client@ovpm0 openvpn-client@ovpm1)
devices=(mktun@ovpm0 mktun@ovpm1)

@test "openvpn --mktun: the host rebooted" { rebooted; }

@test "openvpn --mktun: restarted, on the same device" {
	local before
	before=$(ifindex ovpm0)
	restarted
	[ "$(ifindex ovpm0)" = "$before" ]
}

@test "openvpn --mktun: killed" { killed; }
@test "openvpn --mktun: its links down and up" { flapped; }
@test "openvpn --mktun: udevd away meanwhile" { udevd_away; }

@test "openvpn --mktun: stopped, the device stays, and counts as down by its carrier" {
	systemctl stop "${units[@]}"
	[ "$(cat /sys/class/net/ovpm0/carrier)" = 0 ] # it is up
	wait_until 10 table_empty 300
	well
	grep -q '^ovpm0 .* waiting$' /tmp/status
	nothing_leaked
	systemctl start "${units[@]}"
	all_right
}

@test "openvpn --mktun: device and all ended, it leaves nothing but the kill switch" { ended; }
@test "openvpn --mktun: without us the way is wrong" { control; }
