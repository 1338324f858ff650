#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The Debian package on a machine with the real systemd and udevd: "tests/package/run". The tests
# go on from each other: the first finds what boot-package.prepare installed before a reboot.
#
#	far host (2001:200::1) ===== tunnel sixxs0 (2a02::1) ===== machine ----- net0 ----- ISP

# shellcheck source=../system/wait.bash
. "$BATS_TEST_DIRNAME/../system/wait.bash"

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 60 --no-pager >&2
}

refused() { ! "$@"; }
active() { systemctl -q is-active "$1"; }
pid() { systemctl show -P MainPID sixxs-route.service; }
ruled() { ip -6 -N rule | grep -q "from $1 lookup 20[01] proto 166"; }
routed() { ip -6 -N route show table 200 2>/dev/null | grep -q '^default dev sixxs0 proto 166'; }
ours() { { ip -N rule; ip -6 -N rule; ip -N route show table all; ip -6 -N route show table all; } | grep 'proto 166' || true; }
nothing_ours() { [ -z "$(ours)" ]; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status} ${Version}' sixxs-route)" = "installed $1" ]; }
version() { dpkg-deb -f /srv/first.deb Version; }

# A tunnel whose other end is the far host's.
tunnel() {
	ip link add sixxs0 type veth peer name tunnel0 netns far
	ip -n far address add 2001:200::1/64 dev tunnel0 nodad
	ip -n far link set tunnel0 up
	ip -n far route add 2a02::/64 dev tunnel0
	ip address add 2a02::1/64 dev sixxs0 nodad
	ip link set sixxs0 up
}

# what the ISP would have dropped, as its source is foreign
astray() {
	ip netns exec isp nft -j list counter ip6 isp astray | jq '.nftables[] | .counter.packets // empty'
}

setup_file() {
	# a link without a link-local address asks for no neighbour: it shall have one at once
	sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0
	ip netns add far
	ip netns add isp
	ip -n far link set lo up
	ip link add net0 type veth peer name isp0 netns isp
	ip -n isp address add 2001::1/64 dev isp0 nodad
	ip -n isp link set isp0 up
	ip address add 2001::2/64 dev net0 nodad
	ip link set net0 up
	ip -6 route add default via 2001::1 dev net0
	ip netns exec isp nft -f - <<-'END'
		table ip6 isp {
			counter astray { }
			chain in {
				type filter hook prerouting priority -300
				ip6 saddr 2a02::/16 counter name astray drop
			}
		}
	END
}

@test "a boot after the installation: the boot unit is enabled and ran, the watcher is there" {
	installed "$(version)"
	[ "$(systemctl is-enabled sixxs-route-boot.service)" = enabled ]
	[ "$(systemctl show -P Result sixxs-route-boot.service)" = success ]
	[ "$(systemctl show -P ExecMainStatus sixxs-route-boot.service)" = 0 ]
	[ "$(systemctl show -P ConditionResult sixxs-route-boot.service)" = yes ]
	[ ! -e /sys/class/net/sixxs0 ]
	active sixxs-route.service
	dpkg --verify sixxs-route
}

@test "a tunnel comes: it is reached by its address, through itself; without the rule it was not" {
	tunnel
	wait_until 10 routed
	ruled 2a02::1
	ip netns exec far ping -n -c 3 -i 0.1 2a02::1
	[ "$(astray)" -eq 0 ]
	# that the ISP would see what goes astray
	ip -6 rule del from 2001:db8::1 2>/dev/null || true
	ip -6 rule add from 2a02::1 lookup main priority 100
	run ip netns exec far ping -n -c 3 -i 0.1 -W 1 2a02::1
	[ "$status" -ne 0 ]
	[ "$(astray)" -gt 0 ]
	ip -6 rule del from 2a02::1 lookup main priority 100
	ip netns exec isp nft reset counters
}

@test "an upgrade over the running tunnel: of a packet every 10 ms none is lost or astray" {
	local before from to monitor
	before=$(pid)
	stdbuf -oL ip monitor rule route >/tmp/monitor 3>&- &
	monitor=$!
	ip netns exec far ping -n -q -c 1500 -i 0.01 2a02::1 >/tmp/in 3>&- &
	to=$!
	ping -n -q -c 1500 -i 0.01 -I 2a02::1 2001:200::1 >/tmp/out 3>&- &
	from=$!
	sleep 0.5
	dpkg -i /srv/next.deb >&2
	installed "$(version)+next"
	wait_until 10 active sixxs-route.service
	# they have seen all of it
	sleep 0.5
	kill -0 $to
	kill -0 $from
	wait $to
	wait $from
	kill $monitor
	cat /tmp/in /tmp/out /tmp/monitor >&2
	grep -q '^1500 packets transmitted, 1500 received, 0% packet loss' /tmp/in
	grep -q '^1500 packets transmitted, 1500 received, 0% packet loss' /tmp/out
	[ "$(astray)" -eq 0 ]
	# nor was anything of ours taken away and put back
	refused grep -E 'proto (sixxs|166)|lookup (sixxs0|200)|table (sixxs0|200)' /tmp/monitor
	[ "$(pid)" != "$before" ]
	[ "$(systemctl show -P NeedDaemonReload sixxs-route.service)" = no ]
}

@test "the new version serves it" {
	grep -q '# next' /lib/systemd/system/sixxs-route.service
	for _ in 1 2 3; do
		ip link set sixxs0 down
		wait_until 10 refused routed
		ip link set sixxs0 up
		wait_until 10 routed
	done
	ip address add 2a02::1/64 dev sixxs0 nodad # the kernel's part of "down"
}

