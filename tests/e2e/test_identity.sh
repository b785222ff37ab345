#!/usr/bin/env bash
# The chain of identity: every result knows what it was made from, by content; a command that meets a stranger refuses in one line that
# names both; copies, other ranks, shards and rows added to a dataset are no strangers; stored settings are those of the thing.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

run() { # RANKS COMMAND DECK OPTIONS...: is to succeed
  if [ "$1" -eq 1 ]; then # without a launcher, which takes longer than these commands
    last_options "${@:2}"
    timeout 300 "$SCORIA" "${kept_options[@]}" >"$work/out" 2>&1
  else
    scoria "$@" >"$work/out" 2>&1
  fi || { fail "scoria $*"; cat "$work/out" >&2; }
}
crc='CRC32C [0-9a-f]\{8\}'

# A user's file.
"$PYTHON" - "$work/user.h5" <<'PY'
import h5py, numpy as np, sys
rng = np.random.default_rng(0)
x, rate = (np.arange(8) + 0.5) / 8, np.repeat(np.linspace(0.5, 2, 16), 8)
with h5py.File(sys.argv[1], "w") as f:
    f["c"] = 1000 + 50 * rate[:, None] * x + rng.normal(size=(128, 1)) * np.cos(np.pi * x) + 0.1 * rng.normal(size=(128, 8))
    f["x"], f["rate"] = x, rate
PY
cp "$work/user.h5" "$work/as_it_was.h5"
deck=$work/import.yaml dir=$work/imported
cat >"$deck" <<DECK
run: {dir: $dir}
import: {file: $work/user.h5, fields: [c=/c], conditions: [rate=/rate], x: /x}
train: {steps: 12, batch: 32, micro_batches: 2, width: 16, depth: 1, embed: 8, modes: 3, all_modes: 4}
sample: {count: 20, steps: 4}
DECK
run 2 run "$deck"
touch "$work/user.h5" # another date, the same bytes
run 1 import "$deck"
"$PYTHON" - "$work/user.h5" <<'PY'
import h5py, sys
with h5py.File(sys.argv[1], "r+") as f:
    f["c"][...] *= 2
PY
expect 3 "imported/dataset.h5: imported from user.h5, [0-9]* bytes, $crc; the file is user.h5, [0-9]* bytes, $crc now" 2 run "$deck"
mv "$dir/dataset.h5" "$work/first.h5"
expect 3 "imported/model.h5: made from a dataset of 128 rows, $crc, but .*imported/dataset.h5 has 128 rows, $crc" 2 run "$deck"
expect 3 'imported/model.h5: made from a dataset' 1 report "$deck"
mv "$dir/model.h5" "$work/first_model.h5"
expect 3 "imported/samples.h5: made from a model of $crc, but .*imported/model.h5 has $crc" 2 run "$deck"
"$PYTHON" - "$work/user.h5" <<'PY'
import h5py, sys
with h5py.File(sys.argv[1], "r+") as f:
    c, rate = f["c"][:], f["rate"][:]
    del f["c"], f["rate"]
    f["c"], f["rate"] = list(c) + list(c[:8]), list(rate) + list(rate[:8])
PY
expect 3 'the file is user.h5' 1 import "$deck" # rows appended
rm "$work/user.h5"
run 1 import "$deck"
grep -q 'whether it has changed is not known' "$work/out" || fail "a source that is gone is not said"

# Equations: every study of a model that is then replaced by another; an unfinished one is not gone on with either.
deck=$work/deck.yaml dir=$work/run
tiny_deck "$deck" "$dir"
cat >>"$deck" <<DECK
uq: {count: 60}
likelihood: {count: 8, steps: 2}
refine: {count: 2, iterations: 2}
sensors: {at: ["phi:0"], value: [-0.2], sd: [0.05]}
infer: {count: 100, moves: 1}
DECK
studies="sample uq infer likelihood compare refine"
run 1 generate "$deck"
run 1 train "$deck"
"$SCORIA" info "$dir/dataset.h5" >"$work/out" 2>&1
grep -q "^identity     288 rows, $crc" "$work/out" || { fail "info does not tell a dataset's identity"; cat "$work/out" >&2; }

# The deck of the day wishes for another training and other rows: what is stored is what the model is.
wish=(-train_steps 20000 -ensemble_conditions 96)
for study in $studies; do
  run 1 "$study" "$deck" "${wish[@]}"
