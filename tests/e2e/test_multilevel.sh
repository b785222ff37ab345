#!/usr/bin/env bash
# uq of several fidelities: the same bits on any ranks and after a stop; the PDE's answer, also of what the pilot does not see; groups that share a solve; refusals.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
ask=(-uq_source multilevel -uq_pilot 24 -uq_count 3000 -uq_tolerance_of means -uq_F_right "8,16" -uq_quantities "drop [V] = phi[0] - phi[L]" -uq_exceed "c:1400,phi[0] < -0.13")
for ranks in 1 3; do
  scoria "$ranks" uq "$deck" "${ask[@]}" -uq_file "line$ranks.h5" >"$work/out" 2>&1 || { fail "uq on $ranks ranks"; cat "$work/out" >&2; }
done
scoria 2 uq "$deck" "${ask[@]}" -uq_source pde -uq_file pde.h5 >"$work/out" 2>&1 || fail "uq from the PDE"

# What the pilot of 24 draws does not see: an event of probability .005, and what is 0 but for it.  A file that looks like a model is none of its business.
rare=(-uq_count 20000 -uq_tolerance_of means -uq_quantities "hot = max(c) > 2000, over = (max(c) > 2000) * (max(c) - 2000), cold = max(c) < 2000, five = 5")
echo "no model" >"$work/run/model.h5"
scoria 2 uq "$deck" -uq_source multilevel -uq_pilot 24 "${rare[@]}" -uq_file rare.h5 >"$work/out" 2>&1 || { fail "uq of a rare event"; cat "$work/out" >&2; }
[ "$(grep -c "WARNING: condition 0: .* did not vary in the pilot of 24 draws" "$work/out")" -eq 3 ] || fail "no word of what the pilot has not seen"
scoria 2 uq "$deck" -uq_source pde "${rare[@]}" -uq_file rare_pde.h5 >"$work/out" 2>&1 || fail "uq of a rare event from the PDE"

# In the plane, with every fidelity, stopped again and again, on other ranks each time: then chosen by the program, which it is told once.
plane=(-ensemble_cells "8,8" -conditions_ell "2e-5,2.1e-5" -uq_source multilevel -uq_pilot 20 -uq_count 300 -uq_tolerance_of means
  -uq_fidelities "line,mirror,columns,grid:2,lateral:2")
scoria 2 uq "$deck" "${plane[@]}" -run_dir "$work/plane" >"$work/out" 2>&1 || { fail "uq in the plane"; cat "$work/out" >&2; }
for estimator in mfmc mlmc; do
  scoria 2 uq "$deck" "${plane[@]}" -uq_fidelities line,linear,grid:2 -uq_estimator "$estimator" -uq_file "$estimator.h5" -run_dir "$work/plane" >"$work/out" 2>&1 || { fail "$estimator"; cat "$work/out" >&2; }
done
in_pieces "$work/again" 60 0 "30 * i * i" uq "$deck" "${plane[@]}" -uq_source auto
scoria 2 uq "$deck" "${plane[@]}" -uq_source auto -run_dir "$work/once" >"$work/out" 2>&1 || { fail "uq -uq_source auto"; cat "$work/out" >&2; }
{ grep -q "uq.ckpt: goes on with the pilot that sources were weighed by" "$work/out" && ! grep -q resuming "$work/out"; } || fail "a fresh run says that it resumes"
grep -q "for errors of 0.0577 SD use source multilevel: .* in place of" "$work/out" || fail "no word of what was chosen"
[ "$(grep -c '"event":"stop"' "$work/again/log.jsonl")" -ge 1 ] || fail "uq was not interrupted"
ls "$work"/again/uq*.ckpt* >/dev/null 2>&1 && fail "uq left its checkpoints"

