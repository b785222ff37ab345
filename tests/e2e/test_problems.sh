#!/usr/bin/env bash
# Every deck of input/, at a small size, through the whole path: generate, train, sample, compare, report, uq, solve, info; then a solid
# that conducts, states in time, and two dimensions with what varies laterally.  What the files hold is what their deck asks for.
# A deck that is added is tested without an edit here.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

small=(-ensemble_conditions 32 -ensemble_realisations 6 -train_steps 12 -train_batch 64 -train_micro_batches 4 -train_width 16
  -train_depth 1 -train_embed 16 -train_modes 6 -train_all_modes 8 -sample_count 30 -sample_steps 4 -compare_conditions 2
  -compare_count 40 -compare_directions 16 -uq_count 40 -solve_count 2)
has_h5py=true
"$PYTHON" -c 'import h5py' 2>/dev/null || has_h5py=false

# Fewer cells along as many axes as the deck has.
small_cells() { # DECK
  case $(sed -n 's/^ *cells: *\[\([^]]*\)\].*/\1/p' "$1" | tr -cd , | wc -c) in
    0) echo 16 ;;
    1) echo 12,6 ;;
    *) echo 10,4,4 ;;
  esac
}

step() { # NAME COMMAND ARGUMENTS...
  local name=$1
  shift
  scoria 2 "$@" >"$work/out" 2>&1 || {
    fail "$name: scoria $1"
    cat "$work/out" >&2
  }
}

check_files() { # NAME FIELDS: fields of state in their order, "" where the test does not know the problem
  local run=$work/$1
  for file in dataset.h5 model.h5 samples.h5 compare.h5 compare.json uq.h5 uq.json solve.h5 report.html; do
    [ -s "$run/$file" ] || fail "$1: $file is missing"
  done
  ls "$run"/*.part >/dev/null 2>&1 && fail "$1: a partial file was left"
  $has_h5py || return 0
  "$PYTHON" - "$run" "$2" <<'PY' || fail "$1: its files are not what its deck asks for"
import json, sys
import h5py, numpy as np
run, expected = sys.argv[1], sys.argv[2].split()
deck, section = {}, ""
for line in open(run + "/deck.yaml"):
    key, _, value = line.partition(":")
    if line[0] != " ":
        section = key
    elif value.strip():
        deck[section, key.strip()] = value.strip().strip("'")
def numbers(text):
    return [float(word) for word in text.strip("[]").split(",")]

files = {name: h5py.File(f"{run}/{name}.h5") for name in ("dataset", "samples", "solve", "compare", "uq")}
dataset, samples = files["dataset"], files["samples"]
text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
fields, conditions = (text(dataset.attrs[name]).split() for name in ("fields", "conditions"))
state = [f for f in fields if f != "eps" and not f.endswith("_sd")]
print(run.rsplit("/", 1)[1], fields, conditions)
assert not expected or state == expected, (state, expected)
assert "eps" in fields and text(samples.attrs["fields"]).split() == state and text(files["solve"].attrs["fields"]).split() == fields
assert [f for f in fields if f.endswith("_sd")] == ([f + "_sd" for f in state + ["eps"]] if deck["ensemble", "lateral_sd"] == "true" else [])
assert sorted(dataset["fields"]) == sorted(fields) and sorted(dataset["conditions"]) == sorted(conditions)

# ranges of the deck are conditions, with those bounds, and the rows lie in them
assert ("time" in conditions) == (deck["ensemble", "mode"] == "transient")
for (section, name), value in deck.items():
    if section != "conditions" or name in ("design", "file"):
        continue
    column, (lo, hi) = dataset["conditions/" + name], numbers(value)
    assert column.attrs["lo"] == lo and column.attrs["hi"] == hi, name
    assert np.all(column[:] >= lo) and np.all(column[:] <= hi) and column[:].min() < column[:].max(), name
for name, f in files.items():
    assert sorted(f["conditions"]) == sorted(conditions), name

# rows are solved, finite, and not all the same
cells = int(numbers(deck["ensemble", "cells"])[0])
solved = dataset["status/done"][:] == 1
assert solved.mean() >= 0.95
for f in fields:
    values = dataset["fields/" + f][:][solved]
    assert values.shape[1] == cells and np.all(np.isfinite(values)) and values.std(axis=0).max() > 0, f
    assert dataset["fields/" + f].attrs["units"] is not None
for f in state:
    assert samples["fields/" + f].shape == (30, cells) and np.all(np.isfinite(samples["fields/" + f][:])), f
    assert np.all(files["uq"][f"fields/{f}/sd"][:] >= 0)
nowhere = ("tails/checked", "tails/differs", "tails/ratio")  # NaN where a tail agrees, or differs, nowhere
for name in ("uq", "compare"):
    files[name].visititems(lambda path, o: None if not isinstance(o, h5py.Dataset) or path in nowhere or np.all(np.isfinite(o[()])) else sys.exit(f"{name}: {path} is not finite"))

told, uq = (json.load(open(f"{run}/{name}.json")) for name in ("compare", "uq"))
assert len(told["conditions"]) == 2
for one in told["conditions"] + uq["conditions"]:
    assert list(one)[:len(conditions)] == conditions
for side in ("model", "gaussian", "floor"):
    assert all(np.isfinite(v) for v in told["pooled"][side].values()), side
quantities = uq["conditions"][0]["quantities"]
assert f"min_{state[0]}" in quantities and f"max_{state[0]}" in quantities and len(quantities) > 2
for name, q in quantities.items():
    assert np.isfinite(q["mean"]) and q["sd"] > 0 and q["unit"] and q["description"], name

# means of all that came after the dataset lie where its fields do, each channel in its own place
for f in state:
    values = dataset["fields/" + f][:][solved]
    width = values.max() - values.min()
    for mean in (samples["fields/" + f][:].mean(axis=0), files["compare"][f"pde/{f}/mean"], files["compare"][f"model/{f}/mean"], files["uq"][f"fields/{f}/mean"]):
        assert np.all(mean[()] > values.min() - width / 2) and np.all(mean[()] < values.max() + width / 2), f

# values at the ends are those of the profiles, extended by half a cell
for name, f, at in [(f + "_x0", f, 0) for f in state] + [(f + "_xL", f, -1) for f in state] + [("phi_collector", "phi", 0)]:
    if name in quantities:
        mean = files["uq"][f"fields/{f}/mean"][0]
        end = 1.5 * mean[at] - 0.5 * mean[1 if at == 0 else -2]
        assert abs(quantities[name]["mean"] - end) < 1e-6 * np.ptp(mean), name

# the page is about this problem
page = open(run + "/report.html", encoding="utf-8").read()
for f in state:
    assert text(dataset["fields/" + f].attrs["description"]) in page, f
PY
}

problem_fields() { # DECK: fields of the problems that this test knows
  case $(sed -n 's/^ *problem: *\([a-z0-9_]*\).*/\1/p' "$1") in
    "" | electrode) grep -q '^ *solid: *ohmic' "$1" && echo "c phi phi_s" || echo "c phi" ;;
    heat) echo "T" ;;
  esac
}

