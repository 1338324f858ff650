#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A tunnel's table that holds many routes of others, such as a routing daemon's: an event reads
# some pages of it at most. Counted, not measured: bytes and calls do not depend on the machine.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

many=3000

setup() {
	begin
	udev_control --stop-exec-queue # the events are made by hand
	drop_in sixxs0 <<-'END'
		[sixxs0]
		source = 2a02::1, 198.51.100.1
		table = 200
		when_down = unreachable
	END
	ip tuntap add dev sixxs0 mode tun
	ip link set dev sixxs0 up
	ip tuntap add dev other mode tun
	ip link set dev other up
}

teardown() {
	udev_control --start-exec-queue
	finish
}

# of FAMILY: theirs, and no default; some begin at the same address
theirs() {
	local i
	for ((i = 1; i < 32; i++)); do
		case $1 in
		4) printf 'route add 0.0.0.0/%d dev other table 200\n' "$i" ;;
		6) printf 'route add ::/%d dev other table 200\n' $((i + 64)) ;;
		esac
	done
	for ((i = 0; i < many; i++)); do
		case $1 in
		4) printf 'route add 10.%d.%d.0/24 dev other table 200\n' $((i >> 8)) $((i & 255)) ;;
		6) printf 'route add 2001:db8:%x::/48 dev other table 200\n' "$i" ;;
		esac
	done
}
they_come() { theirs "$1" | ip -"$1" -batch -; }

# read_by ACTION: an event of sixxs0; sets "n" and "bytes", the reads of its netlink sockets.
read_by() {
	tracer=(strace -f -e trace=recvmsg -o /tmp/reads)
	event "$1" sixxs0 "$(ifindex sixxs0)"
	tracer=()
	read -r n bytes < <(awk '/recvmsg/ && $NF + 0 > 0 { n++; bytes += $NF } END { print n, bytes }' /tmp/reads)
	echo "$1: $n reads, $bytes bytes" >&2
	[ "$n" -gt 0 ] && [ "$bytes" -gt 0 ]
}

ours() { routes 200 | grep ' proto sixxs'; routes4 200 | grep ' proto sixxs'; }
undone() { exits 0 $handler remove sixxs0; }

stands() {
	assert_same "default dev sixxs0 proto sixxs metric 2048 pref medium
unreachable default dev lo proto sixxs metric 4294967295 pref medium
default dev sixxs0 proto sixxs scope link metric 2048
unreachable default proto sixxs metric 4294967295" "$(ours)"
}

# few_more N: no more than N pages of 32 KiB, and some calls, beyond what an empty table costs
few_more() {
	[ "$n" -le $((empty_n + $1 + 6)) ] && [ "$bytes" -le $((empty_bytes + $1 * 32768 + 4096)) ]
}

# reads_little FAMILY N: beside theirs an add and a replay are few_more
reads_little() {
	read_by add
	read_by add
	empty_n=$n empty_bytes=$bytes
	undone
	they_come "$1"
	for _ in 1 2; do
		read_by add && few_more "$2"
		stands
	done
	logged 0 'not ours'
}

@test "IPv4: an add and a replay read one page" {
	reads_little 4 2
}

@test "IPv6: an add and a replay read some pages, and ask the kernel for the rest" {
	reads_little 6 8
}

@test "a default of others that comes before ours is told all the same, and one in its place" {
	they_come 4
	they_come 6
	ip route add default dev other table 200 metric 5
	ip -6 route add default dev other table 200 metric 5
	event add sixxs0 "$(ifindex sixxs0)"
	logged 2 'default dev other metric 5'
	log_restart
	ip route del default dev other table 200 metric 5
	ip -6 route del default dev other table 200 metric 5
	undone
	ip route add default dev other table 200 metric 2048
	ip -6 route add default dev other table 200 metric 2048
	event add sixxs0 "$(ifindex sixxs0)" || true
	logged 2 'not ours'
}

@test "a route of ours on another link makes way, also one that the kernel would not take" {
	they_come 4
	they_come 6
	local metric
	for metric in 7 2048 3000; do
		ip route add default dev other table 200 metric $metric proto sixxs
		ip -6 route add default dev other table 200 metric $metric proto sixxs
		printf 'sixxs-route 1\ntable 200\n' >/run/sixxs-route/other.record
		ln -s other '/run/sixxs-route/owners/table 200'
		event add sixxs0 "$(ifindex sixxs0)"
		stands
		undone
		rm /run/sixxs-route/other.record
	done
}