# What is chosen is kept for the next start, whatever stands in the run directory then.
endless=(-uq_source auto -uq_count 1000000000 -run_dir "$work/endless")
for i in 1 2; do
  expect 75 "" "$i" uq "$deck" "${endless[@]}" -run_max_hours 0.0004
  grep "source" "$work/out" >"$work/said$i"
  ls -i "$work"/endless/uq_choice.ckpt* >"$work/kept$i"
  echo "no model" >"$work/endless/model.h5"
done
{ cmp -s "$work/said1" "$work/said2" && cmp -s "$work/kept1" "$work/kept2" && grep -q "no model.h5" "$work/said2"; } || fail "a source is chosen twice"
# A checkpoint of an earlier version is refused by name.
old=(-uq_source multilevel -uq_pilot 24 -uq_count 1000000000 -uq_tolerance_of means -run_dir "$work/old")
expect 75 "" 1 uq "$deck" "${old[@]}" -run_max_hours 0.0004
"$PYTHON" - "$work/old/uq.ckpt" <<'PY' || fail "no checkpoint to make an old one of"
import sys, h5py
with h5py.File(sys.argv[1], "r+") as f:
    fewer, kept = f["levels"][:-1], dict(f["levels"].attrs)
    del f["levels"]
    f["levels"] = fewer
    f["levels"].attrs.update(kept)
PY
expect 3 "uq.ckpt: written by an earlier version" 1 uq "$deck" "${old[@]}"
# Errors of a condition that is answered were narrower in earlier versions, which did not write what its numbers are; without one there is nothing to refuse.
narrow=("${old[@]}" -run_dir "$work/narrow" -run_max_hours 0.0004)
expect 75 "" 1 uq "$deck" "${narrow[@]}"
for answered in 1 0; do
  "$PYTHON" - "$work/narrow/uq.ckpt" "$answered" <<'PY' || fail "no checkpoint to make one of narrow errors of"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "r+") as f:
    f.attrs.pop("answers", None)
    f.attrs.modify("condition", np.int64(sys.argv[2]))
PY
  [ "$answered" = 0 ] || expect 3 "uq.ckpt: written by an earlier version" 1 uq "$deck" "${narrow[@]}"
done
expect 75 "" 2 uq "$deck" "${narrow[@]}"
grep -q "uq.ckpt: resuming at condition 1" "$work/out" || { fail "a checkpoint without an answer is not resumed"; cat "$work/out" >&2; }

# An earlier version knew three sources: what it has chosen holds, and its draws.
PYTHONPATH=$(dirname "$0")/.. "$PYTHON" - "$work/endless/uq_choice.ckpt" <<'PY' || fail "a choice of an earlier version"
import sys, h5py
from crc32c import crc32c
with h5py.File(sys.argv[1], "r+") as f:
    three, kept = f["ways"][:3], dict(f["ways"].attrs)
    del f["ways"], f.attrs["why_3"]
    f["ways"] = three
    f["ways"].attrs.update(kept)
    f["ways"].attrs["crc32c"] = crc32c(three.tobytes())
PY
expect 75 "" 1 uq "$deck" "${endless[@]}" -run_max_hours 0.0004
grep "source" "$work/out" >"$work/said3"
{ cmp -s <(grep -v "source gaussian" "$work/said1") <(grep -v "source gaussian" "$work/said3") && grep -q "source gaussian .*an earlier version has chosen" "$work/said3" &&
  grep -q "uq.ckpt: resuming at condition 1 of 1, sample" "$work/out"; } || { fail "an earlier version's choice is not kept"; cat "$work/out" >&2; }

# Whole fields at the same realisations: the pilot has the same lateral means, of every fidelity; groups that share a solve; any ranks.
whole=("${plane[@]}" -ensemble_whole_fields true)
for run in "1 1" "3 1" "2 2"; do
  read -r ranks size <<<"$run"
  scoria "$ranks" uq "$deck" "${whole[@]}" -ensemble_group_size "$size" -run_dir "$work/whole$ranks" >"$work/out" 2>&1 || { fail "whole fields on $ranks ranks"; cat "$work/out" >&2; }
