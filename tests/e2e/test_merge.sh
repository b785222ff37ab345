#!/usr/bin/env bash
# An ensemble in shards: generated on different numbers of ranks, merged on another, interrupted on the way, it is the dataset that one
# job writes, byte for byte but for the date.  What is wrong with a shard is told in one line, and nothing is overwritten.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# Whole and shards share the name of their directory, which is in the stored deck.  20,000 rows a shard, of a condition that two shards
# share: a merge on two ranks takes a few rounds.
deck=$work/deck.yaml
dir=$work/run
tiny_deck "$deck" "$dir"
more=(-ensemble_conditions 61 -ensemble_realisations 1000 -ensemble_full_fields 2)
shard() { # RANKS I N ...
  local ranks=$1 shard=$2,$3
  shift 3
  scoria "$ranks" generate "$deck" "${more[@]}" -run_shard "$shard" "$@" >"$work/out" 2>&1 ||
    { fail "shard $shard: exit $?"; cat "$work/out" >&2; }
}
merge() { # expects a merge to end well
  scoria "$1" merge "$deck" "${more[@]}" >"$work/out" 2>&1 || { fail "merge: exit $?"; cat "$work/out" >&2; }
}
# Two datasets of as many ranks: only the date (20 characters, under a checksum of 4 bytes) may differ.
same_file() {
  [ "$(wc -c <"$1")" = "$(wc -c <"$2")" ] && [ "$(cmp -l "$1" "$2" | wc -l)" -le 24 ]
}

scoria 2 generate "$deck" "${more[@]}" >"$work/out" 2>&1 || { fail "the whole"; cat "$work/out" >&2; }
mv "$dir" "$work/whole"
whole=$work/whole/dataset.h5
expect 3 "$dir: found no shard" 2 merge "$deck" "${more[@]}"
for i in 1 2 3; do shard "$i" "$i" 3; done
shards=("$dir"/shard-*-of-3/shard.h5)
sums=$(cat "${shards[@]}" | md5sum)
scoria 2 info "$dir/shard-2-of-3/shard.h5" >"$work/out" 2>&1
for line in 'kind         shard' 'shard        rows 20334 to 40666 of 61000'; do
  grep -q "^$line\$" "$work/out" || { fail "info does not say: $line"; cat "$work/out" >&2; }
done
shard 2 2 3 # again: it is there
grep -q 'is complete' "$work/out" || fail "a complete shard is made again"

# Stopped in good order after a round of rows, killed, and to the end.
touch "$dir/STOP"
expect 75 'the file STOP; [1-9][0-9]* of 61000 rows are kept' 2 merge "$deck" "${more[@]}"
"$MPIEXEC" -n 1 "$SCORIA" merge "$deck" "${more[@]}" >"$work/out" 2>&1 &
job=$!
for _ in $(seq 1000); do
  if grep -q 'resuming' "$work/out" || ! kill -0 "$job" 2>/dev/null; then break; fi
  sleep 0.01
done
pkill -KILL -f -- "$SCORIA merge $deck"
{ wait "$job"; } 2>/dev/null
merge 2
same_file "$whole" "$dir/dataset.h5" || fail "the merged dataset differs from the whole"
[ "$(cat "${shards[@]}" | md5sum)" = "$sums" ] || fail "merging has changed a shard"
"$PYTHON" - "$work/whole" "$dir" <<'PY' || fail "what is beside the bytes of the rows differs"
import sys, h5py
for name in ("dataset.h5", "fields.h5"):
    whole, merged = (h5py.File(f"{d}/{name}") for d in sys.argv[1:])
    for key in whole.attrs.keys() | merged.attrs.keys():
        assert key == "date" or whole.attrs[key] == merged.attrs[key], (name, key)
    whole.visititems(lambda n, o: None if isinstance(o, h5py.Group) else (o[()].tobytes() == merged[n][()].tobytes()) or sys.exit(n))
PY
merge 3
grep -q 'is complete' "$work/out" || fail "a merge is done twice"
scoria 2 generate "$deck" "${more[@]}" >"$work/out" 2>&1
grep -q 'is complete' "$work/out" || fail "generate does not take the merged dataset for its own"

