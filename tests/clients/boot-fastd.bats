#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# fastd in tun mode: "tests/clients/run fastd".

# shellcheck source=clients.bash
. "$BATS_TEST_DIRNAME/clients.bash"
links=(fst0 fst1) units=(fastd@fst0 fastd@fst1)

@test "fastd: the host rebooted" { rebooted; }
@test "fastd: restarted" { restarted; }
@test "fastd: killed" { killed; }
@test "fastd: its links down and up" { flapped; }
@test "fastd: udevd away meanwhile" { udevd_away; }
@test "fastd: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "fastd: without us the way is wrong" { control; }