done
scoria 2 uq "$deck" "${whole[@]}" -uq_source pde -run_dir "$work/whole_pde" >"$work/out" 2>&1 || { fail "whole fields from the PDE"; cat "$work/out" >&2; }

# Two ranks share every solve, a third is left over; the last bits of a shared solve may differ, the statistics do not.
for ranks in 2 3; do
  scoria "$ranks" uq "$deck" "${plane[@]}" -ensemble_group_size 2 -run_dir "$work/shared$ranks" >"$work/out" 2>&1 || { fail "groups on $ranks ranks"; cat "$work/out" >&2; }
done

"$PYTHON" - "$work" <<'PY' || fail "answers of several fidelities"
import json, sys
import numpy as np
from arrays import arrays_of
work = sys.argv[1]
def arrays(path):
    return arrays_of(f"{work}/{path}")
def same(a, b):
    one, other = arrays(a), arrays(b)
    assert one.keys() == other.keys() and len(one) > 40, a
    for key in one:
        assert one[key].tobytes() == other[key].tobytes(), (a, b, key)
same("run/line1.h5", "run/line3.h5")
same("plane/uq.h5", "again/uq.h5")
same("shared2/uq.h5", "shared3/uq.h5")
rare, often = arrays("run/rare.h5"), arrays("run/rare_pde.h5")
for name in ("hot", "over", "cold"):
    mean, se, sd, sd_se, q = (f"quantities/{name}/{what}" for what in ("mean", "mean_se", "sd", "sd_se", "quantiles"))
    assert 0 < rare[se] < 1.05 * often[sd] / np.sqrt(20000) and rare[sd_se] > 0, (name, rare[se], often[se])
    for key in (mean, sd):
        error = np.hypot(rare[key + "_se"], often[key + "_se"])
        assert abs(rare[key] - often[key]) <= 4 * error, (key, rare[key], often[key], error)
assert rare["quantities/five/mean"] == 5 and rare["quantities/five/sd"] == 0
assert json.load(open(f"{work}/run/rare.json"))["conditions"][0]["multilevel"]["excess"] <= 1
many, pde = arrays("run/line1.h5"), arrays("run/pde.h5")
checked = 0
for key in pde:
    if key.endswith(("/mean", "/sd")) and key + "_se" in pde:  # 4 standard errors of both; cells, which are many, 5
        error = np.hypot(many[key + "_se"], pde[key + "_se"])
        limit = (5 if key.startswith("fields") else 4) * error + 1e-9 * np.abs(pde[key])
        assert (np.abs(many[key] - pde[key]) <= limit).all(), (key, many[key], pde[key], error)
        checked += 1
