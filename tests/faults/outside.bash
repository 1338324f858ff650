# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # repo, here: who sources this sets them
#
# What kill and errors do outside of the machines: share the cases out among SHARDS private
# machines (by default as many as there are processors), and sum up.

seed=${SEED:-$((EPOCHSECONDS % 32768))}

# outside NAME SAMPLE: runs "NAME --inside SHARD SHARDS SAMPLE SEED" on each machine, and
# exits. SAMPLE: how many cases of a thousand are taken unless FAULTS=all.
outside() {
	local name=$1 sample=$2 shards shard dir out summing status pids=()
	shards=${SHARDS:-$(nproc)}
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$dir'" EXIT
	if [ "${FAULTS-}" = all ]; then
		sample=1000
		printf '# %s: every case\n' "$name"
	else
		printf '# %s: a sample chosen by SEED=%d (FAULTS=all: every case)\n' "$name" "$seed"
	fi
	exec {out}> >(sum_up)
	summing=$!
	for ((shard = 0; shard < shards; shard++)); do
		setpriv --pdeathsig TERM "$repo/tests/system/machine" --no-udevd \
			"$here/$name" --inside $shard "$shards" "$sample" "$seed" \
			</dev/null >&"$out" 2>"$dir/$shard" {out}>&- &
		pids+=($!)
	done
	for shard in "${!pids[@]}"; do
		wait "${pids[shard]}" && continue
		printf 'broken shard %d ended with exit status %d: %s\n' "$shard" $? "$(last_words "$dir/$shard")" >&"$out"
	done
	exec {out}>&-
	wait $summing
	status=$?
	exit $status
}

# What a shard said last, less what bash says of the program's own ends; in one line.
last_words() { grep -vE ' (Killed|Segmentation fault|Aborted|Terminated) ' "$1" | tail -n5 | paste -sd'|'; }

# Reads what the shards print, and shows it while they run:
#   count SCENARIO CASES TRIED WORDS   the number of cases that there are, and that it tried
#   cell ROW COLUMN TRIED              the same, to be shown as a table at the end
#   total PASSED FAILED                its end
#   broken TEXT                        one ended otherwise
#   any other line                     as it is
# A scenario's line comes when all shards have counted it.
# Not awk: mawk would hold the lines back.
sum_up() {
	local -A there=() taken=() counted=() cell=()
	local rows=() columns=()
	local line scenario cases tried words passed=0 failed=0 ended=0
	while IFS= read -r line; do
		case $line in
		'count '*)
			read -r _ scenario cases tried words <<<"$line"
			take_count
			;;
		'cell '*)
			read -r _ scenario words tried <<<"$line"
			[[ " ${rows[*]-} " == *" $scenario "* ]] || rows+=("$scenario")
			[[ " ${columns[*]-} " == *" $words "* ]] || columns+=("$words")
			cell[$scenario $words]=$((${cell[$scenario $words]:-0} + tried))
			;;
		'total '*)
			read -r _ cases tried <<<"$line"
			passed=$((passed + cases)) failed=$((failed + tried)) ended=$((ended + 1))
			;;
		'broken '*) bad "${line#broken }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	[ ${#rows[@]} -eq 0 ] || show_table
	[ $ended -eq "$shards" ] || bad "$ended of $shards shards came to their end"
	printf '%d passed, %d failed, 0 skipped\n' $passed $failed
	[ $failed -eq 0 ]
}

bad() {
	failed=$((failed + 1))
	printf 'not ok %s: %s\n' "$name" "$1"
}

# How many cases there were of each; none may be without.
show_table() {
	local row column
	printf '  FAULTS  %-8s' ''
	printf '%9s' "${columns[@]}"
	echo
	for row in "${rows[@]}"; do
		printf '  FAULTS  %-8s' "$row"
		for column in "${columns[@]}"; do
			printf '%9d' "${cell[$row $column]:-0}"
			[ "${cell[$row $column]:-0}" -gt 0 ] || bad "$row, $column: no case was tried"
		done
		echo
	done
}

take_count() {
	[ "${there[$scenario]:=$cases}" = "$cases" ] ||
		bad "$scenario: the shards saw ${there[$scenario]} and $cases cases"
	taken[$scenario]=$((${taken[$scenario]:-0} + tried))
	counted[$scenario]=$((${counted[$scenario]:-0} + 1))
	[ "${counted[$scenario]}" -eq "$shards" ] || return 0
	printf '  FAULTS  %-7s %-18s %5d of %5d cases: %s\n' \
		"$name" "$scenario" "${taken[$scenario]}" "$cases" "$words"
	[ "$sample" -lt 1000 ] || [ "${taken[$scenario]}" -eq "$cases" ] || bad "$scenario: cases were left out"
}
