#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# socat's TUN as a client: "tests/clients/run socat".

# shellcheck source=socat.bash
. "$BATS_TEST_DIRNAME/socat.bash"

@test "socat: the host rebooted" { rebooted; }
@test "socat: restarted" { restarted; }
@test "socat: killed" { killed; }
@test "socat: its links down and up" { flapped; }

@test "a link that goes down loses its IPv6 addresses, unless keep_addr_on_down is set" {
	local way='ip -6 -o address show dev soc1 scope global'
	sysctl -qw net.ipv6.conf.{all,default,soc0,soc1}.keep_addr_on_down=0
	links_flap
	[ -z "$($way)" ] # who gave it does not do so again
	[ -n "$(ip -4 -o address show dev soc1)" ]
	sysctl -qw net.ipv6.conf.{all,default}.keep_addr_on_down=1
	restarted
	links_flap
	[ -n "$($way)" ]
	all_right
}

@test "socat: udevd away meanwhile" { udevd_away; }
@test "socat: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "socat: without us the way is wrong" { control; }
