# shellcheck shell=bash disable=SC2034,SC2086,SC2154 # the sourced files' variables; words
# SPDX-License-Identifier: MIT
#
# For the tests in the virtual machine itself: its own systemd, udevd and journald, its first network
# namespace. The network is that of tests/system/topology.sh; the two tunnels are the kernel's own, each
# with an end point of its own at the provider: client_start KIND N and so on.

# shellcheck source=tests/system/lib.bash
. "${BASH_SOURCE[0]%/*}/../system/lib.bash"
# shellcheck source=tests/system/topology.sh
. "$repo/tests/system/topology.sh"

cursor=/tmp/journal.cursor
dropins=/etc/sixxs-route/conf.d

# For setup_file: what an administrator does.
install_here() {
	make --silent --directory="$repo" install >&2 &&
		systemctl daemon-reload && udev_control --reload
}

# sixxs-route's lines since log_restart, without time and host: "daemon.info TEXT".
log_restart() { journalctl --sync && journalctl -n 1 -o json | jq -r .__CURSOR >$cursor; }
log_lines() {
	journalctl --sync
	# not by -t: of what it takes, systemd 252 then leaves out the first
	journalctl --after-cursor "$(cat $cursor)" -o json |
		jq -r 'select(.SYSLOG_IDENTIFIER == "sixxs-route") | "daemon." + (["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"][.PRIORITY | tonumber]) + " " + .MESSAGE'
}

# ---- the tunnels ----------------------------------------------------------------------------

pop_open() { :; }

far_end() { printf '198.51.100.%d' $((2 + $1)); }
far_end6() { printf '2001:100::%d' $((2 + $1)); }
far_in() { printf '2a02:ff::%d/64' $(($1 + 1)); }

# For setup_file, once the network is there.
far_ends_up() {
	ip -n pop address add "$(far_end 1)/24" dev isp &&
		ip -n pop address add "$(far_end6 1)/64" dev isp
}

# kind_link NAMESPACE LINK N HERE THERE HERE6 THERE6: makes one end of a tunnel of that kind, down and
# without an address.
sit_link() { ip ${1:+-n $1} tunnel add "$2" mode sit local "$4" remote "$5" ttl 64; }
gre_link() { ip ${1:+-n $1} tunnel add "$2" mode gre local "$4" remote "$5" ttl 64; }
ip6gre_link() { ip ${1:+-n $1} -6 tunnel add "$2" mode ip6gre local "$6" remote "$7"; }
wireguard_link() {
	ip ${1:+-n $1} link add "$2" type wireguard &&
		wireguard_text "$3" "$5" "${1:-host}" | ${1:+ip netns exec $1} wg setconf "$2" /dev/stdin
}

# wireguard_text N THERE SIDE: what "wg setconf" takes. The keys are made where they are asked for. With
# keepalives a client that has restarted tells the other end, which has the keys of before.
wireguard_text() {
	local other=pop side
	[ "$3" = host ] || other=host
	for side in host pop; do
		[ -e "/tmp/$side$1.key" ] || (umask 077 && wg genkey >"/tmp/$side$1.key")
	done
	printf '[Interface]\nPrivateKey = %s\nListenPort = %d\n[Peer]\nPublicKey = %s\nEndpoint = %s:%d\nAllowedIPs = ::/0, 0.0.0.0/0\nPersistentKeepalive = 1\n' \
		"$(cat "/tmp/$3$1.key")" $((51820 + $1)) "$(wg pubkey <"/tmp/$other$1.key")" "$2" $((51820 + $1))
}

far_start() { # KIND N
	"$1_link" pop "tunnel$2" "$2" "$(far_end "$2")" $host_ip4 "$(far_end6 "$2")" 2001::1 &&
		ip -n pop link set dev "tunnel$2" up mtu 1280 &&
		ip -n pop route add "$(tunnel_address "$2")" dev "tunnel$2"
}

far_stop() { ip -n pop link del dev "tunnel$1"; }