assert checked >= 12, checked
answer = json.load(open(f"{work}/run/line1.json"))
assert answer["source"] == "multilevel" and [f["name"] for f in answer["fidelities"]] == ["fine", "mirror", "grid:2", "grid:4", "linear", "porosity"]
level = answer["conditions"][0]["multilevel"]
assert level["pilot"] == 24 and level["work"] > 0 and sum(g["draws"] for g in level["groups"]) > 0
drop = level["quantities"]["drop"]
assert drop["gain"] > 1 and abs(drop["correlation"][0] - 1) < 1e-12 and drop["correlation"][1] < 0 and drop["correlation"][2] > 0.9
kept = {what: many[f"multilevel/quantities/drop/{what}"] for what in ("pilot", "group_mean")}  # (conditions, draws or sets, fidelities)
assert kept["pilot"].shape == (2, 24, 5) and np.allclose(np.corrcoef(kept["pilot"][0].T)[0], drop["correlation"], rtol=0, atol=1e-9)
sets = np.flatnonzero(many["multilevel/draws"][0])
assert all(np.isfinite(kept["group_mean"][0, s, a]) == bool(s + 1 >> a & 1) for s in range(31) if s in sets for a in range(5))
assert np.isnan(np.delete(kept["group_mean"][0], sets, axis=0)).all()
assert abs(drop["richardson"] - (answer["conditions"][0]["quantities"]["drop"]["mean"] - drop["grid_bias"])) < 1e-12
a, b = arrays("plane/uq.h5"), arrays("shared2/uq.h5")
same("whole1/uq.h5", "whole3/uq.h5")
whole, groups, pde = (arrays(f"{name}/uq.h5") for name in ("whole1", "whole2", "whole_pde"))
pilot = "multilevel/quantities/phi_collector/pilot"  # of the lateral mean: refining a coarse grid keeps it
assert whole[pilot].shape == (1, 20, 6) and np.allclose(whole[pilot], a[pilot], rtol=1e-9) and np.allclose(groups[pilot], a[pilot], rtol=1e-6)
hot = np.corrcoef(whole["multilevel/quantities/high_c/pilot"][0].T)[0]
assert hot[5] > 0.999 > hot[1], hot  # lateral:2 has hot spots, the line has none
for key in ("fields/c/mean", "fields/phi/mean", "fields/c/sd", "quantities/max_c/mean", "quantities/high_c/mean", "quantities/min_phi/mean"):
    error = np.hypot(whole[key + "_se"], pde[key + "_se"])
    assert (whole[key + "_se"] > 0).all() and (np.abs(whole[key] - pde[key]) <= 5 * error).all(), (key, np.abs(whole[key] - pde[key]).max())
assert whole["fields/c/mean"].shape == (1, 1, 8, 8) and np.isnan(whole["fields/c/quantile"]).all()
assert np.allclose(a["quantities/min_c/mean"], b["quantities/min_c/mean"], rtol=1e-6)  # of solves that converge to 1e-8 or better
for estimator in ("mfmc", "mlmc"):
    c = arrays(f"plane/{estimator}.h5")
    assert abs(c["quantities/min_c/mean"] - a["quantities/min_c/mean"]) < 5 * np.hypot(c["quantities/min_c/mean_se"], a["quantities/min_c/mean_se"])
PY

