# shellcheck shell=bash disable=SC2034,SC2094,SC2143 # what its users read; a file read twice; a pipe's whole answer
# SPDX-License-Identifier: MIT
#
# For the tests with other people's programs, on the booted private machine: the story's network with
# IPv4 as well, two tunnels of which a client is the host's end, and what is asked of them after each
# thing that can happen. Sourced by FILE.prepare in the boot before (which calls world_install), by
# "world", the service that makes the network at each boot, and by FILE.bats.
#
#     host ----- net0 ----- isp -------------- pop ------------- far
#     192.0.2.1             drops sources      ends both         203.0.113.1
#     2001::1               not of net0's      tunnels           2001:200::1
#
# Tunnel N has the addresses 10.10N.0.2/24 and 2a02:1N::2/64 here, and .1 and ::1 in pop.

# shellcheck source=tests/system/lib.bash
. "${BASH_SOURCE[0]%/*}/../system/lib.bash"
# shellcheck source=tests/system/packets.bash
. "${BASH_SOURCE[0]%/*}/../system/packets.bash"
# shellcheck source=tests/system/topology.sh
. "${BASH_SOURCE[0]%/*}/../system/topology.sh"

# the machine is made by FILE.prepare and "world"
setup_file() { :; }
setup() { :; }
far6=$far_ip6
packets=/run/packets # what "world" captures
[ ! -s $packets.pid ] || capture=$(<$packets.pid)
drop_ins=/etc/sixxs-route/conf.d

address4() { printf '10.10%d.0.2' "$1"; }
address6() { printf '2a02:1%d::2' "$1"; }
peer4() { printf '10.10%d.0.1' "$1"; }
peer6() { printf '2a02:1%d::1' "$1"; }

# ---- the machine ------------------------------------------------------------------------------

# world_install: for FILE.prepare. host_up=no: net0 is a manager's. The far ends are what /etc/far N starts, in pop.
world_install() {
	make -s -C "$repo" install ${ROOTFS:+BUILD=/var/tmp/build} >&2 || return
	udev_control --reload
	unit world.service <<-END
		[Unit]
		After=network-pre.target
		Before=network.target network-online.target
		[Service]
		Type=notify
		NotifyAccess=all
		Environment=HOST_UP=${host_up-}
		ExecStart=$repo/tests/clients/world
		[Install]
		WantedBy=multi-user.target
	END
	unit far@.service <<-END
		[Unit]
		After=world.service
		Requires=world.service
		StartLimitIntervalSec=0
		[Service]
		ExecStart=ip netns exec pop bash /etc/far %i
		Restart=always
		RestartSec=1
		[Install]
		WantedBy=multi-user.target
	END
	systemctl enable sixxs-route-boot.service world.service
}

# unit NAME <TEXT
unit() { mkdir -p /etc/systemd/system && cat >"/etc/systemd/system/$1" && systemctl daemon-reload; }

# unit_drop_in UNIT LINE...
unit_drop_in() {
	mkdir -p "/etc/systemd/system/$1.d" &&
		printf '%s\n' "${@:2}" >"/etc/systemd/system/$1.d/test.conf" &&
		systemctl daemon-reload
}

# The two tunnels' sections: the first names its addresses, and refuses what cannot leave by it; the
# second takes what the link has. sections LINK LINK [LINE...]: lines for both.
sections() {
	printf '%s\n' "[$1]" "source = $(address4 0), $(address6 0)" 'table = 300' \
		'when_gone = unreachable' 'connect_limit = 64/1' "${@:3}" | drop_in "$1"
	printf '%s\n' "[$2]" 'source = auto' 'table = 301' 'connect_limit = 64/1' "${@:3}" | drop_in "$2"
}

# enabled UNIT...: started now, as at each boot; and the far ends.
enabled() {
	systemctl enable far@0.service far@1.service "$@" &&
		systemctl start world.service &&
		systemctl start --no-block far@0.service far@1.service "$@"
}

# before_reboot: what FILE.prepare ends with: all works, and is written down for the next boot.
before_reboot() {
	ways_are_right && kernel | LC_ALL=C sort >/var/lib/kernel.before
}

# ---- what is asked ------------------------------------------------------------------------------

# links: the two tunnels' links; units: their clients' services; devices: those that make the links, if
# they are others. Set by each file.
links=() units=() devices=()

refused() { ! "$@"; }

well() { sixxs-route status "${links[@]}" >/tmp/status 2>&1; }

# Not one packet is sent from a tunnel's address before its rule is there.
ways_are_right() {
	local n
	udevadm settle --timeout=60
	wait_until 60 well || { cat /tmp/status >&2 && return 1; }
	for n in 0 1; do
		wait_until 30 in_far ping -4 -n -q -c 1 -W 1 "$(address4 $n)" >/dev/null &&
			wait_until 30 in_far ping -6 -n -q -c 1 -W 1 "$(address6 $n)" >/dev/null &&
			way $n || return
	done
}

# way N: pings and a TCP transfer, there and back in one connection, from the far host and to it.
way() {
	local family address far
	[ -e /tmp/data ] || head -c 300000 /dev/urandom >/tmp/data
	for family in 4 6; do
		address=$(address$family "$1") far=far$family far=${!far}
		ping -$family -n -q -c 1 -W 2 -I "$address" "$far" >/dev/null &&
			in_far ping -$family -n -q -c 1 -W 2 "$address" >/dev/null &&
			in_far socat -t 10 STDIO "TCP$family:$(literal "$address"):7" </tmp/data | cmp - /tmp/data &&
			socat -t 10 STDIO "TCP$family:$(literal "$far"):7,bind=$(literal "$address")" </tmp/data |
			cmp - /tmp/data || return
	done
}

