#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# wg-quick with Table = auto, its default: rules of its own, for all packets. "tests/clients/run wg-quick-auto".

# shellcheck source=wg-quick.bash
. "$BATS_TEST_DIRNAME/wg-quick.bash"

its_rules() { ip -6 rule | grep -F 'not from all fwmark 0xca6c lookup 51820' && ip -4 rule | grep -F 'lookup main suppress_prefixlength 0'; }

carried_by() { # LINK: what the kernel says of the second tunnel's address
	ip -6 route get $far6 from "$(address6 1)" | grep -q " dev $1 " &&
		ip -4 route get $far4 from "$(address4 1)" | grep -q " dev $1 "
}

@test "wg-quick, Table = auto, before us: our rules come first, and both ways are right" {
	systemctl stop wg-quick@wgq1 sixxs-route.service
	sixxs-route remove "${links[@]}"
	mv $drop_ins /etc/sixxs-route/away
	mkdir $drop_ins
	systemctl start wg-quick@wgq0 wg-quick@wgq1
	udevadm settle
	its_rules
	mv /etc/sixxs-route/away/* $drop_ins
	systemctl start sixxs-route.service
	sixxs-route apply --all
	forgive
	ways_are_right
	nothing_leaked
}

@test "wg-quick, Table = auto: its end deletes its own rules, and none of ours" {
	local before
	before=$(kernel | grep -c 'lookup .* proto 166')
	[ "$before" -ge 8 ]
	systemctl stop wg-quick@wgq0
	refused its_rules
	wait_until 10 carried_by wgq1
	[ "$(ip -6 -N rule | grep -cE 'from 2a02:1[01]::2 lookup (254|main) suppress_prefixlength 7 proto 166')" -eq 2 ]
	wait_until 20 way 1 # pop knew its far end by an address of the other tunnel's
	nothing_leaked
}

@test "wg-quick, Table = auto, after us: its rules come first and take the other tunnel's packets, which is told" {
	systemctl start wg-quick@wgq0
	its_rules
	udevadm settle
	wait_until 10 carried_by wgq0
	run -1 sixxs-route status wgq1
	echo "$output"
	[[ $output == *astray* && $output == *51820* ]]
	said() { journalctl -b -q --no-pager -t sixxs-route -o cat | grep -q 'wgq1: .*51820'; }
	wait_until 10 said
}

@test "wg-quick, Table = off in its place: right again" {
	systemctl stop wg-quick@wgq0
	sed -i 's/Table = auto/Table = off/' /etc/wireguard/wgq0.conf
	systemctl start wg-quick@wgq0
	ways_are_right
	nothing_leaked
}
