#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# OpenVPN as a client whose device it makes itself: "tests/clients/run openvpn".

# shellcheck source=clients.bash
. "$BATS_TEST_DIRNAME/clients.bash"
links=(ovpn0 ovpn1) units=(openvpn-client@ovpn0 openvpn-client@ovpn1)

@test "openvpn: the host rebooted" { rebooted; }
@test "openvpn: restarted" { restarted; }
@test "openvpn: killed" { killed; }
@test "openvpn: its links down and up" { flapped; }
@test "openvpn: udevd away meanwhile" { udevd_away; }
@test "openvpn, redirect-gateway not ignored: it takes what no section selects, and both ways stay right" {
	sed -i '/^pull-filter/d' /etc/openvpn/client/ovpn1.conf
	systemctl restart openvpn-client@ovpn1
	taken() { ip route get $far4 | grep -q ' dev ovpn1 ' && ip -6 route get $far6 | grep -q ' dev ovpn1 '; }
	wait_until 20 taken
	ways_are_right
	nothing_leaked
	echo 'pull-filter ignore redirect-gateway' >>/etc/openvpn/client/ovpn1.conf
	restarted
	refused taken
}

@test "openvpn: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "openvpn: without us the way is wrong" { control; }