literal() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf '%s' "$1" ;; esac }

# as_before: rules and routes of all tables are what they were before the reboot, of anybody's; nothing
# of ours is anywhere else.
as_before() {
	assert_same "$(cat /var/lib/kernel.before)" "$(kernel | LC_ALL=C sort)" &&
		jq -e '.strays == []' <<<"$(sixxs-route status --json "${links[@]}")" >/dev/null
}

# nothing_leaked: since this boot nothing has left by net0 from a tunnel's address, while the first
# tunnel's was sent from all the time, and what no section selects did leave from addresses like theirs.
nothing_leaked() {
	local family
	[ "$(leaked)" -eq "$(cat /tmp/forgiven 2>/dev/null || echo 0)" ] || leaks || return
	for family in 4 6; do
		[ "$(passed net0 $family "$(control_re $family)")" -gt 50 ] || return
		[ "$(passed "${links[0]}" $family "$(tunnels_re $family)")" -gt 50 ] || return
	done
}

tunnels_re() { [ "$1" = 4 ] && echo '10\.10.*' || echo '2a02:1[0-9]:.*'; }
control_re() { [ "$1" = 4 ] && echo '10\.99\..*' || echo '2a02:99:.*'; }

leaked() { echo $(($(passed net0 4 "$(tunnels_re 4)") + $(passed net0 6 "$(tunnels_re 6)"))); }

# What has leaked so far was to: it is not counted.
forgive() { leaked >/tmp/forgiven; }

leaks() {
	grep -m 5 -nE "^net0 +Out IP6? ($(tunnels_re 4)|$(tunnels_re 6)) > ($far4|$far6)[.:]" $packets >&2
	return 1
}

# all_right: after whatever has happened
all_right() { ways_are_right && as_before && nothing_leaked; }

# ---- what happens -------------------------------------------------------------------------------

main_pid() { systemctl show -P MainPID "$1"; }
other_pid() { [ "$(main_pid "$1")" -ne 0 ] && [ "$(main_pid "$1")" != "$2" ]; }

# The machine was booted anew since FILE.prepare, in which all was right.
rebooted() {
	[ "$BOOT" -eq 2 ] && [ -s /var/lib/kernel.before ] && all_right
}

# Without us the way is wrong: the ISP drops the answers, for their source.
control() {
	local before n
	systemctl start "${devices[@]}" "${units[@]}"
	sixxs-route apply "${links[@]}"
	ways_are_right || return
	systemctl stop sixxs-route.service
	sixxs-route remove "${links[@]}"
	before=$(isp_dropped)
	for n in 0 1; do
		! in_far ping -6 -n -q -c 1 -W 1 "$(address6 $n)" || return
		! in_far ping -4 -n -q -c 1 -W 1 "$(address4 $n)" || return
	done
	[ "$(isp_dropped)" -gt "$before" ] || return
	# now the flood has left by net0, as it would have if we did nothing: the capture sees that
	[ "$(passed net0 4 "$(tunnels_re 4)")" -gt 0 ] && [ "$(passed net0 6 "$(tunnels_re 6)")" -gt 0 ]
}

restarted() {
	local unit before
	for unit in "${units[@]}"; do
		before=$(systemctl show -P InvocationID "$unit")
		systemctl restart "$unit" && [ "$(systemctl show -P InvocationID "$unit")" != "$before" ] || return
	done
	all_right
}

killed() {
	local unit before
	for unit in "${units[@]}"; do
		before=$(main_pid "$unit")
		[ "$before" -ne 0 ] && systemctl kill -s KILL "$unit" && wait_until 20 other_pid "$unit" "$before" || return
	done
	all_right
}

table_empty() { ! ip -6 route show table "$1" proto 166 2>/dev/null | grep '^default dev'; }

links_flap() {
	local n
	for n in 0 1; do
		ip link set "${links[n]}" down && wait_until 10 table_empty "30$n" && ip link set "${links[n]}" up || return
	done
}

flapped() { links_flap && all_right; }

udevd_away() {
	local unit
	systemctl stop systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket
	! pgrep -x systemd-udevd || return
	for unit in "${units[@]}"; do
		systemctl restart "$unit" || return
	done
	sleep 1
	systemctl start systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
	all_right
}

# At their end nothing is left, but for the kill switch of the first.
ended() {
	local n
	systemctl stop "${units[@]}" "${devices[@]}"
	for n in 0 1; do
		wait_until 10 test ! -e "/sys/class/net/${links[n]}" || return
	done
	udevadm settle
	wait_until 10 well && nothing_leaked || return
	[ -z "$(kernel | grep ' proto 166' | grep -vE ' (lookup|table) 300 ')" ] || return
	sixxs-route remove "${links[@]}"
	[ -z "$(kernel | grep ' proto 166')" ] && [ -z "$(left_in /run/sixxs-route -type f)" ]
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || {
		cat /tmp/status
		ip -4 rule
		ip -6 rule
		journalctl -b -n 60 --no-pager
	} >&2
}
