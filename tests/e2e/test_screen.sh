#!/usr/bin/env bash
# uq of several fidelities, of which one chooses draws near outer quantiles for the deck's own solve: the same bits on any ranks and after stops; groups that share a solve; refusals.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
ask=(-ensemble_cells "8,8" -conditions_ell "2e-5,2.1e-5" -uq_source multilevel -uq_pilot 40 -uq_count 600 -uq_quantiles "0.02,0.98" -uq_tolerance_for "max_c"
  -uq_fidelities "grid:2,line" -uq_screen grid:2)
for ranks in 1 3; do
  scoria "$ranks" uq "$deck" "${ask[@]}" -run_dir "$work/on$ranks" >"$work/out" 2>&1 || { fail "uq on $ranks ranks"; cat "$work/out" >&2; }
done
in_pieces "$work/again" 60 1 "5 * i * i" uq "$deck" "${ask[@]}"
scoria 2 uq "$deck" "${ask[@]}" -ensemble_group_size 2 -run_dir "$work/shared" >"$work/out" 2>&1 || { fail "groups that share a solve"; cat "$work/out" >&2; }
scoria 2 uq "$deck" "${ask[@]}" -ensemble_whole_fields true -ensemble_lateral_sd false -run_dir "$work/whole" >"$work/out" 2>&1 || { fail "whole fields"; cat "$work/out" >&2; }
grep -q 'draws of .*screened' "$work/out" || { fail "the plan makes no use of the screened member"; cat "$work/out" >&2; }

for hours in 0.0004 0.001 0.003; do # a busy machine has not yet done what is kept
  if [ ! -e "$work/old/uq.ckpt" ]; then expect 75 "" 1 uq "$deck" "${ask[@]}" -uq_count 60000 -run_dir "$work/old" -run_max_hours "$hours"; fi
done
"$PYTHON" - "$work/old/uq.ckpt" <<'PY' || fail "no checkpoint to make one of an earlier version of"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "r+") as f:
    f.attrs.modify("answers", np.int64(3))
PY
expect 3 "uq.ckpt: written by an earlier version of scoria, which chose draws of uq_screen in another way" 1 uq "$deck" "${ask[@]}" -uq_count 60000 -run_dir "$work/old"

"$PYTHON" - "$work" <<'PY' || fail "answers with a screened member"
import json, sys
import numpy as np
from arrays import arrays_of
work = sys.argv[1]
def arrays(path):
    return arrays_of(f"{work}/{path}/uq.h5")
one = arrays("on1")
for path in ("on3", "again"):
    other = arrays(path)
    assert one.keys() == other.keys() and len(one) > 40 and all(one[k].tobytes() == other[k].tobytes() for k in one), path
shared, max_c = arrays("shared"), "quantities/max_c"  # other counts of iterations, another plan
for what in ("mean", "sd", "quantile"):
    error = np.hypot(one[f"{max_c}/{what}_se"], shared[f"{max_c}/{what}_se"])
    assert (error > 0).all() and (np.abs(one[f"{max_c}/{what}"] - shared[f"{max_c}/{what}"]) < 4 * error).all(), (what, one[f"{max_c}/{what}"], shared[f"{max_c}/{what}"], error)
answer = json.load(open(f"{work}/on1/uq.json"))
assert [f["name"] for f in answer["fidelities"]] == ["fine", "grid:2", "line", "screened", "porosity"]
level = answer["conditions"][0]["multilevel"]
groups = [g for g in level["groups"] if "screened" in g["fidelities"].split()]
assert level["fidelities"][3]["solves"] == sum(g["draws"] for g in groups)
fine = 40 + sum(g["draws"] for g in level["groups"] if "fine" in g["fidelities"].split())
extra = level["fidelities"][0]["solves"] - fine  # of draws that are screened and not solved anyway
assert extra >= 0 and (extra > 0 or not [g for g in groups if "fine" not in g["fidelities"].split()]), (extra, groups)
work_told = sum(m["cost"] * m["solves"] for i, m in enumerate(level["fidelities"]) if i != 3)
assert abs(level["work"] / work_told - 1) < 1e-9
PY

expect 3 'uq: screen: found "grid:4", expected one of uq_fidelities but mirror' 1 uq "$deck" "${ask[@]}" -uq_screen grid:4 -run_dir "$work/bad"
expect 3 'uq: screen: found beside uq_quantiles that have no outer ones, expected quantiles up to 0.025 or from 0.975' 1 uq "$deck" "${ask[@]}" -uq_quantiles 0.5 -run_dir "$work/bad"
expect 3 'uq: screen: found beside tolerance_of means' 1 uq "$deck" "${ask[@]}" -uq_tolerance_of means -run_dir "$work/bad"
expect 3 'uq: screen: found beside estimator mfmc, expected mlblue' 1 uq "$deck" "${ask[@]}" -uq_estimator mfmc -run_dir "$work/bad"
expect 3 'uq: screen: found 5 fidelities beside the deck.s own, expected at most 4' 1 uq "$deck" "${ask[@]}" -uq_fidelities "line,columns,mirror,lateral:2,grid:2" -run_dir "$work/bad"
finish
