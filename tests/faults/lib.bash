# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154,SC2206 # what is set here, and is used there, and the other way; $left is a pattern
#
# For kill, errors and looks, inside a private machine: the scenarios, and the machine's whole state
# as a value that compares. No udevd is needed: events are made up as udev would make them.
#
# Whoever sources this sets "repo", and "shard", "shards" and "sample" for takes_case.
#
# A scenario NAME has up to eight functions, all silent:
#   NAME_before   from the base state to where the run begins
#   NAME_run      sets "run" to the command that the faults go into
#   NAME_start    runs it, if there is more to it than that
#   NAME_event    the next thing that happens by itself, after a run that was cut short
#   NAME_all      the administrator's apply --all instead
#   NAME_again    the watcher is started again instead
#   NAME_gone     the tunnel is taken away and its drop-in is deleted: only the record knows
#   NAME_end      takes away what is not ours
# After each of the four from NAME_event on the state must be what it is when nothing went wrong, and
# after "finish" it must be the base state again.

# shellcheck source=tests/system/wait.bash
. "$repo/tests/system/wait.bash"

program=$repo/build/sixxs-route
conf_dir=/etc/sixxs-route/conf.d
run_dir=/run/sixxs-route
scenarios='add add_down first remove remove_live narrower last change replay rename rename_out moved swap takeover auto keys join leave share alone parts kept wait hold release all watch'
follows='event all again gone'
kills="$scenarios conflict guard"
one_plan=' add add_down first remove remove_live narrower last change replay conflict auto keys join leave share alone parts kept watch '

scenario= state_file=/tmp/state
left='!(lock|watch.lock|netns|told|owners|held|connects.*)' # what must not stay in the run folder
declare -A ifindex=()
readarray -t exported < <(compgen -e)

# ---- links and drop-ins -------------------------------------------------------------------

link_add() { # IFNAME [up]
	ip -batch - <<<"tuntap add dev $1 mode tun"$'\n'"link set dev $1 addrgenmode none ${2-}"
	read -r "ifindex[$1]" <"/sys/class/net/$1/ifindex"
}

link_del() { [ ! -e "/sys/class/net/$1" ] || ip link del dev "$1"; }

# Some kernels (6.1) rename no link that is up.
link_rename() {
	ip link set dev "$1" name "$2" 2>/dev/null || {
		ip link set dev "$1" down
		ip link set dev "$1" name "$2"
		ip link set dev "$2" up
	}
	ifindex[$2]=${ifindex[$1]}
}

# Nobody reads it meanwhile.
drop_in() { printf '%s\n' "${@:2}" >"$conf_dir/$1.conf"; }

drop_in_old() {
	more_old "$1" "$2"
	drop_in "$1" "[$1]" "source = 2a02:$2::1, 2001:db8:$2::/48, 192.0.2.$2" "table = 20$2" \
		'when_down = unreachable' 'prefer_main = yes' "${more[@]}"
}

drop_in_new() {
	more_new "$1" "$2"
	drop_in "$1" "[$1]" "source = 2a02:$2::2, 192.0.2.$2" "table = 30$2" "name = blue$2" "${more[@]}"
}

# Set "more" to further lines: a script may have others.
more=()
more_old() { :; }
more_new() { :; }

# ---- the program --------------------------------------------------------------------------

# event ACTION IFNAME [VARIABLE=VALUE...]: sets "run", and "variables" to the environment in it
event() {
	variables=("ACTION=$1" "DEVPATH=/devices/virtual/net/$2" SUBSYSTEM=net SEQNUM=1000
		"INTERFACE=$2" "IFINDEX=${ifindex[$2]:-99999}" "SIXXS_ROUTE=$2" "${@:3}")
	run=(env -i "${variables[@]}" "${under[@]}" "$program" udev)
}

under=() # strace and its arguments

# Without env, which would be a second program in each of some three events a case.
fire() {
	event "$@"
	(
		export -n "${exported[@]}"
		export "${variables[@]}"
		exec "$program" udev
	)
}

apply_all() { "$program" apply --all 2>/dev/null; }

# ---- the state ----------------------------------------------------------------------------

