#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A tunnel comes, its routes come; it goes, they go: every event that udev can bring.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	story
	begin
}

teardown() {
	[ ! -e /run/netns/elsewhere ] || ip netns del elsewhere
	finish
}

# The story's drop-ins.
story() {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
}

comes() { tunnel_add "$1" && tunnel_up "$1" && settle; }

goes() { tunnel_del "$1" && settle; }

clean() { assert_same "$baseline" "$(snapshot)"; }

rule_of() { echo "16383: from 2a02::$((${1#sixxs} + 1)) lookup $1 proto sixxs"; }

# stands IFACE: rule and route as the story has them, and the route is on this very link.
stands() {
	rules | has "$(rule_of "$1")" &&
		assert_same "default dev $1 proto sixxs metric 2048 pref medium" "$(routes "$1")" &&
		grep -q " dev $(ifindex "$1") " "/run/sixxs-route/$1.record"
}

# only IFACE...: these stand, and there is no other rule of ours.
only() {
	local iface
	for iface; do
		stands "$iface" || return
	done
	assert_same $# "$(rules | grep -c 'proto sixxs$')"
}

unchanged() {
	local before
	before=$(snapshot)
	"$@" && settle && assert_same "$before" "$(snapshot)"
}

uplink_stands() {
	assert_same "default via 2001::2 dev net0 metric 1024 pref medium" \
		"$(routes main | grep ^default)" &&
		assert_same "default via 192.0.2.2 dev net0" "$(routes4 main | grep ^default)"
}

# All devices that have events here: the rest of /sys is read-only, at which udevadm stops.
trigger() { udevadm trigger --subsystem-match=net "$@"; }

udevd_is_away() { ! pgrep -x systemd-udevd >/dev/null; }

# ---- coming and going ---------------------------------------------------------------------

# up_after SECONDS
up_after() {
	tunnel_add sixxs0
	sleep "$1"
	tunnel_up sixxs0
	settle
	assert_same "$(printf '%s\n' '0: from all lookup local' \
		'16383: from 2a02::1 lookup sixxs0 proto sixxs' '32766: from all lookup main')" "$(rules)"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
	uplink_stands
	goes sixxs0
	clean
}

@test "comes up at once" { up_after 0; }
@test "comes up after 50 ms" { up_after 0.05; }
@test "comes up after 500 ms" { up_after 0.5; }
@test "comes up after 3000 ms" { up_after 3; }

ruled() { rules | has "$(rule_of sixxs0)" 2>/dev/null; }

@test "the rule is there before the link is up" {
	tunnel_add sixxs0
	wait_until 10 ruled
	assert_same "" "$(ip -6 route show table sixxs0 2>&1)"
	tunnel_up sixxs0
	settle
	only sixxs0
}

@test "both tunnels of the story, one leaves" {
	comes sixxs0
	one=$(snapshot)
	comes sixxs1
	only sixxs0 sixxs1
	uplink_stands
	goes sixxs1
	assert_same "$one" "$(snapshot)"
	goes sixxs0
	clean
}

@test "gone before the event was handled" {
	udev_holds
	tunnel_add sixxs0
	tunnel_del sixxs0
	udev_goes_on
	settle
	clean
	untroubled
}

@test "down: the kernel takes the route; a replay brings it back" {
	comes sixxs0
	tunnel_down sixxs0
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nwait = 0\n' | drop_in sixxs0
	replay sixxs0
	assert_same "" "$(routes sixxs0)"
	tunnel_up sixxs0
	replay sixxs0
	only sixxs0
}

# ---- restarts -----------------------------------------------------------------------------

restart() { ip -batch - <<<$'link del dev sixxs0\ntuntap add dev sixxs0 mode tun\nlink set dev sixxs0 up'; }

@test "a client restarts a hundred times, looked at each time" {
	comes sixxs0
	for ((i = 0; i < 100; i++)); do
		restart
		settle
		only sixxs0
	done
	goes sixxs0
	clean
	untroubled
}

