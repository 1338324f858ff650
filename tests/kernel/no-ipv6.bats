#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# kernel: ipv6.disable=1
#
# A kernel without IPv6: what a section has of IPv4 is done, and of the rest one sentence tells.

setup_file() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	local ns
	for ns in isp pop; do
		ip netns add $ns && ip -n $ns link set lo up && ip netns exec $ns sysctl -qw net.ipv4.ip_forward=1
	done
	# the host, an ISP that drops foreign sources, and the tunnel's end point with the far host in it
	ip link add net0 type veth peer name host netns isp
	ip -n isp link add pop type veth peer name isp netns pop
	ip link set net0 up
	ip address add $host_ip4/24 dev net0
	ip route add default via 192.0.2.2
	ip -n isp link set host up
	ip -n isp address add 192.0.2.2/24 dev host
	ip -n isp link set pop up
	ip -n isp address add 198.51.100.1/24 dev pop
	ip -n isp route add default via $pop_ip4
	ip -n pop link set isp up
	ip -n pop address add $pop_ip4/24 dev isp
	ip -n pop address add 203.0.113.1/32 dev lo
	ip -n pop route add default via 198.51.100.1
	ip netns exec isp nft -f - <<-END
		table ip filter {
			chain forward {
				type filter hook forward priority 0;
				iifname "host" ip saddr != 192.0.2.0/24 drop
			}
		}
	END
	modprobe ip_gre
	install_here
}

setup() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	log_restart
	baseline=$(ip -4 -N rule && ip -4 -N route show table all)
}

teardown() {
	local link
	rm -f "$dropins"/*.conf
	for link in sixxs0 sixxs1; do
		ip link del $link 2>/dev/null || true
	done
	ip -n pop link del tunnel0 2>/dev/null || true
	settle
	sixxs-route apply --all
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
}

gre() {
	ip -n pop tunnel add tunnel0 mode gre local "$pop_ip4" remote "$host_ip4" ttl 64
	ip -n pop link set tunnel0 up
	ip -n pop route add 10.9.0.1 dev tunnel0
	ip tunnel add sixxs0 mode gre local "$host_ip4" remote "$pop_ip4" ttl 64
	ip link set sixxs0 up
	ip address add 10.9.0.1/32 dev sixxs0
}

stands4() {
	rules4 | grep -qFx '16383: from 10.9.0.1 lookup sixxs0 proto sixxs' &&
		routes4 200 | grep -q '^default dev sixxs0 proto sixxs'
}

pings4() {
	in_pop ping -n -c 1 -W "$SLOW" -I 203.0.113.1 10.9.0.1 &&
		ping -n -c 1 -W "$SLOW" -I 10.9.0.1 203.0.113.1
}

said='sixxs0: IPv6 is switched off in this kernel \(ipv6.disable=1\): only what its section has of IPv4 is done$'

@test "it has none" {
	[ ! -e /proc/net/if_inet6 ]
	[ -z "$(ip -6 rule 2>/dev/null)" ]
}

@test "IPv4 alone: nothing is said" {
	printf '[sixxs0]\nsource = 10.9.0.1\ntable = 200\n' | drop_in sixxs0
	gre
	wait_until 10 stands4
	wait_until 60 systemctl --quiet is-active sixxs-route.service # udev starts it with the first tunnel
	pings4
	exits 0 sixxs-route status
	[ -z "$(sixxs-route check)" ]
	logged 0 'IPv6'
	untroubled
	ip link del sixxs0
	settle
	assert_same "$baseline" "$(ip -4 -N rule && ip -4 -N route show table all)"
}

@test "both families: IPv4 is done and ok, IPv6 is told once" {
	printf '[sixxs0]\nsource = 10.9.0.1, 2a02::1\ntable = 200\n' | drop_in sixxs0
	gre
	wait_until 10 stands4
	pings4
	ip link set sixxs0 down
	ip link set sixxs0 up
	ip address replace 10.9.0.1/32 dev sixxs0
	wait_until 10 stands4
	sleep 5
	# by the event; the watcher has looked again and again
	[ "$(log_lines | grep -c '^daemon\.\(err\|warn\)')" -eq 1 ]
	logged 1 "^daemon.warn $said"

	exits 0 sixxs-route status sixxs0 >/tmp/out
	grep -E 'from +10\.9\.0\.1 .* ok$' /tmp/out
	grep -E 'no IPv6$' /tmp/out
	sixxs-route status --json | jq -e '.state == "ok" and .tunnels[0].state == "no IPv6"'
	exits 0 sixxs-route check >/tmp/out
	grep -E "^$dropins/sixxs0.conf:1: warning: .*IPv6 is switched off in this kernel" /tmp/out
	exits 0 sixxs-route apply sixxs0 2>/tmp/out
	[ "$(grep -cE "$said" /tmp/out)" -eq 1 ]
	exits 0 sixxs-route apply --all
	exits 0 sixxs-route remove sixxs0
	assert_same "$baseline" "$(ip -4 -N rule && ip -4 -N route show table all | grep -v sixxs0)"
}

@test "IPv6 alone: nothing is done, and nothing is wrong" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	gre
	settle
	sleep 5
	[ "$(log_lines | grep -c '^daemon\.\(err\|warn\)')" -eq 1 ]
	logged 1 "^daemon.warn $said"
	exits 0 sixxs-route status sixxs0
	exits 0 sixxs-route apply sixxs0
	ip link del sixxs0
	settle
	assert_same "$baseline" "$(ip -4 -N rule && ip -4 -N route show table all)"
}