# Sets "state" by state.c: rules and all routes of both families; the run folder's files and links
# with modes, owners and contents. The table names are in it: rt_tables is what iproute2's link points
# to. Not in it is what stays when the last tunnel has gone: the folders, the lock, guard's counts.
# These outlive the tunnel and grow with time: they are looked at, less their times, in guard's own
# scenarios only.
read_state() {
	local name
	local files=("$run_dir"/$left "$run_dir"/owners/* "$run_dir"/held/*)
	[ -n "${reader-}" ] || coproc reader { exec "$repo/build/faults/state"; }
	printf -v name '\t%s' "${files[@]}"
	printf '%s\n' "$state_file${name%$'\t'}" >&"${reader[1]}"
	read -r -u "${reader[0]}" || exit
	IFS= read -r -d '' state <$state_file
	for name in "${!ifindex[@]}"; do
		state=${state//" dev ${ifindex[$name]} "/" dev @ "}
	done
	case $scenario in
	guard*) state+=$(sed 's/[0-9]*$//' /dev/null "$run_dir"/connects.*) ;;
	esac
}

# kernel_part STATE: sets "part" to its rules and routes
kernel_part() { part=${1%%$'\n'file *}; }

# The order of a record's lines, and of rules at one priority, means nothing.
unordered() { LC_ALL=C sort <<<"${1//"record: sixxs-route 1"/"record:"$'\n'}"; }

# is_state WANTED: whether the state is that; if not, "difference" says how.
is_state() {
	read_state
	was_state "$1"
}

# The same of "state" as it was read last.
was_state() {
	difference=
	[ "$state" != "$1" ] || return 0
	difference=$(diff -U1 --label wanted --label found <(unordered "$1") <(unordered "$state"))
	[ -n "$difference" ] || return 0
	return 1
}

# count_lines ARRAY STATE: how often each line of its rules and routes is there.
count_lines() {
	local -n counts=$1
	local line part
	counts=()
	kernel_part "$2"
	while IFS= read -r line; do
		[ -z "$line" ] || counts[$line]=$((${counts[$line]:-0} + 1))
	done <<<"$part"
}

# Whether the rules and routes in "state" are such as a run that was cut short may leave: what
# was there before, and will be there at its end, is never missing, and nothing else is there.
# Where the run is one plan, all of it has been done, or nothing. Sets "difference".
declare -A lines_before=() lines_after=()
is_between() { # SCENARIO
	local -A found=() all=()
	local line n a b part like_before=yes like_after=yes
	difference=
	kernel_part "$state"
	[ "$part" != "$part_before" ] && [ "$part" != "$part_after" ] || return 0
	count_lines found "$state"
	for line in "${!lines_before[@]}" "${!lines_after[@]}" "${!found[@]}"; do
		all[$line]=
	done
	for line in "${!all[@]}"; do
		n=${found[$line]:-0} a=${lines_before[$line]:-0} b=${lines_after[$line]:-0}
		[ "$n" -eq "$a" ] || like_before=
		[ "$n" -eq "$b" ] || like_after=
		[ "$n" -ge "$a" ] || [ "$n" -ge "$b" ] || [[ $1 == @(swap|moved) ]] || difference+="missing: $line"$'\n'
		[ "$n" -le "$a" ] || [ "$n" -le "$b" ] || difference+="too much: $line"$'\n'
	done
	[ -z "$difference" ] || return
	[[ $one_plan != *" $1 "* || $like_before$like_after == yes* ]] || difference='half of a plan was done'
	[ -z "$difference" ]
}

# ---- the base state -----------------------------------------------------------------------

# Other people's: a default route, a rule that looks like ours, a route in our table.
make_base() {
	mkdir -p $conf_dir /run/systemd/system # so that nobody waits for a link
	link_add net0 up
	ip -6 address add 2001:db8:ff::1/64 dev net0 nodad
	ip -6 route add default via 2001:db8:ff::2 dev net0
	ip -6 rule add from 2a02:0::1 lookup 200 priority 16383 protocol 4
	ip -4 rule add from 192.0.2.0 lookup 200 priority 16383 protocol 4
	ip -6 route add 2001:db8:fe::/64 dev net0 table 200 protocol 4
	until_address 2001:db8:ff::1
	neighbour=
	read_state
	base=$state bare=$state
}

# The kernel adds an address's own route a while later.
until_address() { # ADDRESS
	local tries=2000
	until [[ $(ip -6 route show table local) == *" $1 "* ]]; do
		[ $((tries -= 1)) -gt 0 ] || { fail base "the address $1 does not come" && return; }
		nap 0.005
	done
}

# A working tunnel beside the one that is tested, in most scenarios.
with_neighbour() {
	[ -z "$neighbour" ] || return 0
	neighbour=yes
	link_add sixxs9 up
	drop_in_old sixxs9 9
	fire add sixxs9
	rm -f $run_dir/connects.*
	read_state
	base=$state
}

without_neighbour() {
	[ -n "$neighbour" ] || return 0
	neighbour=
	rm $conf_dir/sixxs9.conf
	link_del sixxs9
	fire remove sixxs9
	no_folder
	base=$bare
	is_state "$base"
}

# By force, after a failure, so that the next case begins where it should.
reset() {
	local name
	rm -rf $run_dir $conf_dir
	mkdir -p $conf_dir
	for name in sixxs0 sixxs1 sixxs2 sixxs9 other0; do
		link_del $name
	done
	apply_all
	neighbour=
	is_state "$bare" || fail reset 'apply --all left something behind'
}

begin_scenario() {
	case $1 in
	first | last) without_neighbour ;;
	*) with_neighbour ;;
	esac
}

# ---- the scenarios ------------------------------------------------------------------------

# Those of these that SCENARIOS names, if it is set.
chosen() { # SCENARIO...
	local name
	for name; do
		[[ " ${SCENARIOS:-$*} " != *" $name "* ]] || echo "$name"
	done
}

# From any state in which sixxs0, sixxs1, sixxs2 or other0 may exist: their removal.
finish() {
	local name
	# what when_gone keeps ends with its section
	[ "$scenario" != kept ] || rm -f $conf_dir/sixxs0.conf
	[ "$scenario" != kept ] || [ -e /sys/class/net/sixxs0 ] || fire remove sixxs0
	for name in sixxs0 sixxs1 sixxs2 other0; do
		[ -e "/sys/class/net/$name" ] || continue
		ip link del dev $name
		case $name in
		other0) fire remove $name SIXXS_ROUTE=sixxs0 ;;
		*) fire remove $name ;;
		esac
	done
	! has "${scenario}_end" || "${scenario}_end"
	local files=($conf_dir/sixxs[0-2].conf "$run_dir"/connects.* "$run_dir"/told*) # each case is told anew
	[ ${#files[@]} -eq 0 ] || rm -f "${files[@]}"
	[ -n "$neighbour" ] || no_folder
}

# As after a boot, if nothing is left in it but what may be.
no_folder() {
	local files=("$run_dir"/$left "$run_dir"/owners/* "$run_dir"/held/*)
	[ ${#files[@]} -gt 0 ] || rm -rf $run_dir
}

add_before() {
	drop_in_old sixxs0 0
	link_add sixxs0 up
}
add_run() { event add sixxs0; }
add_event() { fire add sixxs0; }
add_all() { apply_all; }
add_gone() {
	rm $conf_dir/sixxs0.conf
	link_del sixxs0
	fire remove sixxs0
}

add_down_before() {
	drop_in_old sixxs0 0
	link_add sixxs0
}
add_down_run() { event add sixxs0; }
add_down_event() { fire add sixxs0; }
add_down_all() { apply_all; }
add_down_gone() { add_gone; }

# no other tunnel: the run folder and rt_tables come and go with it
first_before() { add_before; }
first_run() { event add sixxs0; }
first_event() { fire add sixxs0; }
first_all() { apply_all; }
first_gone() { add_gone; }

remove_before() {
	add_before
	fire add sixxs0
	link_del sixxs0
}
remove_run() { event remove sixxs0; }
remove_event() { # the tunnel client starts again
	link_add sixxs0 up
	fire add sixxs0
}
remove_all() { apply_all; }
remove_gone() { add_gone; }

last_before() { remove_before; }
last_run() { event remove sixxs0; }
last_event() { remove_event; }
last_all() { apply_all; }
last_gone() { add_gone; }

# udevadm trigger --action=remove: the link is still there
remove_live_before() {
	add_before
	fire add sixxs0
}
remove_live_run() { event remove sixxs0; }
remove_live_event() { fire add sixxs0; }
remove_live_all() { apply_all; }
remove_live_gone() { add_gone; }

# Somebody else's rules that bear our mark and select by more stand before ours, and one behind it:
# the kernel takes each for what our delete asks for.
narrower() { # add|del
	ip -6 -batch - <<-END
		rule $1 from 2a02:0::1 fwmark 1 lookup 200 priority 16383 protocol 166
		rule $1 from 2a02:0::1 ipproto tcp dport 80 lookup 200 priority 16383 protocol 166
	END
	ip -4 rule "$1" from 192.0.2.0 uidrange 1-2 lookup 200 priority 16383 protocol 166
}
narrower_before() {
	narrower add
	remove_live_before
	ip -6 rule add from 2a02:0::1 fwmark 2 lookup 200 priority 16383 protocol 166
}
narrower_run() { event remove sixxs0; }
narrower_event() { fire add sixxs0; }
narrower_all() { apply_all; }
narrower_gone() { add_gone; }
narrower_end() {
	narrower del
	ip -6 rule del from 2a02:0::1 fwmark 2 lookup 200 priority 16383 protocol 166
} 2>/dev/null

# another table, other sources, another name
change_before() {
	add_before
	fire add sixxs0
	drop_in_new sixxs0 0
}
change_run() { event change sixxs0; }
change_event() { fire change sixxs0; }
change_all() { apply_all; }
change_gone() { add_gone; }

# a boot's second add
replay_before() {
	add_before
	fire add sixxs0
}
replay_run() { event add sixxs0 SYNTH_UUID=0; }
replay_event() { fire change sixxs0; }
replay_all() { apply_all; }
replay_gone() { add_gone; }

rename_before() {
	add_before
	fire add sixxs0
	drop_in_new sixxs1 1
	link_rename sixxs0 sixxs1
}
rename_run() { event move sixxs1 DEVPATH_OLD=/devices/virtual/net/sixxs0; }
rename_event() { fire change sixxs1 SIXXS_ROUTE_OLD=sixxs0; }
rename_all() { apply_all; }
rename_gone() {
	rm $conf_dir/sixxs[01].conf
	link_del sixxs1
	fire remove sixxs1 SIXXS_ROUTE_OLD=sixxs0
}

# to a name that is no tunnel's
rename_out_before() {
	add_before
	fire add sixxs0
	link_rename sixxs0 other0
}
rename_out_run() { event move other0 DEVPATH_OLD=/devices/virtual/net/sixxs0 SIXXS_ROUTE=sixxs0; }
rename_out_event() { fire change other0 SIXXS_ROUTE=sixxs0; }
rename_out_all() { apply_all; }
rename_out_gone() {
	rm $conf_dir/sixxs0.conf
	link_del other0
	fire remove other0 SIXXS_ROUTE=sixxs0
}

# The drop-in, too, has another name now: what was the old name's is the new one's, its route
# stays in the kernel, and is missing only between the two turns.
moved_before() {
	add_before
	fire add sixxs0
	rm $conf_dir/sixxs0.conf
	drop_in_old sixxs1 0
	link_rename sixxs0 sixxs1
}
moved_run() { event move sixxs1 DEVPATH_OLD=/devices/virtual/net/sixxs0; }
moved_event() { fire change sixxs1 SIXXS_ROUTE_OLD=sixxs0; }
moved_all() { apply_all; }
moved_gone() { rename_gone; }

# source = auto: one address has gone, two have come
auto_before() {
	drop_in sixxs0 '[sixxs0]' 'source = auto' 'table = 200'
	link_add sixxs0 up
	ip address add 198.51.100.7/32 dev sixxs0
	fire add sixxs0
	ip address add 198.51.100.8/32 dev sixxs0
	ip address del 198.51.100.7/32 dev sixxs0
	ip address add 2001:db8:aa::1/128 dev sixxs0 nodad
	until_address 2001:db8:aa::1
}
auto_run() { event change sixxs0; }
auto_event() { fire change sixxs0; }
auto_all() { apply_all; }
auto_gone() { add_gone; }

# Each selector, gateway = auto, source-specific routes and a table of others: all of it changes.
keys_drop_in() { # N
	drop_in sixxs0 '[sixxs0]' "source = 2001:db8:$1::/48" "fwmark = 0x$1/0xff" "user = 100$1-1999" 'bound = yes' \
		"from_link = lan$1, lan8" 'gateway = auto' 'table = 200' 'when_down = unreachable' 'carrier = ignored' \
		'[many]' 'interface = sixxs0' "source = 2001:db8:a$1::1, 2001:db8:b::/48" 'steer = source-route' \
		'table = 400' '[others]' 'interface = sixxs0' "fwmark = 0x${1}00/0xff00" 'route = none' 'table = 254' 'priority = 16300'
}
keys_before() {
	keys_drop_in 1
	link_add sixxs0 up
	ip -6 route add default via fe80::1 dev sixxs0 metric 5000
	ip -4 route add default dev sixxs0 metric 5000
	fire add sixxs0
	keys_drop_in 2
	ip -6 route add default via fe80::2 dev sixxs0 metric 4000
}
keys_run() { event change sixxs0; }
keys_event() { fire change sixxs0; }
keys_all() { apply_all; }
keys_gone() { add_gone; }

# steered IFNAME N TABLE: by source-specific routes, in a table that others share
steered() {
	drop_in "$1" "[$1]" "source = 2a02:$2::1, 2001:db8:$2::/48" 'steer = source-route' "table = $3" 'when_down = unreachable'
}

# A tunnel of its own rules becomes one of those that share a table.
join_before() {
	two_before
	steered sixxs1 1 400
	fire change sixxs1
	steered sixxs0 0 400
}
join_run() { event change sixxs0; }
join_event() { fire change sixxs0; }
join_all() { apply_all; }
join_gone() { swap_gone; }

# The last that shares a table goes to another, which others share.
leave_before() {
	join_before
	fire change sixxs0
	steered sixxs1 1 401
	fire change sixxs1
	steered sixxs0 0 401
}
leave_run() { event change sixxs0; }
leave_event() { fire change sixxs0; }
leave_all() { apply_all; }
leave_gone() { swap_gone; }

# A tunnel's own table becomes one that others may share.
share_before() {
	add_before
	fire add sixxs0
	steered sixxs0 0 200
}
share_run() { event change sixxs0; }
share_event() { fire change sixxs0; }
share_all() { apply_all; }
share_gone() { add_gone; }

# And the reverse.
alone_before() {
	share_before
	fire change sixxs0
	drop_in_old sixxs0 0
}
alone_run() { event change sixxs0; }
alone_event() { fire change sixxs0; }
alone_all() { apply_all; }
alone_gone() { add_gone; }

# One of those that share a table goes.
parts_before() {
	join_before
	fire change sixxs0
	link_del sixxs0
}
parts_run() { event remove sixxs0; }
parts_event() { # the tunnel client starts again
	link_add sixxs0 up
	fire add sixxs0
}
parts_all() { apply_all; }
parts_gone() {
	link_del sixxs1
	fire remove sixxs1
	add_gone
}

# when_gone = unreachable, and the link goes
kept_before() {
	drop_in sixxs0 '[sixxs0]' 'source = 2a02:0::1, 192.0.2.1' 'fwmark = 0x7' 'table = 200' 'when_gone = unreachable'
	link_add sixxs0 up
	fire add sixxs0
	link_del sixxs0
}
kept_run() { event remove sixxs0; }
kept_event() {
	link_add sixxs0 up
	fire add sixxs0
}
kept_all() { apply_all; }
kept_gone() {
	rm $conf_dir/sixxs0.conf
	fire remove sixxs0
}

# Starts the run, whose PID it sets "pid" to, and brings the link up once it has nothing else to wait for.
start_until_up() {
	"${run[@]}" &
	pid=$!
	until_idle $pid
	ip link set dev sixxs0 up
}

# The handler itself waits for the link, which comes up.
wait_before() {
	drop_in sixxs0 '[sixxs0]' 'source = 2a02:0::1' 'table = 200' 'wait = 2'
	link_add sixxs0
}
wait_run() { event add sixxs0; }
wait_start() {
	local pid
	start_until_up
	wait $pid
}
wait_event() { fire add sixxs0; } # a change would not come to what add counts
wait_all() { apply_all; }
wait_gone() { add_gone; }

# Two tunnels, both served.
two_before() {
	add_before
	fire add sixxs0
	drop_in_old sixxs1 1
	link_add sixxs1 up
	fire add sixxs1
}

# Two tunnels swap all that they have, and the event of only one of them comes.
# What each gives up is the other's a moment later, so that anything may be missing meanwhile.
swap_before() {
	two_before
	drop_in_old sixxs0 1
	drop_in_old sixxs1 0
}
swap_run() { event change sixxs0; }
swap_event() {
	fire change sixxs0
	fire change sixxs1
}
swap_all() { apply_all; }
swap_gone() {
	rm $conf_dir/sixxs[01].conf
	link_del sixxs0
	link_del sixxs1
	fire remove sixxs0
	fire remove sixxs1
}

# A tunnel takes over what another had, which has another source from now on. The route of the other
# is known to be in the way only when the kernel has answered.
takeover_before() {
	two_before
	drop_in_new sixxs0 0
	drop_in sixxs1 '[sixxs1]' 'source = 2a02:0::1, 2a02:1::1, 192.0.2.1' 'table = 200' 'prefer_main = yes'
}
takeover_run() { event change sixxs1; }
takeover_event() {
	fire change sixxs1
	fire change sixxs0
}
takeover_all() { apply_all; }
takeover_gone() { swap_gone; }

# Two drop-ins claim one table: who had it keeps it, and the other keeps what it had. It has been told.
conflict_before() {
	two_before
	drop_in sixxs1 '[sixxs1]' 'source = 2a02:1::2' 'table = 200'
	fire change sixxs1
} 2>/dev/null
conflict_run() { event change sixxs1; }
conflict_event() { # one of both is mended
	drop_in_new sixxs0 0
	fire change sixxs0
	fire change sixxs1
}
conflict_all() { # a half written "told" stays as long as nothing is swept: until all is mended
	apply_all
	drop_in_new sixxs0 0
	apply_all
}
conflict_gone() { swap_gone; }

# Who holds a tunnel, or releases it, does so again when it was cut short.
hold_before() { remove_live_before; }
hold_run() { run=("${under[@]}" "$program" hold sixxs0); }
hold_event() {
	"$program" hold sixxs0
	fire change sixxs0
} 2>/dev/null
hold_all() {
	"$program" hold sixxs0
	apply_all
} 2>/dev/null
hold_gone() {
	hold_end
	add_gone
}
hold_end() { "$program" release sixxs0; } 2>/dev/null

release_before() {
	hold_before
	"$program" hold sixxs0
} 2>/dev/null
release_run() { run=("${under[@]}" "$program" release sixxs0); }
release_event() {
	"$program" release sixxs0
	fire change sixxs0
} 2>/dev/null
release_all() {
	"$program" release sixxs0
	apply_all
} 2>/dev/null
release_gone() { hold_gone; }
release_end() { hold_end; }

# apply --all: a new tunnel, a changed one, one that is gone, and what no record knows
all_before() {
	drop_in_old sixxs1 1
	link_add sixxs1 up
	fire add sixxs1
	drop_in_old sixxs2 2
	link_add sixxs2 up
	fire add sixxs2
	link_del sixxs2
	rm $conf_dir/sixxs2.conf
	drop_in_new sixxs1 1
	drop_in_old sixxs0 0
	link_add sixxs0 up
	ip -6 rule add from 2a02:7::1 lookup 777 priority 16383 protocol 166
	ip -6 route add unreachable default table 777 metric 4294967295 protocol 166
	printf '777 stray\n' >>$run_dir/rt_tables
}
all_run() { run=("${under[@]}" "$program" apply --all); }
all_all() { apply_all; }
all_gone() {
	swap_gone
	apply_all
}

# A link comes up, which only the watcher sees.
watch_before() {
	drop_in_old sixxs0 0
	link_add sixxs0
	fire add sixxs0
}
watch_run() { run=("${under[@]}" "$program" watch); }
watch_start() {
	local pid
	start_until_up
	until_idle $pid
	stop_watcher $pid
	wait $pid
}
watch_event() { # of each tunnel that it may have been at
	ip link set dev sixxs0 up
	fire change sixxs0
	fire change sixxs9
}
watch_all() {
	ip link set dev sixxs0 up
	apply_all
}
watch_again() {
	watch_run
	watch_start
}
watch_gone() {
	add_gone
	fire change sixxs9
}

# The second of the four connects that the preset allows.
guard_before() { drop_in_old sixxs0 0; }
guard_run() {
	connected 1
	run=("${under[@]}" "$program" guard sixxs0)
}
guard_event() { # its client is started again and again; one that was killed may have counted
	local times
	for times in {1..9}; do
		"$program" guard sixxs0 || return
	done
} 2>/dev/null
guard_all() {
	apply_all
	guard_event
}

connected() { # TIMES
	local times
	rm -f "$run_dir/connects.sixxs0"
	for ((times = 0; times < $1; times++)); do
		"$program" guard sixxs0
	done
}

# until_idle PID: until the watcher PID, or the one that strace PID has started, waits or is gone.
until_idle() {
	local tries=2500 children wchan
	while [ $((tries -= 1)) -gt 0 ] && runs "$1"; do
		children='' wchan='' # if it is gone between two lines
		read -r children _ <"/proc/$1/task/$1/children"
		read -r wchan <"/proc/${children:-$1}/wchan"
		[[ $wchan != *poll* ]] || return 0
		nap 0.002
	done 2>/dev/null
}

# Kills it if it does not stop when it is told to.
stop_watcher() {
	local children='' tries=1000
	read -r children _ <"/proc/$1/task/$1/children"
	kill "${children:-$1}"
	while runs "$1"; do
		nap 0.005
		[ $((tries -= 1)) -gt 0 ] || kill -KILL "${children:-$1}"
	done
} 2>/dev/null

start() {
	if has "$1_start"; then
		"$1_start"
	else
		"${run[@]}"
	fi 2>"${2:-/dev/null}"
}

has() { declare -F "$1" >/dev/null; }

# ---- traces -------------------------------------------------------------------------------

# trace_run FILE: runs the scenario's command under strace. Sets "calls" to the names of the
# system calls in order, "lines" to the trace's, and "first" to the index of the first one that main() makes.
trace_run() { # SCENARIO
	local line trace=/tmp/trace.$BASHPID
	under=(strace -f --signal=none -o "$trace")
	"$1_run"
	start "$1" "$trace.stderr" # a file, as in each case
	under=()
	calls=() lines=() first=-1
	while IFS= read -r line; do
		[[ $line =~ ^[0-9]+' '+([a-z_0-9]+)'(' ]] || continue
		[[ $first -ge 0 || $line != *' umask(022)'* ]] || first=${#calls[@]}
		calls+=("${BASH_REMATCH[1]}")
		lines+=("$line")
	done <"$trace"
}

# What the state is when nothing goes wrong, into the array "golden"; also
# "golden_status": what it exits with, and "then": what may come next.
declare -A golden=()
golden_status=
make_golden() { # SCENARIO
	local follow part
	then=()
	for follow in run $follows; do
		has "$1_$follow" || continue
		[ "$follow" = run ] || then+=("$follow")
		"$1_before"
		read_state
		count_lines lines_before "$state"
		kernel_part "$state"
		part_before=$part
		"$1_run"
		start "$1"
		golden_status=$?
		[ "$follow" = run ] || "$1_$follow"
		read_state
		golden[$follow]=$state
		if [ "$follow" = run ]; then
			count_lines lines_after "$state"
			kernel_part "$state"
			part_after=$part
		fi
		finish
		is_state "$base" && continue
		fail "$1" "not as before when nothing went wrong, after $follow"
		return 1
	done
}

# explore_scenario SCENARIO: begins it, and sets what make_golden and trace_run set.
explore_scenario() {
	begin_scenario "$1"
	make_golden "$1" || return
	"$1_before"
	trace_run "$1"
	finish
	return 0
}

# ---- results ------------------------------------------------------------------------------

passed=0 failed=0 difference=

# fail CASE TEXT
fail() {
	failed=$((failed + 1))
	# in one write, as other shards print too
	printf '%s\n' "not ok $1: $2${difference:+$'\n'$(head -n "${DIFF_LINES:-12}" <<<"$difference")}"
	difference=
}

# Whether this shard takes the case, of which it is the N-th, and whether the sample has it.
# All shards draw the same numbers.
case_number=0 taken=0
takes_case() {
	case_number=$((case_number + 1))
	[ "$sample" -ge 1000 ] || [ $((RANDOM % 1000)) -lt "$sample" ] || return
	[ $((case_number % shards)) -eq "$shard" ] || return
	# a sign of life in a long run
	taken=$((taken + 1))
	[ "$shard" -gt 0 ] || [ $((taken % 500)) -gt 0 ] ||
		printf '# %s %s: some %d cases of all so far\n' "${0##*/}" "$scenario" $((taken * shards))
}