@test "a client restarts a hundred times in a row" {
	comes sixxs0
	for ((i = 0; i < 100; i++)); do
		restart
	done
	settle
	only sixxs0
	goes sixxs0
	clean
	untroubled
}

@test "two clients restart at the same time" {
	comes sixxs0
	comes sixxs1
	for ((i = 0; i < 30; i++)); do
		restart 3>&- &
		ip -batch - <<<$'link del dev sixxs1\ntuntap add dev sixxs1 mode tun\nlink set dev sixxs1 up'
		wait $!
	done
	settle
	only sixxs0 sixxs1
	untroubled
}

@test "a late remove does not tear the new link down" {
	comes sixxs0
	old=$(ifindex sixxs0)
	goes sixxs0
	comes sixxs0
	unchanged exits 0 event remove sixxs0 "$old"
	unchanged exits 0 event remove sixxs0 "$old" SIXXS_ROUTE=sixxs0
	only sixxs0
}

@test "a late remove that finds the new link down leaves its rule" {
	comes sixxs0
	old=$(ifindex sixxs0)
	restart
	settle
	tunnel_down sixxs0
	exits 0 event remove sixxs0 "$old"
	rules | has "$(rule_of sixxs0)"
}

@test "a late add, change or move about an older link is no harm" {
	comes sixxs0
	old=$(ifindex sixxs0)
	restart
	settle
	for action in add change online move; do
		unchanged exits 0 event $action sixxs0 "$old"
	done
	only sixxs0
}

@test "a remove without an ifindex leaves a live link alone" {
	comes sixxs0
	unchanged exits 0 event remove sixxs0 ""
	only sixxs0
}

# ---- the same event again -----------------------------------------------------------------

@test "trigger without an action changes nothing" {
	comes sixxs0
	unchanged trigger
	only sixxs0
}

@test "trigger --action=add changes nothing" {
	comes sixxs0
	unchanged trigger --action=add
	only sixxs0
}

@test "a boot's second add changes nothing" {
	comes sixxs0
	unchanged trigger --type=devices --action=add
	unchanged trigger --type=all --action=add
	only sixxs0
}

@test "an add for a tunnel that was there before the rules file" {
	handler_off
	comes sixxs0
	clean
	handler_on
	trigger --action=add
	settle
	only sixxs0
}

@test "trigger --action=remove undoes a live tunnel, and the next add redoes it" {
	comes sixxs0
	before=$(kernel)
	udevadm trigger --action=remove /sys/class/net/sixxs0
	settle
	clean
	unchanged udevadm trigger --action=remove /sys/class/net/sixxs0
	udevadm trigger --action=add /sys/class/net/sixxs0
	settle
	assert_same "$before" "$(kernel)"
	only sixxs0
	goes sixxs0
	clean
}

@test "each event twice" {
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	index=$(ifindex sixxs0)
	only sixxs0
	for action in add add change change online online bind bind; do
		unchanged exits 0 event $action sixxs0 "$index"
	done
	tunnel_rename sixxs0 sixxs1 up
	settle
	only sixxs1
	for _ in 1 2; do
		unchanged exits 0 event move sixxs1 "$index" \
			DEVPATH_OLD=/devices/virtual/net/sixxs0 SIXXS_ROUTE=sixxs1
	done
	goes sixxs1
	clean
	for _ in 1 2; do
		exits 0 event remove sixxs1 "$index" SIXXS_ROUTE=sixxs1
		clean
	done
}

@test "the same event ten times at once" {
	comes sixxs0
	index=$(ifindex sixxs0) pids=()
	udevadm trigger --action=remove /sys/class/net/sixxs0
	settle
	for ((i = 0; i < 10; i++)); do
		event add sixxs0 "$index" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	only sixxs0
	assert_same 1 "$(rules | grep -cF 'from 2a02::1 ')"
}

# ---- renames ------------------------------------------------------------------------------

