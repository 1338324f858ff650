#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# WireGuard in user space, by wireguard-go and wg alone: "tests/clients/run wireguard-go".

# shellcheck source=clients.bash
. "$BATS_TEST_DIRNAME/clients.bash"
links=(wgo0 wgo1) units=(wireguard-go@wgo0 wireguard-go@wgo1)

@test "wireguard-go: the host rebooted" {
	rebooted
	pgrep -f 'wireguard-go -f wgo0'
}

@test "wireguard-go: restarted" { restarted; }
@test "wireguard-go: killed" { killed; }
@test "wireguard-go: its links down and up" { flapped; }
@test "wireguard-go: udevd away meanwhile" { udevd_away; }
@test "wireguard-go: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "wireguard-go: without us the way is wrong" { control; }
