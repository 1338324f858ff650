# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # repo, here: who sources this sets them
#
# What kill and errors do outside of the machines: share the cases out among as many private
# machines as there are processors, and sum up.

seed=${SEED:-$((EPOCHSECONDS % 32768))}

# outside NAME SAMPLE: runs "NAME --inside SHARD SHARDS SAMPLE SEED" on each machine, and
# exits. SAMPLE: how many cases of a thousand are taken unless FAULTS=all.
outside() {
	local name=$1 sample=$2 shards shard dir status pids=()
	shards=$(nproc)
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$dir'" EXIT
	if [ "${FAULTS-}" = all ]; then
		sample=1000
		printf '# %s: every case\n' "$name"
	else
		printf '# %s: a sample chosen by SEED=%d (FAULTS=all: every case)\n' "$name" "$seed"
	fi
	for ((shard = 0; shard < shards; shard++)); do
		setpriv --pdeathsig TERM "$repo/tests/system/machine" --no-udevd \
			"$here/$name" --inside $shard "$shards" "$sample" "$seed" \
			</dev/null >"$dir/$shard" 2>"$dir/$shard.err" &
		pids+=($!)
	done
	for shard in "${pids[@]}"; do
		wait "$shard" || echo "not ok $name: a shard ended with exit status $?"
	done
	awk -v name="$name" -v shards="$shards" -v sample="$sample" "$summary" "$dir"/*[0-9]
	status=$?
	[ $status -eq 0 ] || cat "$dir"/*.err | grep -v ' Killed ' | head -40 >&2
	exit $status
}

# Each shard has printed "count SCENARIO CASES TRIED WORDS" lines, with the number of cases
# that there are and of those that it tried, and at its end "total PASSED FAILED".
# shellcheck disable=SC2016 # awk's
summary='
$1 == "count" {
	if (!($2 in cases))
		order[++n] = $2
	else if (cases[$2] != $3) {
		print "not ok " name " " $2 ": the shards saw " cases[$2] " and " $3 " cases"
		failed++
	}
	cases[$2] = $3
	tried[$2] += $4
	name_of = $2
	$1 = $2 = $3 = $4 = ""
	words[name_of] = substr($0, 5)
	next
}
$1 == "total" { ended++; passed += $2; failed += $3; next }
{ print }
END {
	for (i = 1; i <= n; i++) {
		printf "  FAULTS  %-7s %-20s %5d of %5d cases: %s\n", name, order[i],
			tried[order[i]], cases[order[i]], words[order[i]]
		if (sample >= 1000 && tried[order[i]] != cases[order[i]]) {
			print "not ok " name " " order[i] ": cases were left out"
			failed++
		}
	}
	if (ended != shards) {
		print "not ok " name ": " ended + 0 " of " shards " shards came to their end"
		failed++
	}
	printf "%d passed, %d failed, 0 skipped\n", passed, failed
	exit failed > 0
}'