# What can be wrong.  A dataset that another deck has left is not overwritten.
expect 3 'dataset.h5: made by another deck (porosity_sigma' 2 merge "$deck" "${more[@]}" -porosity_sigma 0.4
rm "$dir/dataset.h5"
nothing() { # WHAT
  if [ -e "$dir/dataset.h5" ] || [ -e "$dir/dataset.h5.part" ]; then fail "$1: a dataset was begun"; fi
}
expect 3 'shard-1-of-3/shard.h5: a shard of another deck (porosity_sigma is 0.4 here' 2 merge "$deck" "${more[@]}" -porosity_sigma 0.4
nothing "another deck"
mv "$dir/shard-2-of-3" "$work/aside"
expect 3 'shard-2-of-3/shard.h5: not there: rows 20334 to 40666 are missing; generate -run_shard 2,3' 2 merge "$deck" "${more[@]}"
mkdir "$dir/shard-2-of-3"
cp "$dir/shard-1-of-3/shard.h5" "$dir/shard-2-of-3/"
expect 3 'shard-2-of-3/shard.h5: begins with row 0, but rows up to 20333 are in .*shard-1-of-3' 2 merge "$deck" "${more[@]}"
cp "$dir/shard-3-of-3/shard.h5" "$dir/shard-2-of-3/"
expect 3 'shard-2-of-3/shard.h5: begins with row 40667: rows 20334 to 40666 are in no shard' 2 merge "$deck" "${more[@]}"
cp "$whole" "$dir/shard-2-of-3/shard.h5"
expect 3 'shard-2-of-3/shard.h5: of a dataset of 0 rows' 2 merge "$deck" "${more[@]}"
head -c 100000 "$work/aside/shard.h5" >"$dir/shard-2-of-3/shard.h5"
expect 3 'shard-2-of-3/shard.h5: truncated' 2 merge "$deck" "${more[@]}"
mkdir "$dir/shard-1-of-4"
expect 3 'found shards of 3 and of 4' 2 merge "$deck" "${more[@]}"
rmdir "$dir/shard-1-of-4"
nothing "a shard that cannot be used"

# A damaged row: what is good is kept, and with a good shard in its place the merge goes on.
cp "$work/aside/shard.h5" "$dir/shard-2-of-3/shard.h5"
"$PYTHON" - "$dir/shard-2-of-3/shard.h5" <<'PY' || fail "no row could be damaged"
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    at = f["/fields/phi"].id.get_offset() + 777 * f["/fields/phi"].shape[1] * 4
with open(sys.argv[1], "r+b") as f:
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 16]))
PY
expect 3 'shard-2-of-3/shard.h5: row 777 is damaged' 2 merge "$deck" "${more[@]}"
[ ! -e "$dir/dataset.h5" ] || fail "a dataset of a damaged shard was published"
cp "$work/aside/shard.h5" "$dir/shard-2-of-3/shard.h5"
merge 2
grep -q '20334 of 61000 rows done; resuming' "$work/out" || { fail "the merge did not go on"; cat "$work/out" >&2; }
same_file "$whole" "$dir/dataset.h5" || fail "the dataset merged after damage differs"

# Failed solves are judged over the whole, not in a shard: such currents have no steady state (as in test_bad_input.sh).
few=(-run_dir "$work/few" -ensemble_conditions 8 -ensemble_realisations 4 -electrode_set marquis2019_negative
  -conditions_U0 "0.10,0.20" -conditions_F_right "2000,3000")
for i in 1 2; do shard 2 "$i" 2 "${few[@]}"; done
expect 5 'dataset.h5: [1-9][0-9]* of 32 solves failed' 2 merge "$deck" "${few[@]}"
expect 5 'solves failed' 2 merge "$deck" "${few[@]}" # complete by now, and no better
scoria 2 merge "$deck" "${few[@]}" -ensemble_max_failed_fraction 1 >"$work/out" 2>&1 || fail "failures that the deck allows"

# The key itself.
expect 3 'run_shard: found part 4 of 3' 1 generate "$deck" -run_shard 4,3
expect 3 'run_shard: found one number' 1 generate "$deck" -run_shard 4
expect 3 'run_shard: found with merge, expected with generate only' 1 merge "$deck" -run_shard 1,3
expect 3 'run_shard: found 40 shards, expected at most 32' 1 generate "$deck" "${few[@]}" -run_shard 1,40
finish
