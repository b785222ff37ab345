#!/usr/bin/env bash
# A plane, a profile and a scalar (a voltage) in one imported set, from the file to the report.  Their joint law is known: at a rate r
#   p(y, x) = r + .3 a cos(pi x) sin(pi y) + .1 b,   q(x) = mean of p over y,   V = 2 + mean of p / 2 + .02 e,
# a, b and e standard normal, so that the model's conditional Gaussian is exact.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || fail "the data"
import sys, h5py, numpy as np
rng, C, R = np.random.default_rng(1), 40, 50
x, y = ((np.arange(n) + 0.5) / n for n in (10, 6))
r = np.repeat(np.linspace(0.5, 2, C), R)
a, b, e = rng.normal(size=(3, C * R))
p = r[:, None, None] + 0.3 * a[:, None, None] * np.sin(np.pi * y)[:, None] * np.cos(np.pi * x) + 0.1 * b[:, None, None]
with h5py.File(sys.argv[1] + "/set.h5", "w") as f:
    f["x"], f["y"], f["r"], f["p"], f["q"], f["V"] = x, y, r, p, p.mean(1), (2 + p.mean((1, 2)) / 2 + 0.02 * e).reshape(C, R)
    f["wrong"], f["finer"] = np.zeros((C - 1, R)), np.zeros((C * R, 14))
    f["few"] = f["V"][:].reshape(C * R // 10, 10)  # as many realisations as cells along x
PY
cat >"$work/deck.yaml" <<DECK
run: {dir: $work/run}
import:
  file: $work/set.h5
  fields: {V: {path: /V, units: V, bounds: [0, 5]}, q: /q, p: /p}
  conditions: {r: /r}
  x: /x
  y: /y
train: {steps: 0}
sample: {count: 4000, r: 1.2}
compare: {count: 100}
DECK
scoria 2 run "$work/deck.yaml" >"$work/out" 2>&1 || { fail "run"; cat "$work/out" >&2; }
grep -q 'V: one value a row, held as the same along x and y' "$work/out" || fail "a scalar is not said"
grep -q 'q: lacks an axis of cells, held as the same along y' "$work/out" || fail "a profile is not said"
scoria 2 uq "$work/deck.yaml" -uq_r 1.2 -uq_count 4000 >>"$work/out" 2>&1 || { fail "uq"; cat "$work/out" >&2; }
"$PYTHON" - "$work/run" <<'PY' || { fail "the law"; cat "$work/out" >&2; }
import json, sys, h5py, numpy as np
run = sys.argv[1]
x = (np.arange(10) + 0.5) / 10
sin2 = np.sin(np.pi * (np.arange(6) + 0.5) / 6).mean()
with h5py.File(run + "/samples.h5") as f:
    V, q, p = (f["fields/" + n][:].astype(float) for n in "Vqp")
assert V.shape == q.shape == p.shape == (4000, 1, 6, 10)
sd = np.hypot(0.05, 0.02)  # of V: the cosine has no mean over the cells
assert np.ptp(V, axis=(1, 2, 3)).max() < 1e-5 * sd and np.ptp(q, axis=2).max() < 1e-5 * 0.1  # single precision is 1e-7 of the value
V, q, p = V[:, 0, 0, 0], q[:, 0, 0], p[:, 0]
# 1800 rows of training and 4000 of the sample: mean within 4 SE (of 1.5 regressed terms a condition's share), SD within 4 of its 2 %
print("# V: mean", V.mean(), "SD", V.std(), "q:", q.std(0)[0], "correlation", np.corrcoef(V, p.mean((1, 2)))[0, 1])
assert abs(V.mean() - 2.6) < 4 * sd * np.sqrt(3 / 1800 + 1 / 4000) and abs(V.std() / sd - 1) < 0.08, (V.mean(), V.std())
assert abs(np.corrcoef(V, p.mean((1, 2)))[0, 1] - 0.05 / sd) < 0.02  # its SE is (1 - .93^2) / sqrt(1800) = .003, and modes are cut off
assert np.all(np.abs(q.std(0) / np.hypot(0.3 * sin2 * np.cos(np.pi * x), 0.1) - 1) < 0.08)
assert np.sqrt(np.mean((p.mean(1) - q) ** 2)) < 0.05 * 0.1  # which the first follows from the second
with h5py.File(run + "/uq.h5") as f:
    mean, deviation = f["fields/V/mean"][:], f["fields/V/sd"][:]
assert np.all(np.abs(mean - 2.6) < 0.012) and np.all(np.abs(deviation / sd - 1) < 0.08)
with h5py.File(run + "/compare.h5") as f, h5py.File(run + "/dataset.h5") as d: assert np.array_equal(f["x"][:], d["x"][:])
pooled = json.load(open(run + "/compare.json"))["pooled"]
print("# sliced W", pooled["model"]["sliced_w"], "floor", pooled["floor"]["sliced_w"])
assert pooled["model"]["sliced_w"] < 1.8 * pooled["floor"]["sliced_w"]  # 1 is expected; see test_darcy
page = open(run + "/report.html", encoding="utf-8").read()
assert 'id="figure-maps2"' in page and 'id="figure-maps1"' not in page  # V has no map
assert "V (one value), q, p, imported from set.h5" in page and "training set: 2000 of 2000 imported rows of whole fields at 40 conditions" in page
assert "those of 4 conditions held back to compare with" in page
names = set(json.load(open(run + "/uq.json"))["conditions"][0]["quantities"])
assert "V" in names and not names & {"min_V", "max_V", "V_x0", "V_xL", "low_V", "x_min_V"}, names  # it is one number
assert {"min_q", "max_q", "q_x0", "q_xL", "min_p", "x_max_p"} <= names, names
PY
# Beside profiles: learned with the network, as one value and differences of 0 from it.
sed -e '/  y: /d' -e 's/, p: \/p}/}/' -e 's/steps: 0/steps: 60, width: 16, modes: 3/' -e "s:/run:/line:" "$work/deck.yaml" >"$work/line.yaml"
for command in import train "sample -sample_source network"; do
  read -ra words <<<"$command"
  scoria 2 "${words[0]}" "$work/line.yaml" "${words[@]:1}" >"$work/out" 2>&1 || { fail "profiles and a scalar: $command"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work/line/samples.h5" <<'PY' || fail "the law beside profiles"
import sys, h5py, numpy as np
V = h5py.File(sys.argv[1])["fields/V"][:].astype(float)
assert V.shape == (4000, 10) and np.ptp(V, axis=1).max() < 1e-5 * V.std()
# 60 steps keep near to the Gaussian that the network begins as
assert abs(V[:, 0].mean() - 2.6) < 0.02 and abs(V[:, 0].std() / np.hypot(0.05, 0.02) - 1) < 0.15, (V[:, 0].mean(), V[:, 0].std())
PY
bad() { # MESSAGE OPTIONS...
  local message=$1
  shift
  expect 3 "$message" 1 import "$work/deck.yaml" -run_dir "$work/bad" "$@"
}
bad 'V: array /V has the shape (40, 50), expected (rows, 6, 10)' -import_fields V=/V # nothing that has the cells
bad 'q: array /x has the shape (10), expected (rows, 6, 10)' -import_fields p=/p,q=/x
bad 'b: array /finer has the shape (2000, 14), .*; of a field on cells of its own its members x and y name their centres' -import_fields p=/p,b=/finer
bad 'V: found [1-9][0-9]* of 2000 rows with values outside its bounds \[2.5, 3\], as far as [23][0-9.]*; expected none' -import_fields '{p: /p, V: {path: /V, bounds: [2.5, 3]}}'
[ ! -e "$work/bad/dataset.h5.part" ] || fail "rows outside of bounds leave something behind"
scoria 1 import "$work/deck.yaml" -run_dir "$work/few" -import_fields few=/few,p=/p >"$work/out" 2>&1 || { fail "a scalar with as many realisations as cells"; cat "$work/out" >&2; }
grep -q 'few: one value a row' "$work/out" || fail "a scalar is taken for a profile"
bad 'w: array /wrong has the shape (39, 50), expected (rows, 6, 10)' -import_fields p=/p,w=/wrong
finish
