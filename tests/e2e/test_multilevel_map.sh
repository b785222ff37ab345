#!/usr/bin/env bash
# uq of several fidelities over a plane of two conditions: the same bits on any ranks, after stops and after a kill; points of a map are conditions as any others.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
ask=(-uq_source multilevel -uq_pilot 24 -uq_count 9000 -uq_quantiles "0.1,0.9" -uq_fidelities "mirror,grid:2" -uq_U0 0.2)
map=(-uq_map "F_right,ell" -uq_map_points "3,2")
for ranks in 1 3; do
  scoria "$ranks" uq "$deck" "${ask[@]}" "${map[@]}" -run_dir "$work/on$ranks" >"$work/out" 2>&1 || { fail "uq on $ranks ranks"; cat "$work/out" >&2; }
done
in_pieces "$work/again" 60 1 "5 * i * i" uq "$deck" "${ask[@]}" "${map[@]}"

# Stopped once, then killed as soon as a checkpoint is overwritten, and to its end on other ranks.
scoria 2 uq "$deck" "${ask[@]}" "${map[@]}" -run_dir "$work/killed" -run_max_hours 0.00002 >"$work/out" 2>&1
[ $? -eq 75 ] || { fail "uq was not stopped"; cat "$work/out" >&2; }
find "$work/killed" -name 'uq.ckpt*' -exec touch -d 2000-01-01 {} +
scoria 2 uq "$deck" "${ask[@]}" "${map[@]}" -run_dir "$work/killed" -run_checkpoint_minutes 0 >"$work/out" 2>&1 &
job=$!
for _ in $(seq 1000); do
  if [ -n "$(find "$work/killed" -name 'uq.ckpt*' -newermt 2001-01-01)" ] || ! kill -0 "$job" 2>/dev/null; then break; fi
  sleep 0.01
done
pkill -KILL -f -- "$SCORIA uq $deck .*$work/killed"
{ wait "$job"; } 2>/dev/null
[ -f "$work/killed/uq.h5" ] && fail "uq was not killed before its end"
scoria 1 uq "$deck" "${ask[@]}" "${map[@]}" -run_dir "$work/killed" >"$work/out" 2>&1 || { fail "uq after a kill"; cat "$work/out" >&2; }
grep -q 'uq.ckpt[.a-z]*: resuming at condition' "$work/out" || { fail "uq does not go on after a kill"; cat "$work/out" >&2; }

"$PYTHON" - "$work" <<'PY' || fail "maps of several fidelities"
import json, sys
import numpy as np
from arrays import arrays_of
work = sys.argv[1]
def arrays(path):
    return arrays_of(f"{work}/{path}/uq.h5")
one = arrays("on1")
for path in ("on3", "again", "killed"):
    other = arrays(path)
    assert one.keys() == other.keys() and len(one) > 30 and all(one[k].tobytes() == other[k].tobytes() for k in one), path
answer = json.load(open(f"{work}/on1/uq.json"))
points = answer["conditions"]
assert len(points) == 6 and all(p["U0"] == 0.2 for p in points)
assert sorted({p["F_right"] for p in points}) == [5, 12.5, 20] and len({p["ell"] for p in points}) == 2
with open(f"{work}/points.txt", "w") as f:
    f.writelines(f"{p['U0']!r} {p['F_right']!r} {p['ell']!r}\n" for p in points)
for p in points:  # the error of 9000 solves, and a pilot of 24
    fine, end = p["multilevel"]["fidelities"][0], p["quantities"]["phi_collector"]
    assert 24 < fine["solves"] and end["mean_se"] <= 1.01 * end["sd"] / 9000**0.5, (fine, end["mean_se"], end["sd"])
mean = {(p["F_right"], p["ell"]): p["quantities"]["phi_collector"]["mean"] for p in points}
for ell in {k[1] for k in mean}:  # more current, more overpotential
    line = [mean[F, ell] for F in (5, 12.5, 20)]
    assert line[0] > line[1] > line[2] or line[0] < line[1] < line[2], line
PY

# The same points by a file are the same draws and answers.
scoria 2 uq "$deck" "${ask[@]:0:10}" -uq_conditions "$work/points.txt" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "the points of the map as a list"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "points of a map and of a list"
import sys, h5py
a, b = (h5py.File(f"{sys.argv[1]}/{d}/uq.h5") for d in ("on1", "listed"))
for q in a["quantities"]:
    for key in ("mean", "mean_se", "sd", "quantile", "quantile_se"):
        assert a[f"quantities/{q}/{key}"][()].tobytes() == b[f"quantities/{q}/{key}"][()].tobytes(), (q, key)
PY
finish
