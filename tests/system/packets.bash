# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests with real packets, to be sourced at the top of a file: a host with an uplink, other links to
# another provider, and a far host that answers by whichever way it is reached:
#
#     host ----- net0 --------------- isp    each has the far host's addresses
#          ----- sixxs0, ... -------- pop
#
# Links are pairs of Ethernet devices, so that packets do leave. One capture of all links runs for the
# whole test: what it has seen is known to be all by a last packet of the test's own.

# shellcheck source=lib.bash
. "${BASH_SOURCE[0]%/*}/lib.bash"
# shellcheck source=watcher.bash
. "${BASH_SOURCE[0]%/*}/watcher.bash"

far4=203.0.113.1 far6=2001:db8:f::1
packets=/tmp/packets capture=""

# A file that needs more than this has its own.
setup_file() {
	install_handler
	uplinks_up
}

setup() {
	begin
	capture_start
}

# What a file has in its place whose host is a router.
setup_router() {
	install_handler && uplinks_up && sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

server="" # the process that serves in a test, if one does

server_stop() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } || true
	server=""
}

# packets_end [COMMAND...]: for teardown: ends all that runs, and then, after COMMAND, as finish does.
packets_end() {
	local status=0
	floods_stop
	server_stop
	capture_stop || status=1
	watch_stop || status=1
	[ $# -eq 0 ] || "$@" || status=1
	finish || status=1
	return $status
}

# off_lo ADDRESS...: those of these that lo has
off_lo() { printf 'address del %s dev lo\n' "$@" | ip -force -batch - 2>/dev/null || true; }

uplinks_up() {
	local ns
	sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0
	for ns in isp pop; do
		ip netns add $ns &&
			ip netns exec $ns sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0 \
				net.ipv6.conf.{all,default}.keep_addr_on_down=1 &&
			ip -n $ns link set lo up &&
			ip -n $ns address add $far4/32 dev lo &&
			ip -n $ns address add $far6/128 dev lo || return
	done
	ip link add net0 type veth peer name host netns isp &&
		ip -n isp link set host up &&
		ip -n isp address add 192.0.2.2/24 dev host &&
		ip -n isp address add 2001::2/64 dev host &&
		ip -n isp route add default via 192.0.2.1 dev host onlink &&
		ip -n isp route add default via 2001::1 dev host &&
		ip link set net0 up &&
		ip address add 192.0.2.1/24 dev net0 &&
		ip address add 2001::1/64 dev net0 &&
		ip route add default via 192.0.2.2 &&
		ip -6 route add default via 2001::2 dev net0 &&
		settle
}

# uplink LINK N: a link to the other provider, up, with the addresses 10.N.0.1/24 and 2a02:N::1/64;
# there 10.N.0.254 and 2a02:N::fe, which is fe80::fe too.
uplink() {
	far_end "$1" "$2" && ip link set dev "$1" up && addressed "$1" "$2" && settle
}

far_end() { # the pair alone: ours is down and has no address
	ip link add "$1" type veth peer name "far$2" netns pop &&
		ip -n pop link set "far$2" up &&
		ip -n pop address add "10.$2.0.254/24" dev "far$2" &&
		ip -n pop address add "2a02:$2::fe/64" dev "far$2" &&
		ip -n pop address add fe80::fe/64 dev "far$2" &&
		ip -n pop address add $far6/128 dev "far$2" && # or nobody answers for it without a gateway
		ip -n pop route replace default via "10.$2.0.1" dev "far$2" onlink &&
		ip -n pop route replace default via "2a02:$2::1" dev "far$2"
}

addressed() {
	ip address add "10.$2.0.1/24" dev "$1" && address6 "2a02:$2::1/64" "$1"
}

# host_behind BRIDGE NAMESPACE PORT NET4 LENGTH NET6: a host in a network of its own, behind that bridge, which
# is made too. It is NET4.2 and NET6::2, and its router NET4.1 and NET6::1.
host_behind() {
	ip link add "$1" type bridge &&
		ip link set "$1" up &&
		ip address add "$4.1/$5" dev "$1" &&
		ip address add "$6::1/64" dev "$1" &&
		ip netns add "$2" &&
		ip netns exec "$2" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 &&
		ip link add "$3" type veth peer name eth0 netns "$2" &&
		ip link set "$3" up master "$1" &&
		ip -n "$2" link set lo up &&
		ip -n "$2" link set eth0 up &&
		ip -n "$2" address add "$4.2/$5" dev eth0 &&
		ip -n "$2" address add "$6::2/64" dev eth0 &&
		ip -n "$2" route add default via "$4.1" &&
		ip -n "$2" route add default via "$6::1"
}

# hosts_gone NAMESPACE...: and first, so that none of its links goes later by itself, the links to it
hosts_gone() {
	local ns link
	for ns; do
		[ -e "/run/netns/$ns" ] || continue
		for link in $(ip -o link show type veth | sed -nE "s/^[0-9]+: ([^:@]+)@.* link-netns $ns( .*)?$/\\1/p"); do
			ip link del "$link" || return
		done
		ip netns del "$ns" || return
	done
}

in_isp() { ip netns exec isp "$@"; }
in_pop() { ip netns exec pop "$@"; }

# ---- which way packets leave ----------------------------------------------------------------

# Without -s the kernel keeps room for 256 KB a packet: 129 of them.
capture_start() {
	rm -f $packets.log # or the capture before this one would be found to listen
	tcpdump -i any -nn -t -l --immediate-mode -B 65536 -s 256 \
		"host $far4 or host $far6 or dst host 127.0.0.9" >$packets 2>$packets.log 3>&- &
	capture=$!
	wait_until 30 grep -qs '^listening on' $packets.log
}

# It has to have seen all.
capture_stop() {
	[ -n "$capture" ] || return 0
	kill -INT "$capture"
	wait "$capture" || true
	capture=
	grep -x '0 packets dropped by kernel' $packets.log
}

# Until all that has left so far is noted: the capture keeps the order of all links.
noted() {
	local port=$((20000 + RANDOM % 20000)) from
	from=$(wc -c <$packets) # an earlier one may have had the same port
	while runs "$capture"; do
		echo >/dev/udp/127.0.0.9/$port || true
		# it sleeps when all is noted
		awaits_more "$capture" || nap 0.01
		! tail -c +$((from + 1)) $packets | grep -q "> 127.0.0.9.$port:" || return 0
		nap 0.01
	done 2>/dev/null
	return 1
}

# left COMMAND...: the links by which packets to the far host leave meanwhile, each once, one line;
# "none" if there are none. Who asks is not after the answer, for which ping_far waits a moment then.
left() {
	local from patience=$((SLOW * 200))e-3
	noted
	from=$(wc -l <$packets)
	"$@" >/tmp/left.log 2>&1 3>&- || true
	noted
	tail -n +$((from + 1)) $packets | sent | LC_ALL=C awk '
		!seen[$1]++ { for (i = n++; i > 0 && links[i] > $1; i--) links[i + 1] = links[i]; links[i + 1] = $1 }
		END { for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? " " : ""), links[i]; print (n ? "" : "none") }'
}

