#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Failover by health with the real systemd: the recipe's timer, as it stands there, and a tunnel
# whose far end dies and comes back without its link noticing.

# shellcheck source=wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"

client_delay=0
# shellcheck source=topology.sh
. "$BATS_TEST_DIRNAME/topology.sh"

setup_file() {
	topology_up 2>/tmp/topology
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 40 --no-pager >&2
	systemctl stop sixxs0-health.timer
	clients_down
	ends_close
}

# The recipe's two files, put where it says. SECONDS: instead of its 60.
install_recipe() {
	sed -n '/^## A tunnel that is up and carries nothing/,/^## /s/^    //p' conf.d/RECIPES.md |
		sed "s/--for 60/--for $1/" |
		awk '/^# \// { file = $2; next } file { print >file }'
	systemctl daemon-reload
	systemctl enable --now sixxs0-health.timer
}

pings() { ping -n -q -c 1 -W "$SLOW" -I 2a02::1 $far_ip6 >/dev/null; }
leaves_by() { ip -6 route get $far_ip6 from 2a02::1 | grep -q " dev $1 "; }

# rounds NUMBER: so many of the timer's have ended
finished() { journalctl -b -u sixxs0-health.service -o cat | grep -c '^Finished '; }
rounds() { [ "$(finished)" -ge "$1" ]; }

# The far end of the first tunnel carries nothing any more, and its provider has the address's
# packets take the other; and as before.
dies() {
	in_pop nft 'add table ip6 t; add chain ip6 t f { type filter hook forward priority 0; }; add rule ip6 t f iifname tunnel0 drop' &&
		ip -n pop route replace 2a02::1 dev tunnel1
}
comes_back() { in_pop nft flush ruleset && ip -n pop route replace 2a02::1 dev tunnel0; }

@test "the recipe's timer: the backup carries within seconds, and it comes back" {
	client_start 0 2>/tmp/topology
	client_start 1 2>/tmp/topology
	wait_until 10 leaves_by sixxs0
	wait_until 10 pings
	install_recipe 10
	[ -s /etc/systemd/system/sixxs0-health.service ]
	wait_until 30 rounds 1 # in which all is well
	leaves_by sixxs0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	dies
	wait_until 20 leaves_by sixxs1
	pings
	sixxs-route status sixxs0 | head -n 1 | grep -q ' held$'
	comes_back
	wait_until 20 leaves_by sixxs0
	pings
	# the trial is well
	wait_until 30 rounds $(($(finished) + 1))
	leaves_by sixxs0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	[ "$(journalctl -b -t sixxs-route -o cat | grep -c 'sixxs0: deleted 1 route; it is held')" = 1 ]
}
