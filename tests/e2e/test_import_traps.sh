#!/usr/bin/env bash
# import and what follows: a file that can be read but is not what it seems. What would be a wrong answer is told, of such a file and of none
# that is as it should be.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || { fail "the inputs"; finish; }
import sys, h5py, numpy as np
rng = np.random.default_rng(1)
conditions, each, cells = 40, 6, 16
rate = np.repeat(rng.uniform(0.5, 2, conditions), each)
u = (np.arange(cells) + 0.5) / cells
z = rng.normal(size=(3, conditions * each, 1))
good = {"x": 80e-6 * u, "rate": rate, "T": np.repeat(rng.uniform(290, 320, conditions), each),
        "c": 1000 + 200 * rate[:, None] * (1 - u**2) * (1 + 0.2 * z[0] + 0.1 * z[1] * np.cos(np.pi * u)),
        "phi": -0.2 - 0.01 * rate[:, None] * u * (1 + 0.2 * z[0]) + 0.001 * z[2] * np.sin(np.pi * u)}
def write(name, **other):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as f:
        for key, unit in {"x": "m", "c": "mol m^-3", "phi": "V", "T": "K", "rate": "1"}.items():
            f[key] = other.get(key, good[key])
            f[key].attrs["units"] = unit
write("good")
write("together", T=290 + 10 * rate)
def other(key, rows, value, cells=slice(None)):
    v = good[key].copy()
    v[rows, cells] = value
    return v
write("gap", c=other("c", [66, 70], -9999.0, 5), phi=other("phi", [3], 9.969209968386869e36))
c = other("c", [66, 70], np.nan, 5)
print(f"{np.nanmin(c):.6g} to {np.nanmax(c):.6g}", file=open(sys.argv[1] + "/range", "w"))
write("condition", rate=np.where(np.arange(240) // 6 == 2, -999, rate))
write("zero", c=other("c", slice(234, None), 0))
write("unwritten", c=other("c", slice(234, None), 0) - 1100 * (np.arange(240) < 234)[:, None], phi=other("phi", slice(234, None), 0) + 0.2 * (np.arange(240) < 234)[:, None])
write("twice", **{k: np.concatenate([v, v]) for k, v in good.items() if k != "x"})
write("constant", phi=np.full_like(good["phi"], -0.2))
flags = rng.integers(0, 3, (240, cells))
flags[:9] = 0
write("flags", c=flags, phi=rng.integers(0, 2, 240).astype(float))    # a flag a cell, of which some rows have none; and one a row
write("bounded", c=np.where(good["c"] < 1200, 0, good["c"] - 1200))   # a field that is 0 where another is not
PY
cat >"$work/deck.yaml" <<DECK
import: {fields: [c=/c, phi=/phi], conditions: [rate=/rate, T=/T], x: /x}
train: {steps: 0}
DECK
run() { # FILE COMMAND ...: in the run directory of that file; what is said goes to FILE.out
  local file=$1
  shift
  scoria 1 "$1" "$work/deck.yaml" -import_file "$work/$file.h5" -run_dir "$work/$file" "${@:2}" >"$work/$file.out" 2>&1
}
said() { # FILE PATTERN: in the line of a warning
  grep -q "WARNING: $2" "$work/$1.out" || { fail "$1: not told: $2"; cat "$work/$1.out" >&2; }
}
silent() {
  if grep "WARNING" "$work/$1.out" >&2; then fail "$1: warned of without a reason"; fi
}
for file in good together; do
  run "$file" import || fail "import $file"
  silent "$file"
done

# Numbers that look as if they were none: on any ranks alike, what is in single precision and what is in double.
while read -r file pattern; do
  for ranks in 1 3; do
    rm -rf "${work:?}/$file"
    scoria "$ranks" import "$work/deck.yaml" -import_file "$work/$file.h5" -run_dir "$work/$file" >"$work/$file.out" 2>&1 || fail "import $file on $ranks"
    if [ -z "$pattern" ]; then silent "$file"; else said "$file" "${pattern/@/$(cat "$work/range")}"; fi
  done
done <<'LIST'
gap c: -9999 mol m^-3 in 2 rows, far from all other values, @: a gap that is not marked
gap phi: 9.969[0-9]*e+36 V in 1 row, far from
condition rate: -999 in 6 rows, far from all other values,
zero c: 0 in all cells of 6 rows, else 10[0-9.]* to 1[0-9.]*: never written
unwritten 6 of 240 rows are 0 in all cells of all fields
twice 240 of 480 rows seem to repeat another of their condition
constant phi is -0.2 in all rows
bounded
flags
LIST

# A file that is written to while it is read. It is stopped when it has begun to write rows; where it is too quick for that it is tried again.
"$PYTHON" - "$work" <<'PY' || fail "a long file"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1] + "/grows.h5", "w") as f:
    f["x"], f["rate"], f["T"] = np.arange(100.0), np.repeat(np.arange(1.0, 61), 1000), np.repeat(np.arange(61.0, 1, -1), 1000)
    f["c"] = f["phi"] = np.random.default_rng(2).random((60000, 100), dtype="f4")
