# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of steer = source-route, to be sourced at the top of a file: two tunnels that share table 400.

# shellcheck source=packets.bash
. "${BASH_SOURCE[0]%/*}/packets.bash"

setup() {
	begin
	ip -6 route add default from 2001:db8:dead::/64 dev lo table 4000 || skip 'this kernel has no CONFIG_IPV6_SUBTREES'
	ip -6 route flush table 4000
	capture_start
	for n in 0 1; do
		steered $n
	done
}

teardown() { packets_end off_lo 2a02:100::7/128 2a02:{0,1,2}::9/128; }

# shellcheck disable=SC2034 # for who sources this
shared='16383: from all lookup 400 suppress_ifgroup 2147483646 proto sixxs'
alone() { [ "$(rules | grep -c 'proto sixxs')" -eq "$1" ] && [ "$(rules4 | grep -c 'proto sixxs')" -eq 0 ]; }
ours() { ip -6 route show table "$1" 2>/dev/null | squeeze; }

steered() { # N [LINE...]
	printf '%s\n' "[sixxs$1]" "source = 2a02:$1::/64, 2a02:10$1::1" 'steer = source-route' 'table = 400' "${@:2}" |
		drop_in "sixxs$1"
}

tunnel() { # N: with an address of its own, and one that is no link's
	uplink "sixxs$1" "$1" && address6 "2a02:10$1::1/128" "sixxs$1"
}

way() { # N LINK: of both its sources
	leaves "$2" ping_far 6 -I "2a02:$1::1" && leaves "$2" ping_far 6 -I "2a02:10$1::1"
}

routed() { # N [LINK]
	ours 400 | grep -qE "^default from 2a02:${1#0}:?:/64 dev ${2-sixxs$1} "
}
