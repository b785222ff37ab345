#!/usr/bin/env bash
# Data of another program at reduced size, from its file to the verdict: flow through a porous plane by SciPy (benchmarks/darcy.py), as a
# new user would: what is in the file, a deck with the fields' bounds, run.  Needs SciPy.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

if ! "$PYTHON" -c 'import scipy, h5py' 2>/dev/null; then
  echo "skipped: the data are made by SciPy, which $PYTHON does not have (python3-scipy)"
  exit 77
fi
"$PYTHON" "$SCORIA_SOURCE/benchmarks/darcy.py" "$work/darcy.h5" -cells 16,8 -conditions 60 -realisations 6 || fail "benchmarks/darcy.py"
scoria 1 import -import_file "$work/darcy.h5" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "listing"; cat "$work/out" >&2; }
for line in '/pressure *(360, 8, 16) *field' '/speed .*field' '/x *(16) *m *x$' '/y *(8) *m *y$' '/sigma .*condition' 'can be used as it is'; do
  grep -q "$line" "$work/out" || { fail "the listing lacks: $line"; cat "$work/out" >&2; }
done
cat >"$work/deck.yaml" <<DECK
run: {dir: $work/run}
import:
  file: $work/darcy.h5
  fields:
    pressure: {path: /pressure, bounds: [0, 1]}
    speed: {path: /speed, bounds: [0, .inf]}
  conditions: {sigma: {path: /sigma}, ell: {path: /ell}}
  x: /x
  y: /y
train: {steps: 0}
sample: {count: 400}
DECK
scoria 2 run "$work/deck.yaml" >"$work/out" 2>&1 || { fail "run"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || { fail "the verdict"; cat "$work/out" >&2; }
import json, sys, h5py, numpy as np
samples, data = (h5py.File(f"{sys.argv[1]}/run/{n}.h5")["fields"] for n in ("samples", "dataset"))
p, speed = samples["pressure"][:], samples["speed"][:]
assert p.shape == (400, 1, 8, 16) and 0 <= p.min() and p.max() <= 1 and speed.min() >= 0
# Bounds that the data come near to.
assert data["pressure"][:].max() > 0.99 and data["speed"][:].min() < 0.05 * data["speed"][:].mean()
verdict = json.load(open(sys.argv[1] + "/run/compare.json"))
w = {s: verdict["pooled"][s]["sliced_w"] for s in ("model", "floor")}
print("# sliced W", w, "SD bias", verdict["pooled"]["model"]["sd_bias"])
# 1 is expected; the floor of the 78 rows held back scatters by a third, and so does their SD by 1 / sqrt(2 n), 8 %
assert w["model"] < 1.8 * w["floor"] and abs(verdict["pooled"]["model"]["sd_bias"]) < 0.24, verdict["pooled"]
page = open(sys.argv[1] + "/run/report.html", encoding="utf-8").read()
assert 'id="figure-maps2"' in page and 'id="figure-extremes"' in page
PY
finish
