#!/usr/bin/env bash
# Conditions of few values, in a deck (snapshots of decades) and in a user's file (temperatures at three values, rates of decades, two sides,
# one layer count): training does not fail on them, and between the values samples follow the law.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# ------------------------------------------------------------------------------------------------------------ deck ----
# Few rows at six times of decades: trainings ended here with "no baseline at this condition", as the middle of the ranges, 1505 s, lies
# between two times that are .7 of the range apart.
deck=$SCORIA_SOURCE/input/article_transient.yaml
few=(-run_dir "$work/times" -ensemble_cells 24 -ensemble_conditions 192 -ensemble_realisations 4 -train_steps 40 -train_batch 64)
for command in generate train; do
  scoria 2 "$command" "$deck" "${few[@]}" >"$work/out" 2>&1 || { fail "$command of snapshots"; cat "$work/out" >&2; }
done
grep -q 'time takes few values, which are more even in its logarithm' "$work/out" || fail "no word of the coordinate of the time"
"$SCORIA" info "$work/times/model.h5" >"$work/info" || fail "info of the model"
# At a time between: as fine snapshots have it (-ensemble_times), not ten times off; and under -strict, as these times tell it.
scoria 1 generate "$deck" "${few[@]}" -run_dir "$work/fine" -ensemble_times "1505,2000" -ensemble_conditions 32 -ensemble_realisations 64 >"$work/out" 2>&1 ||
  { fail "snapshots between"; cat "$work/out" >&2; }
at=(-sample_time 1505 -sample_F_right 20 -sample_ell 8e-6 -sample_count 2000 -strict)
scoria 2 sample "$deck" "${few[@]}" "${at[@]}" >"$work/out" 2>&1 || { fail "sample between snapshots"; cat "$work/out" >&2; }
grep -q WARNING "$work/out" && fail "a warning of times that tell what is between"
"$PYTHON" - "$work" <<'PY' || fail "samples between snapshots"
import sys, h5py, numpy as np
work = sys.argv[1]
with h5py.File(work + "/times/model.h5") as f:
    assert f["conditions/time"].attrs["log_learned"] == 1 and f["conditions/time"].attrs["log"] == 0
    assert "log_learned" not in f["conditions/F_right"].attrs and f["conditions/ell"].attrs["log"] == 1
with h5py.File(work + "/fine/dataset.h5") as f:
    t, F = f["conditions/time"][:], f["conditions/F_right"][:]
    c = f["fields/c"][:] - 1000
    rows = t == 1505
    slope = c[rows] / F[rows, None]                       # the equations are linear in the current
with h5py.File(work + "/times/samples.h5") as f:
    got = f["fields/c"][:] - 1000
expected = 20 * slope.mean(0)
off = np.abs(got.mean(0) - expected)[12:] / expected[12:]
# 64 x 16 solves at all correlation lengths, the mean over which differs from that at 8 um by some percent; a few hundred rows to learn from
assert np.all(off < 0.25), off
PY

# ------------------------------------------------------------------------------------------------------------ file ----
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng = np.random.default_rng(1)
T, rate, side = (a.ravel() for a in np.meshgrid([273.15, 298.15, 313.15], [0.1, 1.0, 10.0], [0.0, 1.0], indexing="ij"))
x = (np.arange(12) + 0.5) / 12
l = np.log10(rate)
mean = 1000 + 2 * (T - 293.15) + 100 * l + 30 * l**2 + 20 * side
e = rng.normal(size=(18, 64, 2))
v = mean[:, None, None] + 10 * np.exp(0.3 * l)[:, None, None] * (e[..., :1] + e[..., 1:] * np.cos(np.pi * x))
with h5py.File(sys.argv[1] + "/levels.h5", "w") as f:
    f["v"], f["T"], f["rate"], f["side"], f["layers"], f["x"] = v, T + 0.02 * rng.normal(size=18), rate, side, np.full(18, 5.0), x
PY
cat >"$work/levels.yaml" <<YAML
run: {dir: $work/levels}
import: {file: $work/levels.h5, fields: [v=/v], conditions: [T=/T, rate=/rate, side=/side, layers=/layers], x: /x}
train: {network: modes, modes: 2, all_modes: 12, steps: 0}
YAML
for command in import train; do
  scoria 2 "$command" "$work/levels.yaml" >"$work/out" 2>&1 || { fail "$command of levels"; cat "$work/out" >&2; }
done
grep -q 'rate takes few values' "$work/out" || fail "no word of the coordinate of the rate"
grep -q 'WARNING: side takes two values' "$work/out" || fail "no word of two values"
scoria 1 sample "$work/levels.yaml" -sample_at "T=285,rate=0.3,side=0.5" -sample_source gaussian -sample_count 4000 >"$work/out" 2>&1 ||
  { fail "sample between levels"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "samples between levels"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1] + "/levels/model.h5") as f:
    assert "log_learned" in f["conditions/rate"].attrs and "log_learned" not in f["conditions/T"].attrs
with h5py.File(sys.argv[1] + "/levels/samples.h5") as f:
    v = f["fields/v"][:]
x, l = (np.arange(12) + 0.5) / 12, np.log10(0.3)
sd = 10 * np.exp(0.3 * l) * np.sqrt(1 + np.cos(np.pi * x) ** 2)
mean = 1000 + 2 * (285 - 293.15) + 100 * l + 30 * l**2 + 10
# Means of 64 rows are known to SD / 8, and degree 2, which is the law's, amplifies that by 1.5 at most in each of three conditions: .4
assert np.all(np.abs(v.mean(0) - mean) < 0.4 * sd), (v.mean(0) - mean) / sd
assert np.all(np.abs(np.log(v.std(0) / sd)) < 0.3), v.std(0) / sd
PY
finish