@test "renamed into a tunnel's name" {
	tunnel_add plain0
	settle
	clean
	ip link set dev plain0 name sixxs0
	tunnel_up sixxs0
	settle
	only sixxs0
	goes sixxs0
	clean
}

@test "renamed out of a tunnel's name, and removed" {
	comes sixxs0
	tunnel_rename sixxs0 plain0 down
	settle
	clean
	ip link set dev plain0 up
	settle
	clean
	goes plain0
	clean
}

@test "renamed while up" {
	comes sixxs0
	tunnel_rename sixxs0 plain0
	settle
	clean
	tunnel_rename plain0 sixxs1
	settle
	only sixxs1
	tunnel_rename sixxs1 sixxs0
	settle
	only sixxs0
}

@test "renamed out and back" {
	comes sixxs0
	tunnel_rename sixxs0 plain0 down
	tunnel_rename plain0 sixxs0 up
	settle
	only sixxs0
}

@test "renamed from one tunnel's name to another's" {
	comes sixxs0
	tunnel_rename sixxs0 sixxs1 up
	settle
	only sixxs1
	goes sixxs1
	clean
}

# swap [COMMAND]: the names of sixxs0 and sixxs1, through a third; COMMAND after each step.
swap() {
	tunnel_rename sixxs0 third0 down && ${1:-true} &&
		tunnel_rename sixxs1 sixxs0 down && ${1:-true} &&
		ip link set dev third0 name sixxs1 && ${1:-true} &&
		tunnel_up sixxs0 && tunnel_up sixxs1 && settle
}

@test "two tunnels swap their names, step by step" {
	printf 'wait = 0\n' | tee -a /etc/sixxs-route/conf.d/sixxs{0,1}.conf >/dev/null
	comes sixxs0
	comes sixxs1
	replay sixxs0 sixxs1
	first=$(ifindex sixxs0)
	swap settle
	replay sixxs0 sixxs1
	only sixxs0 sixxs1
	assert_same "$first" "$(ifindex sixxs1)"
	goes sixxs0
	only sixxs1
	goes sixxs1
	clean
}

@test "two tunnels swap their names at once" {
	comes sixxs0
	comes sixxs1
	swap
	only sixxs0 sixxs1
	goes sixxs1
	only sixxs0
	goes sixxs0
	clean
}

@test "renamed into a name that is refused" {
	comes sixxs0
	tunnel_rename sixxs0 'sixxs!0' down
	settle
	clean
	ip link del dev 'sixxs!0'
	settle
	clean
}

@test "renamed through several names, and removed" {
	comes sixxs0
	tunnel_rename sixxs0 plain0 down
	ip link set dev plain0 name plain1
	ip link set dev plain1 name plain2
	settle
	clean
	goes plain2
	clean
}

# The last name's own run is lost; the removal must know by itself what to undo.
@test "renamed while the program cannot run, and removed" {
	comes sixxs0
	mv $handler $handler.away
	tunnel_rename sixxs0 plain0 down
	settle
	ip link set dev plain0 name plain1
	settle
	mv $handler.away $handler
	rules | has "$(rule_of sixxs0)"
	goes plain1
	clean
}

@test "renamed and removed while udev holds its queue" {
	comes sixxs0
	udev_holds
	tunnel_rename sixxs0 plain0 down
	ip link set dev plain0 name plain1
	tunnel_del plain1
	udev_goes_on
	settle
	clean
}

@test "renamed while udev holds its queue, and the name is taken again" {
	comes sixxs0
	udev_holds
	tunnel_rename sixxs0 sixxs1 up
	tunnel_add sixxs0
	tunnel_up sixxs0
	udev_goes_on
	settle
	only sixxs0 sixxs1
}

@test "renamed while udev is not running, and removed after it" {
	comes sixxs0
	udev_control --exit
	wait_until 10 udevd_is_away
	tunnel_rename sixxs0 plain0 down
	udevd_starts
	goes plain0
	clean
}

