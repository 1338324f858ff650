# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For boot-gone.bats and boot-gone-networkd.bats: what has left by which link since when.

# shellcheck source=tests/system/wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"

active() { systemctl -q is-active "$1"; }

# Until all that has left so far is noted: the capture keeps the order of all links.
noted() {
	local port=$((20000 + RANDOM % 20000))
	until grep -q "> 127.0.0.9.$port:" /run/packets; do
		echo >/dev/udp/127.0.0.9/$port || true
		nap 0.01
		active uplink.service || return
	done 2>/dev/null
}

# passed LINK PORT: how many packets to that port of the far host have left by it, of both families
# each, since mark was called
from=1
mark() { noted && from=$(($(wc -l </run/packets) + 1)); }
passed() { # LINK 4|6 PORT
	local to='203\.0\.113\.1'
	[ "$2" = 4 ] || to='2001:db8:f::1'
	noted
	tail -n +$from /run/packets | grep -cE "^$1 +Out IP6? .* > $to\.$3: UDP" || true
}

held() { # nothing of ours by net0 since then, and the control did
	local family
	for family in 4 6; do
		[ "$(passed net0 $family 8998)" -gt 50 ] &&
			[ "$(passed net0 $family 8999)" -eq 0 ] &&
			[ "$(passed net0 $family 9)" -eq 0 ] || return
	done
}

comes() { # wg1, with a neighbour that takes all
	ip link add wg1 type veth peer name far1 netns pop
	ip -n pop link set far1 up
	ip link set wg1 up
	ip neigh replace 203.0.113.1 dev wg1 lladdr 02:00:00:00:00:01
	ip neigh replace 2001:db8:f::1 dev wg1 lladdr 02:00:00:00:00:01
}

restarts() { # N
	local i
	for ((i = 0; i < $1; i++)); do
		comes
		[ $((i % 4)) -ne 0 ] || udevadm settle
		[ $((i % 5)) -ne 0 ] || udevadm trigger --action=remove /sys/class/net/wg1
		[ $((i % 2)) -ne 0 ] || ip link set wg1 down
		ip link del wg1
	done
	udevadm settle
}