# client_start KIND N: tunnel 0's way is up first, tunnel 1's address first.
client_start() {
	local name=sixxs$2
	if [ "$1" = wgquick ]; then
		wg-quick up "$name" 2>&1
		return
	fi
	"$1_link" "" "$name" "$2" $host_ip4 "$(far_end "$2")" 2001::1 "$(far_end6 "$2")" || return
	[ "$2" -eq 1 ] || ip link set dev "$name" up mtu 1280 || return
	sleep 0.3
	ip address add "$(tunnel_address "$2")/128" dev "$name" || return
	[ "$2" -eq 0 ] || ip link set dev "$name" up mtu 1280
}

client_stop() { # KIND N
	case $1 in
	wgquick) wg-quick down "sixxs$2" 2>&1 ;;
	*) ip link del dev "sixxs$2" ;;
	esac
}

# wg-quick's own file.
wgquick_link() {
	[ -n "$1" ] && wireguard_link "$@"
}

wgquick_file() { # N
	{
		printf '[Interface]\nAddress = %s/128\nMTU = 1280\nTable = off\n' "$(tunnel_address "$1")"
		wireguard_text "$1" "$(far_end "$1")" host | sed 1d
	} | (umask 077 && cat >"/etc/wireguard/sixxs$1.conf")
}

# One packet, a second time where the first one waited for keys or neighbours.
reaches() { "$@" || "$@"; }

pings_both_ways() { # N...
	local n
	for n; do
		reaches far_pings "$(tunnel_address "$n")" && reaches host_pings_from "$(tunnel_address "$n")" || return
	done
}

# echoes_start, echoes_stop: for setup_file and teardown_file: here and in far a program that sends back what it is sent.
echoes_start() {
	head -c 100000 /dev/urandom >/tmp/data
	socat TCP6-LISTEN:7,fork,reuseaddr EXEC:cat >/dev/null 2>&1 3>&- &
	echo $! >/tmp/echoes
	ip netns exec far socat TCP6-LISTEN:7,fork,reuseaddr EXEC:cat >/dev/null 2>&1 3>&- &
	echo $! >>/tmp/echoes
}

echoes_stop() { xargs kill </tmp/echoes; }

# carry N...: pings, and a TCP transfer there and back in one connection, from the far host and to it.
carry() {
	local n address wait=$((10 * SLOW))
	pings_both_ways "$@" || return
	for n; do
		address=$(tunnel_address "$n")
		in_far socat -t $wait STDIO "TCP6:[$address]:7" </tmp/data | cmp - /tmp/data &&
			socat -t $wait STDIO "TCP6:[$far_ip6]:7,bind=[$address]" </tmp/data | cmp - /tmp/data || return
	done
}

pings_none() { # N
	! far_pings "$(tunnel_address "$1")" && ! host_pings_from "$(tunnel_address "$1")"
}

# All that is wanted of these is there.
stand() { # N...
	local n
	for n; do
		rules | grep -qFx "16383: from $(tunnel_address "$n") lookup sixxs$n proto sixxs" &&
			routes $((200 + n)) | grep -q "^default dev sixxs$n proto sixxs metric 2048" || return
	done
}

drop_ins() {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = auto\ntable = 201\ncarrier = needed\n' | drop_in sixxs1
}

# What a test has left if it failed.
put_away() {
	local link
	rm -f $dropins/*.conf
	for link in $(ip -o link show | sed -nE 's/^[0-9]+: ((sixxs|beside|red)[^:@]*).*/\1/p'); do
		ip link del dev "$link"
	done
	for link in tunnel0 tunnel1; do
		ip -n pop link del dev $link 2>/dev/null || true
	done
	settle
	sixxs-route apply --all
	[ -n "${BATS_TEST_COMPLETED-}" ] || {
		journalctl -b -n 60 --no-pager -o short-precise
		ip -6 rule
		ip -6 route show table all
	} >&2
}
