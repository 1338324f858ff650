#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What two tunnels, or a tunnel and somebody else, hold or take from each other.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { begin; }
teardown() { finish; }

# sections A B: sixxs0 has source 2a02::A and table 200 + A - 1, sixxs1 the same with B.
sections() {
	printf '[sixxs0]\nsource = 2a02::%d\ntable = 20%d\n%s\n' "$1" $(($1 - 1)) "${3-}" | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::%d\ntable = 20%d\n%s\n' "$2" $(($2 - 1)) "${3-}" | drop_in sixxs1
}

pair() {
	tunnel_add sixxs0
	tunnel_add sixxs1
	[ "${1-}" = down ] || { tunnel_up sixxs0 && tunnel_up sixxs1; }
	settle
}

# Each has its rule, and its table the route of the link that the section now belongs to.
assert_swapped() {
	has '16383: from 2a02::2 lookup sixxs0 proto sixxs' <<<"$(rules)"
	has '16383: from 2a02::1 lookup sixxs1 proto sixxs' <<<"$(rules)"
	has "$1" <<<"$(routes 201)"
	has "$2" <<<"$(routes 200)"
}

up0='default dev sixxs0 proto sixxs metric 2048 pref medium'
up1='default dev sixxs1 proto sixxs metric 2048 pref medium'

@test "two tunnels swap source and table: apply --all" {
	sections 1 2
	pair
	sections 2 1
	exits 0 sixxs-route apply --all
	assert_swapped "$up0" "$up1"
}

@test "... apply, by name" {
	sections 1 2
	pair
	sections 2 1
	exits 0 sixxs-route apply sixxs0 sixxs1
	assert_swapped "$up0" "$up1"
}

@test "... by replay, the two handlers at the same time, over and over" {
	sections 1 2
	pair
	for ((round = 0; round < 20; round++)); do
		sections 2 1
		replay sixxs0 sixxs1
		assert_swapped "$up0" "$up1"
		sections 1 2
		replay sixxs0 sixxs1
		has '16383: from 2a02::1 lookup sixxs0 proto sixxs' <<<"$(rules)"
		has '16383: from 2a02::2 lookup sixxs1 proto sixxs' <<<"$(rules)"
	done
	untroubled
}

@test "... by two at the same time, the one slower" {
	local tracer=(strace -qq -o /dev/null -e inject=sendto:delay_enter=1s)
	sections 1 2
	pair
	sections 2 1
	"${tracer[@]}" sixxs-route apply sixxs0 3>&- &
	wait_until 10 grep -q 201 /run/sixxs-route/sixxs0.record
	exits 0 sixxs-route apply sixxs1
	wait $!
	assert_swapped "$up0" "$up1"
	untroubled
}

@test "... with the links down, and refused then" {
	local refused='unreachable default dev lo proto sixxs metric 4294967295 pref medium'
	sections 1 2 $'when_down = unreachable\nwait = 0'
	pair down
	sections 2 1 $'when_down = unreachable\nwait = 0'
	exits 0 sixxs-route apply --all
	assert_swapped "$refused" "$refused"
}

@test "somebody names a table as we did: our line goes" {
	sections 1 2
	pair
	printf '300 sixxs0\n' >/etc/iproute2/rt_tables.d/zz.conf
	sixxs-route apply sixxs0
	lacks '200 sixxs0' </run/sixxs-route/rt_tables
	tunnel_del sixxs0
	tunnel_del sixxs1
	settle
	rm /etc/iproute2/rt_tables.d/zz.conf
	assert_same "" "$(left_in /run/sixxs-route)"
}

@test "nothing is swept while a tunnel fails: apply --all says so and sweeps once it is mended" {
	sections 1 2
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	sixxs-route remove sixxs0
	ip -6 route add default dev net0 table 200 metric 2048 proto static
	ip -6 rule add from 2a02::99 lookup 777 priority 16383 protocol 166
	exits 1 sixxs-route apply --all
	[ "$(rules | grep -c 2a02::99)" -eq 1 ]
	ip -6 route del default dev net0 table 200 metric 2048 proto static
	exits 0 sixxs-route apply --all
	[ "$(rules | grep -c 2a02::99)" -eq 0 ]
}

@test "a stray file beside the records does not keep it either" {
	sections 1 2
	pair
	cp /run/sixxs-route/sixxs0.record /run/sixxs-route/sixxs0.record~
	ip -6 rule add from 2a02::99 lookup 777 priority 16383 protocol 166
	exits 0 sixxs-route apply --all
	[ "$(rules | grep -c 2a02::99)" -eq 0 ]
	rm /run/sixxs-route/sixxs0.record~
}

# then the event is to wait for the link
ruled() { rules | grep -q ' from 2a02::1 '; }

@test "a link that leaves its bridge is still waited for" {
	local pid
	sections 1 2 'wait = 20'
	handler_off
	ip link add br0 type bridge
	ip tuntap add sixxs0 mode tap
	ip link set sixxs0 master br0
	settle
	event add sixxs0 "$(ifindex sixxs0)" 3>&- &
	pid=$!
	wait_until 10 ruled
	ip link set sixxs0 nomaster
	ip link set sixxs0 up
	wait $pid
	has "$up0" <<<"$(routes 200 | sed 's/ linkdown//')"
	handler_on
	ip link del br0
	sixxs-route remove sixxs0
	ip link del sixxs0
}

@test "a lock that is kept during the wait is an error, not a link that is down" {
	local pid status=0
	sections 1 2 'wait = 30'
	handler_off
	tunnel_add sixxs0
	event add sixxs0 "$(ifindex sixxs0)" 3>&- &
	pid=$!
	wait_until 10 ruled
	exec 8>/run/sixxs-route/lock
	flock 8
	tunnel_up sixxs0
	wait $pid || status=$?
	exec 8>&-
	[ $status -eq 1 ]
	logged 0 'still down'
	handler_on
	sixxs-route remove sixxs0
}

@test "the output of a rehearsal that is lost is a failure" {
	sections 1 2
	pair
	sixxs-route remove sixxs0
	exits 1 bash -c 'sixxs-route apply --dry-run sixxs0 >/dev/full'
}

@test "a strict umask hides no names" {
	sections 1 2
	pair
	sixxs-route remove sixxs0 sixxs1
	(umask 077 && sixxs-route apply sixxs0)
	[ "$(stat -c %a /run/sixxs-route /run/sixxs-route/rt_tables | paste -sd' ')" = '755 644' ]
}

@test "renamed while the program cannot run: other names too" {
	# shellcheck disable=SC2016 # udev's
	printf 'SUBSYSTEM=="net", KERNEL=="wg*", ENV{SIXXS_ROUTE}="$name"\n' >/etc/udev/rules.d/90-tunnels.rules
	udev_control --reload
	printf '[wg0]\nsource = 2a02::1\ntable = 200\n' | drop_in wg0
	tunnel_add wg0
	tunnel_up wg0
	settle
	has '16383: from 2a02::1 lookup wg0 proto sixxs' <<<"$(rules)"
	chmod a-x /usr/sbin/sixxs-route
	ip link set wg0 down
	ip link set wg0 name wg1
	settle
	chmod a+x /usr/sbin/sixxs-route
	udevadm trigger --action=change /sys/class/net/wg1
	settle
	[ "$(rules | grep -c 2a02::1)" -eq 0 ]
	rm /etc/udev/rules.d/90-tunnels.rules
	udev_control --reload
	ip link del wg1
}