@test "renamed and removed while the rule was absent: apply --all" {
	comes sixxs0
	handler_off
	tunnel_rename sixxs0 plain0 down
	settle
	goes plain0
	handler_on
	rules | has "$(rule_of sixxs0)"
	exits 0 $handler apply --all
	clean
}

# ---- another network namespace ------------------------------------------------------------

@test "moved to another network namespace, and back" {
	ip netns add elsewhere
	comes sixxs0
	ip link set dev sixxs0 netns elsewhere
	settle
	clean
	ip -n elsewhere link set dev sixxs0 netns 1
	tunnel_up sixxs0
	settle
	only sixxs0
}

# ---- no section ---------------------------------------------------------------------------

@test "no section: nothing, and no line in the log" {
	log_restart
	tunnel_add sixxs9
	settle
	clean
	assert_same "" "$(log_lines)"
	log_restart
	tunnel_up sixxs9
	exits 0 event add sixxs9 "$(ifindex sixxs9)"
	clean
	assert_same "" "$(log_lines)"
}

@test "no conf.d: as no section" {
	rm -r /etc/sixxs-route/conf.d
	log_restart
	comes sixxs0
	clean
	assert_same "" "$(log_lines)"
}

@test "interfaces of other names cost no run at all, but when they are renamed" {
	log_restart
	comes plain0
	udevadm trigger /sys/class/net/plain0
	goes plain0
	assert_same "" "$(log_lines)"
	comes plain0
	tunnel_rename plain0 plain1 down
	settle
	goes plain1
	clean
	untroubled
	logged 0 '^daemon.info'
	tunnel_add plain0
	ip link set dev plain0 name "pla'in!"
	settle
	ip link del dev "pla'in!"
	settle
	untroubled
}

# ---- served by a drop-in's name -----------------------------------------------------------

# own IFACE: its drop-in, in a file of its name, and what is then there.
own() { printf '[%s]\nsource = 2a02::7\ntable = 207\nname = none\n' "$1" | drop_in "$1"; }
own_stands() {
	rules | has '16383: from 2a02::7 lookup 207 proto sixxs' &&
		grep -q "^default dev $1 proto sixxs " <<<"$(routes 207)"
}

@test "conf.d/IFNAME.conf is all it takes: any valid name" {
	for iface in wg0 Wg-0_a eth9.100 6in4.a_b-c a123456789bcdeF; do
		own "$iface"
		comes "$iface"
		own_stands "$iface"
		unchanged trigger --action=add
		goes "$iface"
		clean
		rm "/etc/sixxs-route/conf.d/$iface.conf"
	done
	untroubled
}

@test "a drop-in that comes later than the interface: apply, or a replay" {
	comes wg0
	clean
	own wg0
	exits 0 $handler apply wg0
	own_stands wg0
	goes wg0
	clean
	rm /etc/sixxs-route/conf.d/wg0.conf
	comes wg0
	own wg0
	replay wg0
	own_stands wg0
	goes wg0
	clean
	untroubled
}

# wg0's drop-in comes later than it, is applied, and is gone again.
served_later() {
	comes wg0
	own wg0
	exits 0 $handler apply wg0
	rm /etc/sixxs-route/conf.d/wg0.conf
}

@test "a drop-in that came later, and is gone again before the removal" {
	served_later
	own_stands wg0
	goes wg0
	clean
}

@test "a drop-in that came later, and is gone again before a replay" {
	served_later
	own_stands wg0
	replay wg0
	clean
	goes wg0
	clean
}

@test "a drop-in that came later, and is gone again before a rename" {
	served_later
	tunnel_rename wg0 plain0 down
	settle
	clean
	goes plain0
	clean
}

@test "a drop-in that was there at first, and is gone before a replay, a rename, the removal" {
	own wg0
	comes wg0
	rm /etc/sixxs-route/conf.d/wg0.conf
	replay wg0
	clean
	own wg0
	replay wg0
	own_stands wg0
	rm /etc/sixxs-route/conf.d/wg0.conf
	tunnel_rename wg0 plain0 down
	settle
	clean
	ip link set dev plain0 name wg0
	own wg0
	tunnel_up wg0
	replay wg0
	own_stands wg0
	rm /etc/sixxs-route/conf.d/wg0.conf
	goes wg0
	clean
}