done
for study in sample uq; do run 1 "$study" "$deck"; done # complete, and not another's
mkdir "$work/elsewhere" && cp "$dir/model.h5" "$work/elsewhere/" # a copy, without its dataset
run 1 sample "$deck" -run_dir "$work/elsewhere"
printf '0.15 10 1e-5\n' >"$work/conditions.txt"
run 1 uq "$deck" -uq_file listed.h5 -uq_conditions "$work/conditions.txt"
run 1 likelihood "$deck" -likelihood_output of_samples.h5 -likelihood_file "$dir/samples.h5"
timeout 60 "$SCORIA" sample "$deck" -sample_file half.h5 -sample_count 300000 -run_max_hours 1e-4 >"$work/out" 2>&1
[ $? -eq 75 ] || { fail "samples that are stopped"; cat "$work/out" >&2; }
timeout 60 "$SCORIA" uq "$deck" -uq_file half_uq.h5 -uq_count 100000000 -run_max_hours 1e-4 >"$work/out" 2>&1
[ $? -eq 75 ] || { fail "a uq that is stopped"; cat "$work/out" >&2; }
"$PYTHON" - "$dir" <<'PY' || fail "stored settings, or what results were made from"
import h5py, sys
at = lambda name: h5py.File(f"{sys.argv[1]}/{name}").attrs
text = lambda name, key: at(name)[key].decode()
model = None
for name in ("samples.h5", "uq.h5", "posterior.h5", "likelihood.h5", "compare.h5", "refine.h5", "refined.h5", "listed.h5", "of_samples.h5"):
    deck = text(name, "deck")
    assert "steps: 30\n" in deck and "steps: 20000" not in deck, name
    assert "  conditions: 48\n" in deck and "  conditions: 96" not in deck, name
    model = model or text(name, "made_from_model")
    assert text(name, "made_from_model") == model, name
data = text("model.h5", "made_from_dataset")
assert data.startswith("288 rows, CRC32C ")
assert text("likelihood.h5", "made_from_dataset") == text("compare.h5", "made_from_dataset") == data
assert text("refined.h5", "made_from_file").startswith("40 rows, CRC32C ") and "conditions.txt" in text("listed.h5", "made_from_file")
PY
# A file that the deck names has changed.
printf '0.15 12 1e-5\n' >"$work/conditions.txt"
expect 3 "listed.h5: made from .*conditions.txt when that was conditions.txt, 13 bytes, $crc; it is" 1 uq "$deck" -uq_file listed.h5 -uq_conditions "$work/conditions.txt"
mv "$dir/samples.h5" "$work/kept_samples.h5"
run 1 sample "$deck" -run_seed 4
expect 3 "refined.h5: made from .*samples.h5 when that was 40 rows, $crc; it is 40 rows, $crc now" 1 refine "$deck"
cp "$work/kept_samples.h5" "$dir/samples.h5"
# Another model.
cp "$dir/model.h5" "$work/model.h5"
mkdir "$work/other" && cp "$dir/dataset.h5" "$work/other/"
run 1 train "$deck" -run_dir "$work/other" -train_steps 20
cp "$work/other/model.h5" "$dir/model.h5"
for study in sample uq infer likelihood compare; do
  expect 3 "made from a model of $crc, but .*run/model.h5 has $crc" 1 "$study" "$deck"
done
expect 3 "half.h5.part: made from a model of $crc, but" 1 sample "$deck" -sample_file half.h5 -sample_count 300000
expect 3 "uq.ckpt: made from a model of $crc, but" 1 uq "$deck" -uq_file half_uq.h5 -uq_count 100000000
mv "$dir/refined.h5" "$work/kept.h5"
expect 3 "samples.h5: made from a model of $crc" 1 refine "$deck"
cp "$work/model.h5" "$dir/model.h5"

# A dataset that has grown is no stranger to a model of its beginning; another one is.
run 1 generate "$deck" -ensemble_conditions 64
for study in compare likelihood; do run 1 "$study" "$deck" -ensemble_conditions 64; done # complete
mv "$dir/likelihood.h5" "$work/old_likelihood.h5"
run 1 likelihood "$deck" -ensemble_conditions 64
grep -q 'model.h5: made from the first rows of .*dataset.h5, which has grown since' "$work/out" || fail "it is not said that the dataset has grown"
"$PYTHON" - "$dir/likelihood.h5" "$work/old_likelihood.h5" <<'PY' || fail "the rows that training left out are others in a dataset that has grown"
import h5py, sys
a, b = (h5py.File(name) for name in sys.argv[1:])
assert (a["row"][:] == b["row"][:]).all() and (a["log_density"][:] == b["log_density"][:]).all()
PY
mv "$dir/dataset.h5" "$work/grown.h5"
run 1 generate "$deck" -run_seed 8
expect 3 "run/model.h5: made from a dataset of 288 rows, $crc, but .*run/dataset.h5 has 288 rows, $crc" 1 uq "$deck" -uq_file other.h5
finish
