# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# socat's TUN at both ends, for its own tests and for those of network managers.

# shellcheck source=tests/clients/clients.bash
. "${BASH_SOURCE[0]%/*}/clients.bash"
links=(soc0 soc1) units=(socat@0 socat@1)

# socat_install: it brings its link up with an IPv4 address, and gives it
# an IPv6 one a moment later.
socat_install() {
	local n
	world_install
	sections "${links[@]}"
	for n in 0 1; do
		# shellcheck disable=SC2016 # there
		printf '[ $1 != %d ] || { ends="%s %s" addresses="%s/24 %s/64"; }\n' $n "$(udp_end $pop_ip4 $host_ip4 $n)" \
			"$(tun_end tunnel$n),iff-up" "$(peer4 $n)" "$(peer6 $n)"
		printf '%s\n' "LINK=soc$n" "UDP=$(udp_end $host_ip4 $pop_ip4 $n)" "ADDRESS4=$(address4 $n)/24" \
			"ADDRESS6=$(address6 $n)/64" >/etc/socat.$n
	done >/etc/far
	cat >>/etc/far <<-'END'
		socat $ends &
		until ip link show up dev tunnel$1 | grep -q .; do sleep 0.1; done 2>/dev/null
		for address in $addresses; do ip address add $address dev tunnel$1; done
		wait
	END
	unit socat@.service <<-'END'
		[Unit]
		After=network-online.target
		Wants=network-online.target
		StartLimitIntervalSec=0
		[Service]
		EnvironmentFile=/etc/socat.%i
		ExecStart=socat ${UDP} TUN:${ADDRESS4},tun-name=${LINK},tun-type=tun,no-pi,iff-up
		ExecStartPost=bash -c 'for i in {1..30}; do ip address add $ADDRESS6 dev $LINK && exit; sleep 0.1; done 2>/dev/null; exit 1'
		Restart=always
		RestartSec=1
		[Install]
		WantedBy=multi-user.target
	END
}

# socat_bare N: it takes the link as it is, once that is there, whose addresses are another's to give.
# shellcheck disable=SC2016 # of systemd
socat_bare() {
	unit_drop_in "socat@$1.service" '[Service]' 'ExecStartPre=test -e /sys/class/net/${LINK}' ExecStart= \
		"ExecStart=socat \${UDP} TUN,tun-name=\${LINK},tun-type=tun,no-pi" ExecStartPost=
}

# ---- beside a network manager ---------------------------------------------------------------------

# The lease by which net0 got its address, from the ISP.
leased() { grep -q ' 192\.0\.2\.1 ' /run/leases && ip -4 -o address show dev net0 | grep -q '192\.0\.2\.1/24.*dynamic'; }

# What is the manager's own in main.
net0_routes() { { ip route show dev net0 && ip -6 route show dev net0; } | volatile | LC_ALL=C sort; }

# we_start: ours anew, after whatever is there
we_start() {
	systemctl stop sixxs-route.service
	sixxs-route remove "${links[@]}"
	systemctl start sixxs-route.service
	sixxs-route apply --all
	forgive
}

# we_start_beside ROUTES: both ways are right then, and what the command ROUTES says is what it said.
we_start_beside() {
	local before
	before=$("$1")
	we_start
	ways_are_right
	assert_same "$before" "$("$1")"
}

# clients_again: restarted, and killed: both ways are right after each.
clients_again() {
	local unit
	for unit in "${units[@]}"; do
		systemctl restart "$unit"
	done
	ways_are_right
	for unit in "${units[@]}"; do
		systemctl kill -s KILL "$unit"
	done
	sleep 2
	ways_are_right
}

monitors=()

# monitored OBJECT: notes what happens to rules or routes; unmonitored ends that.
monitored() {
	stdbuf -oL ip -N monitor "$1" >"/tmp/monitor.$1" 3>&- &
	monitors+=($!)
	sleep 0.3
}

unmonitored() {
	kill "${monitors[@]}"
	wait "${monitors[@]}" || true
	monitors=()
}

# deleted OBJECT PATTERN: how often that was deleted since
deleted() { grep -cE "^Deleted .*$2" "/tmp/monitor.$1" || true; }
some_deleted() { [ "$(deleted "$@")" -gt 0 ]; }
