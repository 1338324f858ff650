#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# when_gone = unreachable: what the section selects leaves by its link or not at all, whether there is
# such a link or not. What happens at a boot is in boot-gone.bats.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup_file() {
	install_handler
	uplinks_up
	# these addresses are no link's, and so there always
	ip address add 10.99.0.1/32 dev lo
	address6 2a02:99::1/128 lo
}

teardown() { packets_end links_and_refusals_gone; }

# The removal of a link would bring its section's refusal back.
links_and_refusals_gone() { links_gone && settle && $handler remove wg1 wg3; }

source_far() { # 4|6
	ping_far "$1" -I "$([ "$1" = 4 ] && echo 10.99.0.1 || echo 2a02:99::1)"
}

switch() { # one of each kind
	drop_in wg1 <<-'END'
		[media]
		interface = wg1
		user = 1999
		table = 303
		when_gone = unreachable
		wait = 0

		[addresses]
		interface = wg1
		source = 10.99.0.1, 2a02:99::1
		table = 307
		when_gone = unreachable
		wait = 0

		[marked]
		interface = wg1
		fwmark = 0x5
		table = 308
		when_gone = unreachable
		wait = 0
	END
}

# all LINK: what the three sections select leaves by it, both families; everything else by net0
all() {
	local family
	for family in 4 6; do
		leaves "$1" user_far $family 1999 || return
		leaves "$1" source_far $family || return
		leaves "$1" ping_far $family -m 5 || return
		leaves net0 ping_far $family || return
		leaves net0 user_far $family 1998 || return
	done
}

@test "a kill switch: before the link first comes, while it is down, after it went, however it went" {
	switch
	all net0
	# as sixxs-route-boot.service does
	$handler apply --all
	all none
	exits 0 "$handler" status wg1
	far_end wg1 1
	settle
	all none
	ip link set wg1 up
	addressed wg1 1
	settle
	$handler apply wg1
	all wg1
	exits 0 "$handler" status wg1
	ip link set wg1 down
	all none
	# a client is stopped, and udev sees to it
	ip link del wg1
	all none
	settle
	all none
	uplink wg1 1
	$handler apply wg1
	all wg1
	# it crashes, and nobody sees to it
	handler_off
	ip link del wg1
	settle
	all none
	uplink wg1 1
	settle
	handler_on
	$handler apply wg1
	all wg1
	udevadm trigger --action=remove /sys/class/net/wg1
	settle
	[ "$(left user_far 4 1999)" != net0 ]
	[ "$(left user_far 6 1999)" != net0 ]
	[ "$(left source_far 6)" != net0 ]
	[ "$(left ping_far 4 -m 5)" != net0 ]
	ip link del wg1
	settle
	all none
	# apply --all sweeps none of it
	$handler apply --all
	all none
	# remove ends it
	$handler remove wg1
	all net0
	untroubled
}

@test "a kill switch ends when its section is deleted and that is applied" {
	switch
	$handler apply wg1
	all none
	rm /etc/sixxs-route/conf.d/wg1.conf
	# not before
	all none
	$handler apply wg1
	all net0
	switch
	$handler apply --all
	all none
	rm /etc/sixxs-route/conf.d/wg1.conf
	$handler apply --all
	all net0
	# a broken file ends nothing
	switch
	$handler apply wg1
	printf '[wg1]\nuser = 19 99\n' | drop_in wg1
	exits 1 "$handler" apply wg1
	exits 1 "$handler" apply --all
	all none
	ln -sf /dev/null /etc/sixxs-route/conf.d/wg1.conf
	$handler apply wg1
	all net0
}

# restarts N: the link comes, is up for a moment and goes, while programs send all the time
restarts() {
	local i
	for ((i = 0; i < $1; i++)); do
		far_end wg1 1
		ip link set wg1 up
		addressed wg1 1
		[ $((i % 3)) -ne 0 ] || settle
		[ $((i % 5)) -ne 0 ] || udevadm trigger --action=remove /sys/class/net/wg1
		[ $((i % 2)) -ne 0 ] || ip link set wg1 down
		ip link del wg1
	done
	settle
}