@test "the same version again, and the one before it: as it was" {
	local before after
	before=$(ours)
	dpkg -i /srv/next.deb >&2
	after=$(ours)
	[ "$before" = "$after" ]
	dpkg -i /srv/first.deb >&2
	installed "$(version)"
	after=$(ours)
	[ "$before" = "$after" ]
	active sixxs-route.service
}

@test "its scripts in a chroot on this machine leave the machine's tunnel alone" {
	local dir before
	before=$(ours)
	[ -n "$before" ]
	mkdir -p /mnt/chroot
	mount -t tmpfs -o mode=755 tmpfs /mnt/chroot
	for dir in usr etc var proc sys dev run; do
		mkdir /mnt/chroot/$dir
		mount --rbind /$dir /mnt/chroot/$dir
		mount --make-rslave /mnt/chroot/$dir
	done
	for dir in bin sbin lib lib64; do
		[ ! -L /$dir ] || cp -a /$dir /mnt/chroot
	done
	[ "$(chroot /mnt/chroot ischroot && echo yes)" = yes ]
	# what is debhelper's in them speaks to systemd all the same: that is no part of this
	for dir in prerm:remove postrm:remove postinst:configure; do
		sed '/^# Automatically added/,/^# End automatically/d' "/var/lib/dpkg/info/sixxs-route.${dir%:*}" >/run/script
		grep -q is_host /run/script
		chroot /mnt/chroot sh /run/script "${dir#*:}"
		[ "$before" = "$(ours)" ]
	done
	[ -d /run/sixxs-route ]
	umount -R /mnt/chroot
}

@test "a removal takes rules, routes and the watcher away, and keeps what is the administrator's" {
	dpkg -r sixxs-route >&2
	nothing_ours
	refused active sixxs-route.service
	[ ! -e /usr/sbin/sixxs-route ]
	[ ! -e /lib/udev/rules.d/99-tunnel-sixxs.rules ]
	[ ! -e /run/udev/rules.d/99-tunnel-sixxs.rules ]
	[ "$(systemctl show -P LoadState sixxs-route.service)" = not-found ]
	[ -e /etc/sixxs-route/conf.d/sixxs0.conf ]
	[ "$(find /run/sixxs-route -name '*.record' -o -path '*/owners/*')" = "" ]
	[ ! -s /run/sixxs-route/rt_tables ]
	# the link is as it was, and events of links do nothing
	ip address show dev sixxs0 | grep 2a02::1
	ip tuntap add sixxs1 mode tun
	udevadm trigger --subsystem-match=net --settle
	ip link del sixxs1
	udevadm settle
	nothing_ours
	[ -z "$(systemctl --failed --quiet --no-legend)" ]
}

@test "installed again with the tunnel there, it serves it at once, and its removal later" {
	dpkg -i /srv/first.deb >&2
	ruled 2a02::1
	routed
	wait_until 10 active sixxs-route.service
	ip netns exec far ping -n -c 3 -i 0.1 2a02::1
	ip link del sixxs0
	udevadm settle
	nothing_ours
}

@test "an interface that a rules file of the administrator's names is known to udev as well" {
	# shellcheck disable=SC2016 # udev's
	echo 'SUBSYSTEM=="net", KERNEL=="vpn*", ENV{SIXXS_ROUTE}="$name"' >/etc/udev/rules.d/90-tunnels.rules
	printf '[vpn0]\nsource = 2a02::9\ntable = 201\n' >/etc/sixxs-route/conf.d/other.conf
	dpkg -r sixxs-route >&2
	ip tuntap add vpn0 mode tun
	udevadm settle
	dpkg -i /srv/first.deb >&2
	ruled 2a02::9
	udevadm info -q property /sys/class/net/vpn0 | grep -x SIXXS_ROUTE=vpn0
	systemctl stop sixxs-route.service
	ip link del vpn0
	udevadm settle
	refused ruled 2a02::9
	rm /etc/udev/rules.d/90-tunnels.rules /etc/sixxs-route/conf.d/other.conf
}

@test "a removal that is broken off: the tunnel is served again" {
	tunnel
	wait_until 10 routed
	# prerm has done its work, and then dpkg is told that it has failed
	echo 'exit 1' >>/var/lib/dpkg/info/sixxs-route.prerm
	run dpkg -r sixxs-route
	[ "$status" -ne 0 ]
	installed "$(version)"
	ruled 2a02::1
	routed
	[ ! -e /run/udev/rules.d/99-tunnel-sixxs.rules ]
	wait_until 10 active sixxs-route.service
	sed -i '$d' /var/lib/dpkg/info/sixxs-route.prerm
}

@test "a purge leaves nothing, of the drop-ins either" {
	dpkg -P sixxs-route >&2
	nothing_ours
	[ ! -e /etc/sixxs-route ]
	run dpkg-query -W sixxs-route
	[ "$status" -ne 0 ]
	ip link del sixxs0
	tests/package/files >/tmp/after
	diff /srv/before /tmp/after
}

@test "where there is neither a tunnel nor a drop-in nothing runs" {
	dpkg -i /srv/first.deb >&2
	[ "$(systemctl is-enabled sixxs-route-boot.service)" = enabled ]
	[ "$(systemctl show -P ConditionResult sixxs-route-boot.service)" = no ]
	refused active sixxs-route.service
	[ -z "$(systemctl --failed --quiet --no-legend)" ]
	dpkg -P sixxs-route >&2
	tests/package/files >/tmp/after
	diff /srv/before /tmp/after
}