# The launcher takes longer than a refusal by one rank, which needs none.
alone() { # PATTERN ARGUMENTS...
  local pattern=$1 got=0
  shift
  last_options "$@"
  timeout 300 "$SCORIA" "${kept_options[@]}" >"$work/out" 2>"$work/err" || got=$?
  if [ "$got" -ne 3 ] || [ "$(grep -c '^scoria: ' "$work/err")" -ne 1 ] || ! grep -q "^scoria: .*$pattern" "$work/err"; then
    fail "scoria $*: exit $got, expected 3 and one line matching '$pattern'"
    cat "$work/out" "$work/err" >&2
  fi
}
bad=(uq "$deck" -uq_source multilevel -run_dir "$work/bad")
alone "fidelities: found \"line\", but ensemble_cells has one axis" "${bad[@]}" -uq_fidelities line
alone "fidelities: found \"grid:3\", but 3 does not divide the 16 cells" "${bad[@]}" -uq_fidelities grid:3
alone "fidelities: found \"steps:10\", but the problem is steady" "${bad[@]}" -uq_fidelities steps:10
alone "fidelities: found \"linear\", but the problem is transient" "${bad[@]}" -uq_fidelities linear -ensemble_mode transient -conditions_time "20,200"
alone "fidelities: found \"coarse\", expected some of line" "${bad[@]}" -uq_fidelities coarse
alone "fidelities: found \"grid:2\" twice" "${bad[@]}" -uq_fidelities grid:2,grid:2
alone "pilot: found 8 draws, expected at least" "${bad[@]}" -uq_pilot 8
alone "costs: found 1 numbers, expected 2" "${bad[@]}" -uq_fidelities grid:2 -uq_costs 1
alone "budget: found 1e-06 core s .* the pilot" "${bad[@]}" -uq_budget 1e-6
expect 3 "tolerance: 0.0001 takes .* which reaches" 2 "${bad[@]}" -uq_tolerance 1e-4 -uq_count 1000000000 -uq_budget 1
expect 3 "tolerance: found 1e-05, which at condition 0 is below the rounding of far, 1e+10 with SD [0-9.e-]*; expected at least" 2 "${bad[@]}" -uq_pilot 24 -uq_tolerance 1e-5 -uq_quantities "far = 1e10 + max(c) / 1e3"
alone "tolerance_for: found \"max_d\" (did you mean \"max_c\"?), expected names of quantities: min_c, max_c, " "${bad[@]}" -uq_tolerance_for "phi_collector,max_d"
alone "sobol: found 40 beside source multilevel" "${bad[@]}" -uq_sobol 40
alone "sobol: found 40 beside source auto" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_sobol 40
alone "budget: found 1 core s beside source auto, expected uq_tolerance too" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_budget 1
alone "budget: found 0.01 core s, but errors of 0.01 SD take some .* by source multilevel" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_budget 0.01 -uq_tolerance 0.01
alone "budget: found 0.01 core s, but errors of 0.001 SD take some .* by source" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_budget 0.01 -uq_tolerance 0.001 -uq_count 1000000000
alone "budget: found 0.01 core s, but errors of 0.0183 SD take some .* by source" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_budget 0.01 -uq_tolerance 0.001 -uq_count 3000
alone "tolerance_for: found \"max_c: -2\", expected a quantity's name" "${bad[@]}" -uq_tolerance_for "max_c: -2"
alone "tolerance_for: found names with and without a number" "${bad[@]}" -uq_tolerance_for "max_c: 2, min_c"
alone "tolerance_for: found numbers beside source auto" uq "$deck" -uq_source auto -run_dir "$work/bad" -uq_tolerance_for "max_c: 2"
alone "tolerance_for takes some .* which reaches" "${bad[@]}" -uq_tolerance_for "max_c: 0.1" -uq_count 1000000000 -uq_budget 1

# Errors of a quantity's own: in its unit, and as a share of its mean.
scoria 2 uq "$deck" -uq_source multilevel -run_dir "$work/own" -uq_pilot 24 -uq_count 1000000 -uq_tolerance_for "max_c: 10, phi_collector: 0.1 %" >"$work/out" 2>&1 || { fail "uq with tolerances of quantities"; cat "$work/out" >&2; }
"$PYTHON" - "$work/own/uq.h5" "$work/own/uq.json" <<'PY' || fail "tolerances of quantities"
import json, sys
import h5py, numpy as np
of = h5py.File(sys.argv[1])["quantities"]
assert json.load(open(sys.argv[2]))["conditions"][0]["multilevel"]["excess"] <= 1
for quantity, most in (("max_c", 10), ("phi_collector", 0.001 * abs(of["phi_collector/mean"][0]))):
    errors = [of[f"{quantity}/{key}_se"][()].max() for key in ("mean", "sd", "quantile")]
    assert 0.1 * most < max(errors) <= most, (quantity, errors, most)
PY

# What the pilot has seen too little of to sum it: the draws are made twice, and give what plain solves do; not so where a budget has them once.
seldom="moved = 10 + (max(c) > 2000) / 10, rare = 10 + (max(c) > 2000) / 50, steep = exp((max(c) - 1400) / 30)"
unseen=(uq "$deck" -uq_source multilevel -uq_pilot 24 -uq_count 8000 -uq_quantities "$seldom")
for ranks in 1 3; do
  scoria "$ranks" "${unseen[@]}" -run_dir "$work/unseen$ranks" >"$work/out" 2>&1 || { fail "uq of what the pilot has not seen, on $ranks ranks"; cat "$work/out" >&2; }
