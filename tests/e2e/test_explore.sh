#!/usr/bin/env bash
# uq over many conditions and their ranges: maps, files of conditions, Sobol indices; the same answer on any number of ranks, in groups,
# and after interruptions; what the law p(x | theta) fixes is the same from model and PDE as far as the model is right; input that is wrong.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
run=$work/run
tiny_deck "$deck" "$run"
scoria 2 generate "$deck" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }
scoria 2 train "$deck" >"$work/out" 2>&1 || { fail "train"; cat "$work/out" >&2; }

uq() { # NAME RANKS ARGUMENTS...: into NAME.h5
  local name=$1 ranks=$2
  shift 2
  scoria "$ranks" uq "$deck" -uq_file "$name.h5" "$@" >"$work/out" 2>&1 || { fail "uq $name on $ranks ranks"; cat "$work/out" >&2; }
}

# 6 conditions: the first is shared, then two rounds are dealt to two ranks, one to three; the rest is shared.
explore=(-uq_map "F_right,ell" -uq_map_points "2,3" -uq_count 5000 -uq_sobol 60 -uq_sobol_draws 8)
for ranks in 1 2 3; do
  for source in model pde; do uq "$source$ranks" "$ranks" "${explore[@]}" -uq_source "$source"; done
done
uq groups 3 "${explore[@]}" -uq_source pde -ensemble_group_size 2 -run_dir "$work/grouped"
grep -q 'Sobol indices over the ranges of the conditions, 60 blocks of 8 rows' "$work/out" || fail "no table of Sobol indices"
uq wide 2 -uq_count 20 -uq_source pde -uq_sobol 1500 -uq_sobol_draws 1

# The map's conditions as lines of a file, in another order: the conditions' own numbers go with their place.
printf '# U0 F_right ell\n0.175, 20, 2.13e-5\n0.175 5 4.26e-6\n' >"$work/conditions.csv"
uq file 2 -uq_conditions "$work/conditions.csv" -uq_count 5000
uq values 1 -uq_F_right 5,20 -uq_ell 4.26e-6,2.13e-5 -uq_count 5000

# Interrupted among the dealt conditions and among the blocks, after .18 s, .36 s, ..., continued on other ranks.
long=(-uq_map F_right -uq_map_points 5 -uq_count 30000 -uq_sobol 200 -uq_sobol_draws 64 -sample_steps 12)
uq long 2 "${long[@]}"
mkdir "$work/again"
cp "$run/model.h5" "$work/again/"
in_pieces "$work/again" 60 2 "50 * i" uq "$deck" "${long[@]}" -uq_file long.h5
ls "$work"/again/uq.ckpt* >/dev/null 2>&1 && fail "uq left its checkpoints"

"$PYTHON" - "$work" <<'PY' || fail "explored answers"
import json, sys
import h5py, numpy as np
from arrays import arrays_of
work = sys.argv[1]
run = work + "/run/"
def arrays(path):
    out = arrays_of(path)
    with h5py.File(path) as f:
        out["inputs"] = f.attrs.get("sobol_inputs")
    return out
def same(a, b):
    one, other = arrays(a), arrays(b)
    assert one.keys() == other.keys() and len(one) > 30, a
    for key in one:
        if key != "inputs":
            assert one[key].tobytes() == other[key].tobytes(), (a, b, key)
for source in ("model", "pde"):
    for ranks in "23":
        same(f"{run}{source}1.h5", f"{run}{source}{ranks}.h5")
same(run + "long.h5", work + "/again/long.h5")