whole_path() { # NAME DECK FIELDS [-key value ...]
  local name=$1 deck=$2 fields=$3
  shift 3
  local options=(-run_dir "$work/$name" "${small[@]}" "$@")
  step "$name" run "$deck" "${options[@]}"
  step "$name" uq "$deck" "${options[@]}"
  step "$name" solve "$deck" "${options[@]}"
  scoria 1 info "$work/$name/compare.h5" >"$work/out" 2>&1 || fail "$name: info"
  check_files "$name" "$fields"
}

# A deck of whole fields: what makes them.
whole_fields() { # NAME DECK [-key value ...]
  local name=$1 deck=$2
  shift 2
  local options=(-run_dir "$work/$name" -ensemble_conditions 8 -ensemble_realisations 2 -solve_count 2 "$@")
  step "$name" generate "$deck" "${options[@]}"
  step "$name" solve "$deck" "${options[@]}"
  scoria 1 info "$work/$name/dataset.h5" >"$work/out" 2>&1 || fail "$name: info"
  grep -q 'rows  *16: 16 solved, 0 failed' "$work/out" || { fail "$name: its solves"; cat "$work/out" >&2; }
  [ -s "$work/$name/solve.h5" ] || fail "$name: solve.h5 is missing"
}

for deck in "$SCORIA_SOURCE"/input/*.yaml; do
  if grep -q '^ *whole_fields: *true' "$deck"; then
    whole_fields "$(basename "$deck" .yaml)" "$deck" -ensemble_cells "$(small_cells "$deck")"
    continue
  fi
  whole_path "$(basename "$deck" .yaml)" "$deck" "$(problem_fields "$deck")" -ensemble_cells "$(small_cells "$deck")"
done

electrode=$SCORIA_SOURCE/input/quickstart.yaml
whole_path ohmic "$electrode" "c phi phi_s" -ensemble_cells 16 -electrode_solid ohmic -electrode_g_sep 1000
whole_path transient "$electrode" "c phi" -ensemble_cells 12 -ensemble_mode transient -conditions_time 1,60
whole_path lateral "$electrode" "c phi" -ensemble_cells 12,6 -ensemble_lateral_sd true -ensemble_full_rows 5,1

# What uq asks of an electrode goes by the electrode's names, of another problem by its fields at both ends.
if [ -s "$work/heat/uq.json" ]; then
  grep -q '"T_x0"' "$work/heat/uq.json" || fail "heat: uq does not tell T at x = 0"
fi
for name in min_c phi_collector total_current phi_s_separator; do
  grep -q "\"$name\"" "$work/ohmic/uq.json" || fail "ohmic: uq does not tell $name"
done
if command -v gnuplot >/dev/null 2>&1; then
  [ -s "$work/transient/figures/times.svg" ] || fail "transient: no figure of profiles against time"
  [ -s "$work/lateral/figures/fields.svg" ] || fail "lateral: no figure of whole fields"
fi
if $has_h5py; then
  "$PYTHON" - "$work/lateral" <<'PY' || fail "lateral: whole fields do not average to the rows"
import sys, h5py, numpy as np
whole, rows = (h5py.File(f"{sys.argv[1]}/{name}.h5") for name in ("fields", "dataset"))
chosen = whole["row"][:].astype(int)
assert list(chosen) == [5, 1]
for f in ("c", "phi", "eps"):
    full = whole["fields/" + f][:]
    assert full.shape == (2, 1, 6, 12)
    assert np.allclose(full.mean(axis=(1, 2)), rows["fields/" + f][:][chosen], rtol=1e-6), f
    assert np.allclose(full.std(axis=(1, 2)), rows[f"fields/{f}_sd"][:][chosen], rtol=1e-4, atol=1e-6 * abs(full).max()), f
PY
fi
finish