@test "a kill switch over a hundred restarts: not one packet leaves by net0, and that capture sees others" {
	switch
	$handler apply --all
	watch_start
	flood 1999
	flood 0 10.99.0.1 2a02:99::1
	# the control: nobody's section
	flood 1998
	restarts 100
	uplink wg1 1
	wait_until 10 carried
	floods_stop
	# by net0 the control alone: its port is known by what it sends while the others' routes refuse
	noted
	local family ports
	for family in 4 6; do
		[ "$(passed wg1 $family)" -gt 0 ]
		# one socket each: of the sources that net0 has seen there is one
		ports=$(sent <"$packets" | grep -E "^net0 +Out IP6? .* > $([ $family = 4 ] && echo "$far4" || echo "$far6")[.:]" |
			awk '{ print $4 }' | sort -u)
		echo "$ports"
		[ "$(wc -l <<<"$ports")" -eq 1 ]
		[ "$(passed net0 $family)" -gt 100 ]
	done
	wait_until 5 untroubled
}

carried() { [ "$(passed wg1 4)" -gt 0 ] && [ "$(passed wg1 6)" -gt 0 ]; }

@test "without when_gone that capture does see them leave by net0" {
	switch
	sed -i '/^when_gone/d' /etc/sixxs-route/conf.d/wg1.conf
	$handler apply --all
	watch_start
	flood 1999
	flood 0 10.99.0.1 2a02:99::1
	restarts 5
	floods_stop
	for family in 4 6; do
		[ "$(passed net0 $family)" -gt 0 ]
		[ "$(passed net0 $family "$([ $family = 4 ] && echo 10.99.0.1 || echo 2a02:99::1)[.].*")" -gt 0 ]
	done
}

@test "what it cannot hold back: another source, and what main knows more specifically" {
	switch
	$handler apply wg1
	# who may choose another source
	leaves none source_far 4
	leaves net0 ping_far 4 -I 192.0.2.1
	leaves net0 ping_far 6 -I 2001::1
	# prefer_main is the default for a user: neighbours are reached, and what has a route of its own
	as_user 1999 ping -n -c 1 -W "$SLOW" 192.0.2.2
	as_user 1999 ping -n -c 1 -W "$SLOW" 2001::2
	ip route add "$far4"/32 via 192.0.2.2
	ip -6 route add "$far6"/128 via 2001::2
	leaves net0 user_far 4 1999
	leaves net0 user_far 6 1999
	sed -i '/^user/aprefer_main = no' /etc/sixxs-route/conf.d/wg1.conf
	$handler apply wg1
	leaves none user_far 4 1999
	leaves none user_far 6 1999
	ip route del "$far4"/32
	ip -6 route del "$far6"/128
	# a socket that is bound to another link: the kernel lets it use that link's routes alone, and of
	# unreachable ones none is
	local family
	for family in 4 6; do
		leaves none user_far $family 1999
		leaves net0 bound_far $family 1999 net0
	done
	$handler remove wg1
}

# bound_far 4|6 UID LINK
bound_far() {
	local to=far$1
	echo x | as_user "$2" socat -u - "UDP$1-DATAGRAM:[${!to}]:9,bindtodevice=$3"
}

@test "both families are refused, whichever the section's gateway is of" {
	printf '[wg1]\nuser = 1999\ngateway = 10.1.0.254\ntable = 303\nwhen_gone = unreachable\n' | drop_in wg1
	$handler apply wg1
	leaves none user_far 4 1999
	leaves none user_far 6 1999
	$handler remove wg1
	printf '[wg1]\nfrom_link = br-lan\ngateway = fe80::fe\ntable = 303\nwhen_gone = unreachable\n' | drop_in wg1
	$handler apply wg1
	rules | grep -E '^16383: from all iif br-lan .*lookup wg1 '
	rules4 | grep -E '^16383: from all iif br-lan .*lookup wg1 '
	routes4 wg1 | grep '^unreachable default'
	routes wg1 | grep '^unreachable default'
	$handler remove wg1
}

@test "these packets never leave elsewhere: the recipe" {
	recipe 'These packets never leave elsewhere'
	sample never wg3
	exits 0 "$handler" check
	$handler apply --all
	local family
	for family in 4 6; do
		leaves none ping_far $family -m $((0x40))
		leaves net0 ping_far $family
	done
	uplink wg3 1
	$handler apply wg3
	for family in 4 6; do
		leaves wg3 ping_far $family -m $((0x40))
	done
	ip link del wg3
	settle
	for family in 4 6; do
		leaves none ping_far $family -m $((0x40))
	done
	$handler remove wg3
	leaves net0 ping_far 4 -m $((0x40))
}