m, p, g = arrays(run + "model1.h5"), arrays(run + "pde1.h5"), arrays(work + "/grouped/groups.h5")
assert np.allclose(p["conditions/F_right"], [5, 5, 5, 20, 20, 20])
assert np.allclose(p["conditions/ell"][:3], np.geomspace(4.26e-6, 2.13e-5, 3)) and np.allclose(p["conditions/U0"], 0.175)
assert p["samples"].tolist() == [5000] * 6 and p["quantities/max_c/mean"].shape == (6,)
inputs = [i.decode() if isinstance(i, bytes) else str(i) for i in [p["inputs"]]][0].split(",")
assert inputs == ["U0", "F_right", "ell", "unseen"]
for name in ("min_c", "max_c", "phi_collector"):
    s = {k: p[f"sobol/{name}/{k}"] for k in ("first", "first_se", "total", "total_se")}
    # distributed residuals end Newton's iteration elsewhere within its tolerance
    assert np.allclose(s["first"], g[f"sobol/{name}/first"], atol=1e-5)
    assert np.all(s["first_se"] < 0.25) and np.all(s["total_se"] < 0.25)
    # S <= T; first orders of independent inputs sum to 1 at most, totals to 1 at least: to 4 standard errors
    assert np.all(s["first"] - s["total"] < 4 * (s["first_se"] + s["total_se"]))
    assert s["first"].sum() < 1 + 4 * s["first_se"].sum() and s["total"].sum() > 1 - 4 * s["total_se"].sum()
# U0 shifts phi and hardly touches c where kinetics are this fast; c is the load's and the porosity's
assert p["sobol/phi_collector/first"][0] > 0.9 and p["sobol/max_c/total"][0] < 0.05
# one draw per pair or eight: the same indices
w = arrays(run + "wide.h5")
for name in ("min_c", "max_c", "phi_collector"):
    for k in ("first", "total"):
        error = np.hypot(p[f"sobol/{name}/{k}_se"], w[f"sobol/{name}/{k}_se"])
        assert np.all(np.abs(p[f"sobol/{name}/{k}"] - w[f"sobol/{name}/{k}"]) < 4 * error + 1e-3), (name, k)
    # the law alone fixes first orders of conditions and the total of the porosity; thirty steps of training err by less than this
    assert np.all(np.abs(m[f"sobol/{name}/first"][:3] - p[f"sobol/{name}/first"][:3]) < 0.35)
    assert abs(m[f"sobol/{name}/total"][3] - p[f"sobol/{name}/total"][3]) < 0.35
# The total of the porosity is the mean variance at fixed conditions over the whole variance: analysis of variance of the training set,
# whose largest c is in the first cell.  Its error: the jackknife over conditions.
with h5py.File(run + "dataset.h5") as d:
    c = d["fields/c"][:, 0].astype(float).reshape(48, 6)
def share(c):
    return c.var(axis=1, ddof=1).mean() / c.var()
left_out = np.array([share(np.delete(c, k, axis=0)) for k in range(48)])
error = np.hypot(np.sqrt(47 / 48 * ((left_out - left_out.mean()) ** 2).sum()), p["sobol/max_c/total_se"][3])
assert abs(share(c) - p["sobol/max_c/total"][3]) < 4 * error and error < 0.15, (share(c), p["sobol/max_c/total"][3], error)
told = json.load(open(run + "pde1.json"))
one = told["sobol"]["quantities"]["max_c"]["indices"]
assert [i["input"] for i in one] == inputs + ["all conditions"]
assert one[4]["first"] == 1 - one[3]["total"] and one[4]["total_se"] == one[3]["first_se"]
assert told["sobol"]["unseen"] == "realisation of the porosity" and told["space"][2] == {"name": "ell", "unit": "m", "log": True}

f, v = arrays(run + "file.h5"), arrays(run + "values.h5")
assert f["conditions/F_right"].tolist() == [20, 5] and f["samples"].tolist() == [5000, 5000]
for at, other in ((0, 3), (1, 0)):
    gap = f["quantities/max_c/mean"][at] - v["quantities/max_c/mean"][other]
    assert abs(gap) < 4 * np.hypot(f["quantities/max_c/mean_se"][at], v["quantities/max_c/mean_se"][other])
PY

