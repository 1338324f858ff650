#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The README word by word, with the real systemd: installed, the drop-in of the second uplink, "does it
# work?"; on a host with the two uplinks of its picture.

# shellcheck source=wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"
repo=$PWD
# shellcheck source=recipe.bash
. "$BATS_TEST_DIRNAME/recipe.bash"

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
}

# uplink LINK ADDRESS PROVIDER METRIC: the client is behind each provider.
uplink() {
	ip netns add "$1" && ip link add "$1" type veth peer name host netns "$1" &&
		ip address add "$2/24" dev "$1" && ip -n "$1" address add "$3/24" dev host &&
		ip link set "$1" up && ip -n "$1" link set host up && ip -n "$1" link set lo up &&
		ip -n "$1" address add 203.0.113.9/32 dev lo &&
		ip route add default via "$3" dev "$1" metric "$4"
}

# asks LINK ADDRESS: the client asks this address, by the provider of the link.
asks() { ip netns exec "$1" ping -n -q -c 1 -W 1 -I 203.0.113.9 "$2" >/dev/null; }

@test "the README word by word: install, the drop-in, and it works" {
	local line
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	uplink eth0 192.0.2.10 192.0.2.1 100
	uplink eth1 198.51.100.10 198.51.100.1 200
	asks eth0 192.0.2.10
	run asks eth1 198.51.100.10
	[ "$status" -ne 0 ]

	# what it installs is there already; the lines in brackets are those of networkd's file
	[ "$(typed Install | grep -c '^make')" -eq 2 ]
	while read -r line; do
		# shellcheck disable=SC2086 # words
		case $line in
		'apt-get install -y '*) xargs dpkg-query -W <<<"${line#apt-get install -y }" ;;
		make*) MAKEFLAGS="-s ${ROOTFS:+BUILD=/var/tmp/build}" $line ;;
		'[Network]' | Manage*=no) ;;
		*) $line ;;
		esac
	done < <(typed Install)
	recipe 'A drop-in: two uplinks'
	[ -s /etc/sixxs-route/conf.d/eth1.conf ]

	[ "$(typed 'Does it work?' | grep -c 'sixxs-route')" -ge 6 ]
	while read -r line; do
		bash -c "$line" </dev/null
		udevadm settle
	done < <(typed 'Does it work?')
	asks eth1 198.51.100.10
	asks eth0 192.0.2.10
	systemctl -q is-active sixxs-route
	journalctl -t sixxs-route --no-pager | grep 'eth1: added 1 route, 2 rules; link up$'
	# and from then on by events: the link comes anew, with another address and gateway
	ip link del eth1
	ip netns del eth1
	uplink eth1 198.51.100.20 198.51.100.2 200
	wait_until 10 asks eth1 198.51.100.20
}