@test "renames to and from names that are served by a drop-in's" {
	own wg0
	printf '[Wg.1]\nsource = 2a02::8\ntable = 208\n' | drop_in Wg.1
	comes plain0
	clean
	tunnel_rename plain0 wg0 up
	settle
	own_stands wg0
	tunnel_rename wg0 Wg.1 up
	settle
	assert_same '16383: from 2a02::8 lookup Wg.1 proto sixxs' "$(rules | grep sixxs)"
	tunnel_rename Wg.1 sixxs0 up
	settle
	only sixxs0
	tunnel_rename sixxs0 wg0 up
	settle
	own_stands wg0
	tunnel_rename wg0 plain0 up
	settle
	clean
	goes plain0
	clean
	untroubled
}

@test "a folder that SYSCONFDIR sets" {
	local elsewhere=(BUILD=/tmp/build SYSCONFDIR=/opt/etc SBINDIR=/opt/sbin RUNDIR=/run/elsewhere IPROUTE2DIR=/opt/iproute2)
	make --silent -j2 --directory="$repo" "${elsewhere[@]}" install >&2
	udev_control --reload
	printf '[wg0]\nsource = 2a02::7\ntable = 207\nname = none\n' >/opt/etc/sixxs-route/conf.d/wg0.conf
	comes wg0
	rules | has '16383: from 2a02::7 lookup 207 proto sixxs'
	rm /opt/etc/sixxs-route/conf.d/wg0.conf
	comes plain0
	printf '[plain0]\nsource = 2a02::8\ntable = 208\nname = none\n' >/opt/etc/sixxs-route/conf.d/plain0.conf
	/opt/sbin/sixxs-route apply plain0
	rules | has '16383: from 2a02::8 lookup 208 proto sixxs'
	rm /opt/etc/sixxs-route/conf.d/plain0.conf
	goes wg0
	goes plain0
	clean
	own wg0
	comes wg0
	clean
	goes wg0
	install_handler
	rm -r /opt
}

@test "another name, by a line in the administrator's rules" {
	cat >/etc/udev/rules.d/90-tunnels.rules <<-'END'
		SUBSYSTEM=="net", KERNEL=="wg*|he-*", ENV{SIXXS_ROUTE}="$name"
	END
	udev_control --reload
	printf '[he-ipv6]\nsource = 2a02::1\ntable = 200\nname = he6\n' | drop_in any
	comes he-ipv6
	rules | has '16383: from 2a02::1 lookup he6 proto sixxs'
	assert_same 'default dev he-ipv6 proto sixxs metric 2048 pref medium' "$(routes he6)"
	tunnel_rename he-ipv6 plain0 down
	settle
	clean
	goes plain0
	rm /etc/udev/rules.d/90-tunnels.rules
	udev_control --reload
}

@test "two links with one address, and source = auto for both: who came second is told" {
	local n
	for n in 0 1; do
		printf '[sixxs%d]\nsource = auto\ntable = 20%d\n' $n $n | drop_in sixxs$n
		tunnel_add sixxs$n
		ip address add 2a02:7::7/128 dev sixxs$n
		tunnel_up sixxs$n
		settle
		exits 0 $handler apply sixxs$n
	done
	told '^daemon.warn sixxs1: its packets leave by another link: rule 16383: from 2a02:7::7 lookup 200 is another tunnel.s, with the same source, and came first: list in source'
	exits 1 $handler status sixxs1 | grep astray
	# a primary and a backup are meant so
	log_restart
	echo 'priority = 16390' >>/etc/sixxs-route/conf.d/sixxs1.conf
	exits 0 $handler apply sixxs1
	logged 0 'leave by another link'
}
