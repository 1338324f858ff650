#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Two hundred tunnels at once, and gone at once.

# Most functions are called through each:
# shellcheck disable=SC2317

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

number=200
group=7

setup() { begin; }

teardown() { finish; }

# On a slow machine the last link is made long after a second, for which the first is waited for.
section() {
	printf '[sixxs%d]\nsource = 2a02::%x, 10.0.0.%d\ntable = %d\n' "$1" $(($1 + 1)) $(($1 + 1)) $((1000 + $1))
	[ "$SLOW" -eq 1 ] || printf 'wait = 60\n'
}

each() {
	local i
	for ((i = 0; i < number; i++)); do
		"$@" $i
	done
}

all_come() {
	new_link() { printf 'tuntap add dev sixxs%d mode tun\nlink set dev sixxs%d group %d\n' "$1" "$1" "$group"; }
	each new_link | ip -batch -
	ip link set group $group up
	settle
}

all_stand() {
	wanted6() { printf '16383: from 2a02::%x lookup sixxs%d proto sixxs\n' $(($1 + 1)) "$1"; }
	wanted4() { printf '16383: from 10.0.0.%d lookup sixxs%d proto sixxs\n' $(($1 + 1)) "$1"; }
	route6() { printf 'default dev sixxs%d table sixxs%d proto sixxs metric 2048 pref medium\n' "$1" "$1"; }
	route4() { printf 'default dev sixxs%d table sixxs%d proto sixxs scope link metric 2048\n' "$1" "$1"; }
	assert_same "$(each wanted6 | sort)" "$(rules | grep sixxs | sort)"
	assert_same "$(each wanted4 | sort)" "$(rules4 | grep sixxs | sort)"
	assert_same "$(each route6 | sort)" "$(routes all | grep sixxs | sort)"
	assert_same "$(each route4 | sort)" "$(routes4 all | grep sixxs | sort)"
	assert_same $number "$(find /run/sixxs-route -name '*.record' | wc -l)"
}

come_and_go() {
	all_come
	all_stand
	# Each once more: at a boot, or by a replay.
	before=$(snapshot)
	udevadm trigger --subsystem-match=net --action=add
	settle
	assert_same "$before" "$(snapshot)"
	ip link del group $group
	settle
	untroubled # first: what failed is told there
	assert_same "$baseline" "$(snapshot)"
}

@test "200 tunnels, each with its own drop-in" {
	own() { section "$1" | drop_in "sixxs$1"; }
	each own
	come_and_go
}

@test "200 tunnels in one file" {
	each section | drop_in all
	come_and_go
}

@test "200 tunnels by apply --all, and their removal" {
	each section | drop_in all
	udev_holds
	new_link_up() { printf 'tuntap add dev sixxs%d mode tun\nlink set dev sixxs%d group %d up\n' "$1" "$1" "$group"; }
	each new_link_up | ip -batch -
	exits 0 $handler apply --all
	all_stand
	name() { echo "sixxs$1"; }
	mapfile -t names < <(each name)
	exits 0 $handler remove "${names[@]}"
	assert_same "$baseline" "$(snapshot)"
	udev_goes_on
	ip link del group $group
}