PY
for _ in 1 2 3 4 5; do
  rm -rf "$work/grows"
  "$SCORIA" import "$work/deck.yaml" -import_file "$work/grows.h5" -run_dir "$work/grows" >"$work/grows.out" 2>&1 &
  reader=$!
  until [ -e "$work/grows/dataset.h5.part" ] || ! kill -0 $reader 2>/dev/null; do :; done
  kill -STOP $reader 2>/dev/null
  printf x >>"$work/grows.h5"
  kill -CONT $reader 2>/dev/null
  wait $reader
  code=$?
  [ "$code" -eq 0 ] || break
done
if [ "$code" -ne 3 ] || ! grep -q 'grows.h5: it has changed while it was read: found grows.h5, [0-9]* bytes, CRC32C .*, then grows.h5, [0-9]* bytes' "$work/grows.out"; then
  fail "a file that changes: exit $code"
  cat "$work/grows.out" >&2
fi
if ls "$work"/grows/dataset* >/dev/null 2>&1; then fail "rows of a file that changed are kept"; fi

# A field that does not vary is no part of the verdict: its rounding is neither right nor wrong.
run constant run || fail "run of a constant field"
"$PYTHON" - "$work/constant/compare.json" <<'PY' || fail "the verdict beside a constant field"
import json, sys
pooled = json.load(open(sys.argv[1]))["pooled"]
print(pooled["model"]["sliced_w"], pooled["floor"]["sliced_w"])
assert pooled["model"]["sliced_w"] < 3 * pooled["floor"]["sliced_w"] < 1.5   # chance of 60 rows is a third; rounding gave 17
PY

grep -A2 '<h3>What looks wrong in the file</h3>' "$work/constant/report.html" | grep -q '<li>phi is -0.2 in all rows' || fail "the report does not show what import has warned of"

# Conditions that go together: between them nothing is known, though it lies inside their ranges.
run good train || fail "train good"
silent good
run together train || fail "train together"
said together 'rate and T go together in the training set (correlation +1.0000)'
run good uq -uq_map rate,T -uq_count 80 || fail "uq good"
silent good
run together sample -sample_at rate=1,T=300.5 || fail "sample near the line"
silent together
run together sample -sample_file off.h5 -sample_at rate=0.6,T=309 || fail "sample off the line"
said together 'rate = 0.6, T = 309 K: inside all ranges, but 5.* times as far out as the training conditions'
run together uq -uq_map rate,T -uq_map_points 3,3 -uq_count 20 || fail "uq off the line"
said together '6 of 9 conditions, the farthest rate = '
if run together uq -uq_file off.h5 -uq_map rate,T -uq_count 20 -strict; then fail "-strict lets extrapolation pass"; fi
"$PYTHON" - "$work" <<'PY' || fail "where training conditions lie"
import sys, h5py, numpy as np
for name in ("good", "together"):
    model, data = (h5py.File(f"{sys.argv[1]}/{name}/{f}.h5") for f in ("model", "dataset"))
    theta = np.stack([data["conditions/" + k][::6] for k in ("rate", "T")], 1)
    lo, hi = theta.min(0), theta.max(0)
    u = np.delete(2 * (theta - lo) / (hi - lo) - 1, model["holdout"][:].astype(int), 0)
    np.testing.assert_allclose(model["reach/mean"], u.mean(0), atol=1e-12)           # rounding
    np.testing.assert_allclose(model["reach/covariance"], np.cov(u.T, bias=True), atol=1e-12)
PY
finish
