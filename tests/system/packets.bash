# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests with real packets, to be sourced after lib.bash: a host with an uplink, other links to
# another provider, and a far host that answers by whichever way it is reached:
#
#     host ----- net0 --------------- isp    each has the far host's addresses
#          ----- sixxs0, ... -------- pop
#
# Links are pairs of Ethernet devices, so that packets do leave. One capture of all links runs for the
# whole test: what it has seen is known to be all by a last packet of the test's own.

far4=203.0.113.1 far6=2001:db8:f::1
packets=/tmp/packets capture=""

# For setup_file.
uplinks_up() {
	local ns
	sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0
	for ns in isp pop; do
		ip netns add $ns &&
			ip netns exec $ns sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0 &&
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
	ip address add "10.$2.0.1/24" dev "$1" && ip address add "2a02:$2::1/64" dev "$1"
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

capture_start() {
	tcpdump -i any -nn -t -l --immediate-mode -B 65536 \
		"host $far4 or host $far6 or dst host 127.0.0.9 ${1:+or $1}" >$packets 2>$packets.log 3>&- &
	capture=$!
	wait_until 30 grep -q '^listening on' $packets.log
}

capture_stop() {
	[ -z "$capture" ] || { kill "$capture" && wait "$capture" || true; }
	capture=
}

# Until all that has left so far is noted: the capture keeps the order of all links.
noted() {
	local port=$((20000 + RANDOM % 20000))
	until grep -q "> 127.0.0.9.$port:" $packets; do
		echo >/dev/udp/127.0.0.9/$port || true
		sleep 0.05
		kill -0 "$capture" || return
	done 2>/dev/null
}

# left COMMAND...: the links by which packets to the far host leave meanwhile, each once, one line;
# "none" if there are none.
left() {
	local from
	noted
	from=$(wc -l <$packets)
	"$@" >/tmp/left.log 2>&1 3>&- || true
	noted
	tail -n +$((from + 1)) $packets | sent | awk '{ print $1 }' | sort -u | paste -sd' ' | sed 's/^$/none/'
}

# What the host itself sends to the far host; not what a bridge or its port bears.
sent() { grep -E "^[^ ]+ +Out IP6? .* > ($far4|$far6)[.:]" | grep -vE '^(br-|box|lan|lo )|ICMP6, neighbor' || true; }

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
	ping "-$1" -n -c 1 -W 1 "${@:2}" "${!to}"
}

# answered 4|6 [OPTION...]: by the far host
answered() { ping_far "$@" | grep -q ' bytes from '; }

# ---- the README's recipes ------------------------------------------------------------------

# recipe TITLE: does what stands below this title of the README. A block that begins with a comment
# "# /PATH" is that file, another one is commands.
recipe() {
	local dir=/tmp/recipe block file
	rm -rf $dir && mkdir $dir
	awk -v title="### $1" -v dir=$dir '
		/^#/ { on = $0 == title; next }
		!on { next }
		/^    / {
			if (!open || (blank && /^    (# \/|sudo )/))
				file = sprintf("%s/%02d", dir, ++n)
			else if (blank)
				print "" >file
			open = 1
			blank = 0
			print substr($0, 5) >file
			next
		}
		/^$/ { blank = 1; next }
		{ open = blank = 0 }' "$repo/README.md"
	[ -e $dir/01 ] || { echo "the README has no recipe: $1" >&2 && return 1; }
	for block in $dir/*; do
		read -r _ file <"$block"
		case $(head -n 1 "$block") in
		'# /'*)
			mkdir -p "${file%/*}" && cp "$block" "$file" && chmod 644 "$file" || return
			;;
		*)
			sed 's/^sudo //' "$block" >"$block.sh"
			bash -e "$block.sh" || return
			;;
		esac
	done
}

# sample NAME DROP-IN...: conf.d's sample says what these drop-ins say, all taken together.
sample() {
	local name=$1
	shift
	set -- "${@/#//etc/sixxs-route/conf.d/}"
	assert_same "$(bare_lines "$repo/conf.d/$name.conf")" "$(bare_lines "${@/%/.conf}")"
}

bare_lines() { cat "$@" | sed -E 's/[[:space:]]*#.*//; /^[[:space:]]*$/d'; }