# What the host itself sends to the far host; not what a bridge or its port bears.
sent() {
	awk -v to=" > ($far4|$far6)[.:]" '
		/^[^ ]+ +Out IP6? / && $0 ~ to && !/^(br-|box|lan|lo )|ICMP6, neighbor/ { print }'
}

# leaves LINK COMMAND...
leaves() {
	local wanted=$1 found
	shift
	found=$(left "$@")
	[ "$found" = "$wanted" ] && return
	printf 'by %s, not by %s: %s\n' "$found" "$wanted" "$*" >&2
	cat /tmp/left.log >&2
	return 1
}

ping_far() { # 4|6 [OPTION...]
	local to=far$1
	ping "-$1" -n -c 1 -W "${patience-$SLOW}" "${@:2}" "${!to}"
}

# answered 4|6 [OPTION...]: by the far host
answered() { ping_far "$@" | grep -q ' bytes from '; }

# ---- packets all the time ---------------------------------------------------------------------

floods=()

# flood USER [SOURCE4 SOURCE6]: that user's programs send to the far host every two milliseconds, from
# then on, whatever is said to them; floods_stop ends all.
flood() {
	# by its text, as that user may not come where the file is
	setpriv --reuid="$1" --regid="$1" --clear-groups \
		perl -e "$(<"${BASH_SOURCE[0]%/*}/flood")" 0.002 $far4 $far6 9 "${@:2}" >/dev/null 3>&- &
	floods+=($!)
}

floods_stop() {
	[ ${#floods[@]} -eq 0 ] || ! kill "${floods[@]}" || wait "${floods[@]}" || true
	floods=()
}

# passed LINK FAMILY [PATTERN]: how many packets to the far host have left by it since the capture began
passed() {
	local to=far$2
	noted
	sent <$packets | grep -cE "^$1 +Out IP6? ${3-.*} > ${!to}[.:]" || true
}

# Debian 13's ping has no capability of its own: systemd lets every user have a socket for it.
as_user() { # UID COMMAND...
	echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
	setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# user_far 4|6 UID: a datagram of that user's
user_far() {
	local to=far$1
	echo x | as_user "$2" socat -u - "UDP$1-DATAGRAM:[${!to}]:9"
}

# ---- the recipes ---------------------------------------------------------------------------

# shellcheck source=recipe.bash
. "${BASH_SOURCE[0]%/*}/recipe.bash"

# sample NAME DROP-IN...: conf.d's sample says what these drop-ins say, all taken together.
sample() {
	local name=$1
	shift
	set -- "${@/#//etc/sixxs-route/conf.d/}"
	assert_same "$(bare_lines "$repo/conf.d/$name.conf")" "$(bare_lines "${@/%/.conf}")"
}

bare_lines() { cat "$@" | sed -E 's/[[:space:]]*#.*//; /^[[:space:]]*$/d'; }