# The report draws what is called uq.json: a map, a curve, and the indices.
drawn() { # ARGUMENTS...: uq and report; then no figure named so may be missing
  rm -rf "$run"/uq.h5 "$run"/uq.json "$run/figures"
  uq uq 1 "$@"
  scoria 1 report "$deck" >"$work/out" 2>&1 || { fail "report"; cat "$work/out" >&2; }
}
figure() { if command -v gnuplot >/dev/null 2>&1 && [ ! -s "$run/figures/$1.svg" ]; then fail "no figure $1"; fi; }
drawn "${explore[@]}"
figure response
figure sobol
grep -q 'Response to the conditions' "$run/report.html" || ! command -v gnuplot >/dev/null 2>&1 || fail "the report lacks the map"
[ "$(grep -c '^0\|^5\|^[12]' "$run/figures/data/response.dat")" -eq 18 ] || fail "the map has not 6 conditions for 3 quantities"
drawn -uq_map U0 -uq_map_points 4 -uq_count 500
figure response
grep -q 'Response to a condition' "$run/report.html" || ! command -v gnuplot >/dev/null 2>&1 || fail "the report lacks the curve"

sed -e 's/, ell: .4.26e-6, 2.13e-5.}/}/' -e 's/max: 0.4}/max: 0.4, ell: 1e-5}/' "$deck" >"$work/fixed.yaml"
expect 3 'uq: map: found "F_left", expected one of U0, F_right, ell' 2 uq "$deck" -uq_map F_left -uq_file x.h5
expect 3 'uq: map: found "F_rigth", expected one of U0, F_right, ell; did you mean "F_right"?' 2 uq "$deck" -uq_map F_rigth -uq_file x.h5
expect 3 'uq: quantities: "a = j\[0\]": j is a derived field, which these fields lack: it needs ensemble.derived: \[j\]' 2 uq "$deck" -uq_quantities "a = j[0]" -uq_file x.h5
expect 3 'model.h5: cannot be read: No such file or directory (expected a scoria file of kind .model.; scoria train makes it from dataset.h5)' 2 uq "$deck" -run_dir "$work/nowhere"
expect 3 'uq: map: found "U0" twice' 2 uq "$deck" -uq_map U0,U0 -uq_file x.h5
expect 3 'uq: map: "ell" is one too many, at most 2' 2 uq "$deck" -uq_map U0,F_right,ell -uq_file x.h5
expect 3 'uq: map: found "U0" beside uq_U0' 2 uq "$deck" -uq_map U0 -uq_U0 0.1,0.2 -uq_file x.h5
expect 3 'uq: map: found "ell", which has one value only, 1e-05 m' 2 uq "$work/fixed.yaml" -uq_map ell -uq_source pde -uq_file x.h5
expect 3 'uq: map_points: found 2 numbers, expected one' 2 uq "$deck" -uq_map U0 -uq_map_points 3,3 -uq_file x.h5
expect 3 'uq: found 20480 conditions in all, expected at most 16384' 2 uq "$deck" -uq_map U0,ell -uq_map_points 64 -uq_F_right 5,6,7,8,9 -uq_file x.h5
expect 3 'uq: conditions: found uq_U0 beside it' 2 uq "$deck" -uq_conditions "$work/conditions.csv" -uq_U0 0.1 -uq_file x.h5
expect 3 'nowhere.csv: cannot be read' 2 uq "$deck" -uq_conditions nowhere.csv -uq_file x.h5
printf '0.2 10\n' >"$work/short.csv"
expect 3 'short.csv: line 1: found fewer values, expected three numbers' 2 uq "$deck" -uq_conditions "$work/short.csv" -uq_file x.h5
expect 3 'uq: sobol: found 5, expected 0 or at least 20' 2 uq "$deck" -uq_sobol 5 -uq_file x.h5
expect 3 'uq: F_right: found 30 A m^-2, the model was trained on' 2 uq "$deck" -uq_F_right 5,30 -uq_file x.h5 -strict
finish
