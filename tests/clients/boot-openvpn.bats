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
@test "openvpn: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "openvpn: without us the way is wrong" { control; }
