#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tinc in router mode: "tests/clients/run tinc".

# shellcheck source=clients.bash
. "$BATS_TEST_DIRNAME/clients.bash"
links=(tnc0 tnc1) units=(tinc@tnc0 tinc@tnc1)

@test "tinc: the host rebooted" { rebooted; }
@test "tinc: restarted" { restarted; }
@test "tinc: killed" { killed; }
@test "tinc: its links down and up" { flapped; }
@test "tinc: udevd away meanwhile" { udevd_away; }
@test "tinc: stopped, it leaves nothing but the kill switch, which goes by remove" { ended; }
@test "tinc: without us the way is wrong" { control; }
