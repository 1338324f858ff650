# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# longest_first FILE...: prints them, one a line: first those that took longest when it was measured,
# then the others.
longest_first() {
	local file rank order=(watch events hostile errors status guard)
	for file; do
		for rank in "${!order[@]}" $((${#order[@]})); do
			[ "${file##*/}" != "${order[rank]-}.bats" ] || break
		done
		printf '%d %s\n' "$rank" "$file"
	done | sort -s -n -k1,1 | cut -d' ' -f2-
}