done
grep -q "WARNING: condition 0: rare varied too little in the pilot of 24 draws to sum those after it, so that these were made twice" "$work/out" || { fail "no word of rare"; cat "$work/out" >&2; }
in_pieces "$work/unseen_again" 60 1 "30 * i * i" "${unseen[@]}"
scoria 2 uq "$deck" -uq_source pde -uq_count 100000 -uq_quantities "$seldom" -run_dir "$work/unseen_pde" >"$work/out" 2>&1 || fail "the same from the PDE"
scoria 1 "${unseen[@]}" -uq_budget 1 -run_dir "$work/unseen_budget" >"$work/out" 2>&1 || { fail "the same within a budget"; cat "$work/out" >&2; }
grep -q "WARNING: condition 0: rare did not vary in the pilot of 24 draws, so that its mean and SD are left out" "$work/out" || { fail "no word of rare within a budget"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "what the pilot has not seen"
import sys
import numpy as np
from arrays import arrays_of
one, three, again, pde, budget = (arrays_of(f"{sys.argv[1]}/unseen{name}/uq.h5") for name in ("1", "3", "_again", "_pde", "_budget"))
for other in (three, again):
    assert one.keys() == other.keys() and all(one[k].tobytes() == other[k].tobytes() for k in one)
for q in ("moved", "rare", "max_c"):
    for key in ("mean", "sd"):  # 4 errors of either
        (a, s), (b, t) = ((f[f"quantities/{q}/{key}"][0], f[f"quantities/{q}/{key}_se"][0]) for f in (one, pde))
        assert s > 0 and abs(a - b) < 4 * np.hypot(s, t), (q, key, a, s, b, t)
assert np.isfinite(one["quantities/steep/mean"]).all() and (one["quantities/steep/mean_se"] > 0).all()
assert np.isnan(budget["quantities/rare/mean"]).all() and np.isfinite(budget["quantities/max_c/mean"]).all()
PY

# Of a quantity that the tolerance is not for, draws are not made twice: it has no mean and SD where these cannot be summed, and all else has what it has without it.
aside=(uq "$deck" -uq_source multilevel -run_dir "$work/aside" -uq_pilot 24 -uq_count 5000 -uq_tolerance_for max_c)
beside="far = exp((max(c) - 1400) / 10), rare = 10 + (max(c) > 2000) / 50, moved = 10 + (max(c) > 2000) / 10"
scoria 1 "${aside[@]}" -uq_file without.h5 >"$work/out" 2>&1 || { fail "uq without quantities that are set aside"; cat "$work/out" >&2; }
scoria 1 "${aside[@]}" -uq_quantities "$beside" -uq_file one.h5 >"$work/out" 2>&1 || { fail "uq with quantities that are set aside"; cat "$work/out" >&2; }
grep -q "WARNING: condition 0: far has far too small an SD in the pilot of 24 draws, so that its mean and SD are left out" "$work/out" || fail "no word of far"
grep -q "WARNING: condition 0: rare did not vary in the pilot of 24 draws, so that its mean and SD are left out" "$work/out" || fail "no word of rare"
scoria 3 "${aside[@]}" -uq_quantities "$beside" -uq_file three.h5 >"$work/out" 2>&1 || fail "the same on 3 ranks"
scoria 2 uq "$deck" -run_dir "$work/aside" -uq_source pde -uq_count 100000 -uq_quantities "$beside" -uq_file pde.h5 >"$work/out" 2>&1 || fail "the same from the PDE"
"$PYTHON" - "$work/aside" <<'PY' || fail "quantities that are set aside"
import sys
import h5py, numpy as np
one, three, without, pde = (h5py.File(f"{sys.argv[1]}/{name}.h5")["quantities"] for name in ("one", "three", "without", "pde"))
for q in one:
    for key, values in one[q].items():
        if isinstance(values, h5py.Dataset):
            assert values[()].tobytes() == three[q][key][()].tobytes(), (q, key)
            assert q not in without or values[()].tobytes() == without[q][key][()].tobytes(), (q, key)
    for key in ("mean", "mean_se", "sd", "sd_se"):
        assert np.isfinite(one[q][key][()]).all() == (q not in ("far", "rare")), (q, key)
for key in ("mean", "sd"):  # 4 errors of either
    (a, s), (b, t) = ((f["moved"][key][0], f["moved"][f"{key}_se"][0]) for f in (one, pde))
    assert s > 0 and abs(a - b) < 4 * np.hypot(s, t), (key, a, s, b, t)
PY
# Errors end at the larger of the two that are asked for: which is said where it is not the tolerance.
for count in 300 4000; do
  scoria 1 uq "$deck" -uq_source multilevel -uq_pilot 24 -uq_tolerance_of means -uq_tolerance 0.02 -uq_count "$count" -uq_file "short$count.h5" >"$work/short$count" 2>&1 || fail "uq with a tolerance and $count fields at most"
done
grep -q "WARNING: uq_tolerance 0.02 is not reached within uq_count, the errors of 300 solves, at 1 of 1 conditions: the largest error is 0.05[0-9]* SD, of " "$work/short300" || fail "no word of a tolerance out of reach"
scoria 1 uq "$deck" -uq_source multilevel -uq_pilot 24 -uq_tolerance_of means -uq_tolerance_for "max_c: 0.1 %" -uq_count 300 -uq_file own300.h5 >"$work/out" 2>&1 || fail "uq with a tolerance of its own"
grep -q "WARNING: uq_tolerance_for is not reached within uq_count, the errors of 300 solves, at 1 of 1 conditions: the largest error is 0.05[0-9]* SD, of max_c$" "$work/out" || { fail "no word of a quantity's tolerance out of reach"; cat "$work/out" >&2; }
grep -q "WARNING: uq_tolerance" "$work/short4000" && fail "a tolerance that is reached is warned of"
# A tolerance that uq_count never reaches takes no more draws than the count by itself; refused within a budget, it says what it takes whatever the count.
few=(uq "$deck" -uq_source multilevel -uq_pilot 24)
scoria 1 "${few[@]}" -uq_count 300 -uq_file count.h5 >"$work/out" 2>&1 || fail "uq of a count"
scoria 1 "${few[@]}" -uq_count 300 -uq_tolerance 1e-9 -uq_file never.h5 >"$work/out" 2>&1 || fail "uq of a count and a tolerance that it never reaches"
"$PYTHON" - "$work/run" <<'PY' || fail "a tolerance that uq_count never reaches"
import sys
from arrays import arrays_of
count, never = (arrays_of(f"{sys.argv[1]}/{name}.h5") for name in ("count", "never"))
for key in count:
    if key.startswith("quantities/"):
        assert count[key].tobytes() == never[key].tobytes(), key
PY
for count in 3000 1000000000; do
  alone "tolerance: 0.001 takes .* which reaches" "${few[@]}" -uq_budget 0.02 -uq_tolerance 0.001 -uq_count "$count" -run_dir "$work/refused$count"
  mv "$work/err" "$work/refused$count.err"
done
cmp -s "$work/refused3000.err" "$work/refused1000000000.err" || fail "what a tolerance takes depends on uq_count"

# No draw of a condition is solved (currents that Capiglia's D(c) has no steady state for): its values are said, and the next start has the answers before it.
unsolved=(uq "$deck" -uq_source multilevel -uq_pilot 24 -uq_count 300 -run_dir "$work/unsolved" -electrode_set marquis2019_negative -conditions_U0 "0.10,0.20" -uq_F_right "8,2500")
unsolved_says="condition 1 (.*F_right = 2500 A m^-2.*): all fidelities solved 0 of the 24 draws of the pilot, .* the answers at the conditions before are kept"
for _ in 1 2; do expect 5 "$unsolved_says" 2 "${unsolved[@]}"; done
grep -q "resuming at condition 2 of 2, in its pilot" "$work/out" || { fail "the answer before a condition that is not solved is lost"; cat "$work/out" >&2; }
finish
