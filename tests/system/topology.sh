# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The story's network, to be sourced after lib.bash inside tests/system/machine:
#
#     host ----- net0 ----- isp ------------- pop ------------- far
#     2001::1               2001::2           ends both         2001:200::1
#     2a02::1 = sixxs0      drops sources     tunnels
#     2a02::2 = sixxs1      not in 2001::/64
#
# host is the machine itself, the others are network namespaces of these names. The tunnels are
# UDP over IPv4 between host and pop, made by socat: a client in user space, as aiccu was.

host_ip4=192.0.2.1
pop_ip4=198.51.100.2
far_ip6=2001:200::1

# Seconds from a tunnel's interface being made to its coming up: the client's look-ups and log-in.
client_delay=${client_delay:-0.3}

declare -gA client_pid

topology_up() {
	local ns
	# An address must be there at once, not after a second of duplicate detection.
	sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0
	for ns in isp pop far; do
		ip netns add $ns &&
			ip netns exec $ns sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0 &&
			ip -n $ns link set lo up || return
	done
	for ns in isp pop; do
		ip netns exec $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 || return
	done

	ip link add net0 type veth peer name host netns isp &&
		ip -n isp link add pop type veth peer name isp netns pop &&
		ip -n pop link add far type veth peer name pop netns far || return

	address isp host 192.0.2.2/24 2001::2/64 &&
		address isp pop 198.51.100.1/24 2001:100::1/64 &&
		address pop isp $pop_ip4/24 2001:100::2/64 &&
		address pop far 2001:200::2/64 &&
		address far pop $far_ip6/64 || return

	ip -n isp route add default via 2001:100::2 &&
		ip -n pop route add default via 198.51.100.1 &&
		ip -n pop route add default via 2001:100::1 &&
		ip -n far route add default via 2001:200::2 || return

	ip netns exec isp nft -f - <<-END
		table ip6 filter {
			counter dropped { }
			chain forward {
				type filter hook forward priority 0;
				iifname "host" ip6 saddr != 2001::/64 counter name dropped drop
			}
		}
	END
	host_up && ends_open && settle
}

# The host's side of its uplink, and the far ends of the tunnels: a test may have others.
host_up() {
	address "" net0 $host_ip4/24 2001::1/64 &&
		ip route add default via 192.0.2.2 &&
		ip route add default via 2001::2
}

ends_open() { pop_open 0 && pop_open 1; }

# address NETNS LINK ADDRESS...: gives them and brings the link up.
address() {
	local in=(${1:+-n "$1"}) link=$2
	shift 2
	ip "${in[@]}" link set dev "$link" up || return
	while [ $# -gt 0 ]; do
		ip "${in[@]}" address add "$1" dev "$link" || return
		shift
	done
}

in_isp() { ip netns exec isp "$@"; }
in_pop() { ip netns exec pop "$@"; }
in_far() { ip netns exec far "$@"; }

# How many packets the ISP has dropped for their source.
isp_dropped() { in_isp nft -j list counter ip6 filter dropped | jq '.nftables[] | .counter // empty | .packets'; }

tunnel_address() { printf '2a02::%d' $(($1 + 1)); }

# socat's two ends of a tunnel. Neither connects, so that each side may come and go alone. It reads a new
# link's flags and writes them back: who brings the link up in between brings it up in vain.
udp_end() { printf 'UDP4-DATAGRAM:%s:%d,bind=%s:%d' "$2" $((5072 + $3)) "$1" $((5072 + $3)); }
tun_end() { printf 'TUN,tun-name=%s,tun-type=tun,no-pi' "$1"; }

# pop_open N: the far end of tunnel N, open for as long as the machine runs.
pop_open() {
	in_pop socat "$(udp_end $pop_ip4 $host_ip4 "$1")" "$(tun_end "tunnel$1"),iff-up" >/dev/null 3>&- &
	wait_until 10 in_pop test -e "/sys/class/net/tunnel$1" &&
		address pop "tunnel$1" &&
		ip -n pop route add "$(tunnel_address "$1")" dev "tunnel$1"
}

# client_start N: starts the client of tunnel N and does what aiccu does, in its order. The
# interface is made while down, and udev is at work on it when it comes up: after socat has set its
# flags, to what they were when it read them.
client_start() {
	local name=sixxs$1
	: >"/tmp/client.$name"
	socat -d -d "$(udp_end $host_ip4 $pop_ip4 "$1")" "$(tun_end "$name")" >/dev/null 2>"/tmp/client.$name" 3>&- &
	client_pid[$1]=$!
	wait_until 10 grep -q 'starting data transfer loop' "/tmp/client.$name" &&
		sleep "$client_delay" &&
		ip link set dev "$name" up mtu 1280 &&
		ip address add "$(tunnel_address "$1")/128" dev "$name"
}

# client_stop N: returns when the interface is gone.
client_stop() {
	local name=sixxs$1
	ip link set dev "$name" down
	kill "${client_pid[$1]}"
	wait "${client_pid[$1]}" 2>/dev/null || true
	unset "client_pid[$1]"
	wait_until 10 test ! -e "/sys/class/net/$name"
}

# clients_up: sections for both, both clients, and what is due; clients_down: neither any more.
# shellcheck disable=SC2154 # lib.bash sets it
clients_up() {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
	client_start 0 2>/tmp/topology
	client_start 1 2>/tmp/topology
	settle
	"$handler" apply --all
}

clients_down() {
	local n
	for n in "${!client_pid[@]}"; do
		client_stop "$n"
	done
}

# The far ends no longer run.
ends_close() {
	local pid
	for pid in $(ip netns pids pop); do
		kill "$pid"
	done
}

client_restart() { client_stop "$1" && client_start "$1"; }

# One packet there and back, within a second.
far_pings() { in_far ping -n -c 1 -W "${SLOW:-1}" "$1"; }
host_pings_from() { ping -n -c 1 -W "${SLOW:-1}" -I "$1" $far_ip6; }
