#!/usr/bin/env bash
# The whole pipeline on a tiny deck: the same bytes in every dataset, model and sample for 1, 2, 3 and 4 ranks; a second start
# skips what is complete; the comparison and the report are there.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
for ranks in 1 2 3 4; do
  if ! scoria "$ranks" run "$deck" -run_dir "$work/r$ranks" >"$work/out$ranks" 2>&1; then
    fail "run on $ranks ranks"
    cat "$work/out$ranks" >&2
  fi
done

"$PYTHON" - "$work" <<'PY' || fail "the files differ between rank counts"
import json, sys
import h5py, numpy as np
from arrays import arrays_of
work = sys.argv[1]
def arrays(path):
    return arrays_of(path)
different = 0
for name in ["dataset.h5", "model.h5", "samples.h5", "compare.h5"]:
    one = arrays(f"{work}/r1/{name}")
    assert len(one) > 3, name
    for ranks in (2, 3, 4):
        other = arrays(f"{work}/r{ranks}/{name}")
        assert one.keys() == other.keys(), (name, ranks)
        for key, value in one.items():
            if key == "deck" or getattr(value, "dtype", None) is None or value.dtype.kind in "OS":
                continue
            if value.tobytes() != other[key].tobytes():
                print("differs:", name, key, "on", ranks, "ranks")
                different += 1
with h5py.File(f"{work}/r1/dataset.h5") as f:
    assert f["/fields/c"].shape == (288, 16) and f["/fields/c"].attrs["units"] in ("mol m^-3", b"mol m^-3")
    assert np.all(f["/status/done"][:] == 1) and np.all(np.isfinite(f["/fields/phi"][:]))
    assert f["/conditions/U0"].shape == (288,) and f["/x"].shape == (16,)
    eps = f["/fields/eps"][:]
    assert eps.min() > 0.1 and eps.max() < 0.4
comparison = json.load(open(f"{work}/r1/compare.json"))
for key in ["mean_error", "sd_error", "band_error", "coverage95", "w1", "sliced_w", "sliced_w_floor", "pooled", "cost", "conditions"]:
    assert key in comparison, key
assert len(comparison["conditions"]) == 3 and comparison["cost"]["seconds_pde"] > 0
# What it is worth, laws, memorisation: numbers, and but for times the same on any number of ranks.
worth, account = comparison["worth"], json.load(open(f"{work}/r1/cost.json"))
assert worth["seconds_data"] == account["dataset.h5"] > 0 and worth["seconds_training"] == account["model.h5"] > 0
assert worth["winner"] in ("pde", "model") and worth["training_rows"] == 288
assert {"min_c", "max_c", "phi_collector"} == {q["name"] for q in worth["quantities"]}
for q in worth["quantities"]:
    assert [e["name"] for e in q["estimates"]] == ["mean", "sd", "q975"] and q["sd"] > 0
    assert all(np.isfinite(e[k]) for e in q["estimates"] for k in ("error_of_one", "bias", "bias_floor", "bias_upper", "gaussian_bias_floor"))
assert [s["name"] for s in comparison["symmetries"]] == ["c_separator", "c_slope", "phi_slope"]
assert all(np.isfinite(s[k]) for s in comparison["symmetries"] for k in ("model", "pde"))
assert 0 <= comparison["memorisation"]["share_nearer"] <= 1 and comparison["memorisation"]["median_ratio"] > 0
assert comparison["memorisation"]["training_rows"] == 276  # but those of two conditions, left to validation
for ranks in (2, 3, 4):
    other = json.load(open(f"{work}/r{ranks}/compare.json"))
    assert all(other[k] == comparison[k] for k in ("symmetries", "memorisation", "pooled")), ranks
    for a, b in zip(worth["quantities"], other["worth"]["quantities"]):
        assert a["sd"] == b["sd"] and [e["bias_floor"] for e in a["estimates"]] == [e["bias_floor"] for e in b["estimates"]]
sys.exit(1 if different else 0)
PY

# A sample condition of the deck: shown, for any number of ranks the same, and nothing that is pooled changes.
for ranks in 1 3; do
  mkdir "$work/sample$ranks" && cp "$work/r1/model.h5" "$work/sample$ranks/"
  for command in compare report; do
    scoria "$ranks" "$command" "$deck" -run_dir "$work/sample$ranks" -sample_F_right 12 >"$work/out" 2>&1 || { fail "$command with a sample condition"; cat "$work/out" >&2; }
  done
done
grep -q 'The sample condition' "$work/sample3/report.html" || ! command -v gnuplot >/dev/null || fail "the sample condition is not shown"
"$PYTHON" - "$work" <<'PY' || fail "the sample condition, or a field minus its first cell"
import json, sys
import h5py, numpy as np
work = sys.argv[1]
plain, one, three = (h5py.File(f"{work}/{d}/compare.h5") for d in ("r1", "sample1", "sample3"))
assert "sample" not in plain and np.allclose(one["/sample/theta"][0], [0.175, 12, np.sqrt(4.26e-6 * 2.13e-5)], rtol=1e-12)
for name in ("pde", "pde_again", "model", "gaussian"):
    for field in ("c", "phi"):
        for group in ("", "/sample"):
            mean = one[f"{group}/{name}/{field}/mean"][:]
            relative = one[f"{group}/relative/{name}/{field}/mean"][:]
            assert np.all(relative[:, 0] == 0) and np.ptp(relative) > 0
            assert np.allclose(relative, mean - mean[:, :1], rtol=0, atol=1e-12 * np.abs(mean).max())
        for stat in ("mean", "sd", "q025", "q500", "q975", "examples"):
            key = f"{name}/{field}/{stat}"
            assert plain[key][:].tobytes() == one[key][:].tobytes(), key
            assert one["/sample/" + key][:].tobytes() == three["/sample/" + key][:].tobytes(), key
heldout = [json.load(open(f"{work}/{d}/compare.json")) for d in ("r1", "sample1", "sample3")]
for key in ("pooled", "worst", "conditions"):
    assert heldout[0][key] == heldout[1][key] == heldout[2][key], key
PY
expect 3 'sample_F_right is 13 here and 12 there' 2 compare "$deck" -run_dir "$work/sample1" -sample_F_right 13

# Sampling in bfloat16: another file of its own, the same distribution to within a few roundings, on any number of ranks.
for ranks in 1 2; do
  scoria $ranks sample "$deck" -run_dir "$work/r2" -sample_precision bfloat16 -sample_file "half$ranks.h5" >"$work/half" 2>&1 ||
    { fail "sample in bfloat16"; cat "$work/half" >&2; }
  grep -q 'products in bfloat16' "$work/half" || fail "the precision is not said"
done
"$PYTHON" - "$work/r2" <<'PY' || fail "samples in bfloat16"
import sys, h5py, numpy as np
a, b, again = (h5py.File(f"{sys.argv[1]}/{f}.h5")["fields/phi"][:] for f in ("samples", "half1", "half2"))
assert b.tobytes() == again.tobytes()
error = np.sqrt(np.mean((a - b) ** 2)) / a.std()
assert 0 < error < .05, error  # roundings of 2^-9 through two mixes and some steps
PY

grep -q "\"blas\":\"OpenBLAS [A-Za-z0-9]*\",\"threads\":1" "$work/r2/log.jsonl" || fail "the log does not say which BLAS kernels were used"
"$PYTHON" - "$work/sample1/compare.json" <<'PY' || fail "a run directory without dataset and cost"
import json, sys
comparison = json.load(open(sys.argv[1]))
assert comparison["memorisation"] is None and comparison["worth"]["seconds_data"] is None
PY

for file in report.html log.jsonl train.jsonl deck.yaml cost.json; do
  [ -s "$work/r2/$file" ] || fail "$file is missing"
done
ls "$work"/r2/*.part >/dev/null 2>&1 && fail "a partial file was left"

before=$(stat -c '%n %Y %s' "$work"/r2/*.h5)
scoria 2 run "$deck" -run_dir "$work/r2" >"$work/again" 2>&1 || { fail "second start"; cat "$work/again" >&2; }
[ "$(grep -c 'is complete' "$work/again")" -eq 4 ] || fail "the second start did not skip what is complete"
[ "$before" = "$(stat -c '%n %Y %s' "$work"/r2/*.h5)" ] || fail "the second start rewrote a file"

# More ranks than rows; groups of two, with and without a rank left over, which gets nothing to solve.
scoria 4 generate "$deck" -run_dir "$work/few" -ensemble_conditions 3 -ensemble_realisations 1 >"$work/out" 2>&1 || fail "more ranks than rows"
for ranks in 2 3 4; do
  scoria "$ranks" generate "$deck" -run_dir "$work/grouped$ranks" -ensemble_group_size 2 >"$work/out$ranks" 2>&1 || { fail "groups of two"; cat "$work/out$ranks" >&2; }
done
grep -q 'WARNING: 3 ranks make 1 groups of ensemble: group_size 2; 1 of them stay idle' "$work/out3" || fail "the rank left over is not told"
grep -q 'groups idle [0-9.]* % of the time' "$work/out4" || fail "idle time is not told"
"$PYTHON" - "$work" <<'PY' || fail "groups of two give other fields"
import sys, h5py, numpy as np
a, b, *others = (h5py.File(f"{sys.argv[1]}/{d}/dataset.h5") for d in ("r1", "grouped2", "grouped3", "grouped4"))
# one unit in the last place of single precision: a distributed residual may end Newton's iteration elsewhere within its tolerance
for f in ("c", "phi", "eps"):
    assert np.allclose(a["/fields/" + f][:], b["/fields/" + f][:], rtol=2e-7, atol=1e-9), f
# the same to the bit, whichever of the groups solved a row
for other in others:
    for name in ("crc", "status/crc", "fields/c", "fields/phi", "fields/eps", "status/newton", "status/residual"):
        assert b[name][:].tobytes() == other[name][:].tobytes(), name
PY

# solve: given profiles at given conditions, each row on its own.
"$PYTHON" - "$work/eps.h5" <<'PY'
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    x = (np.arange(24) + 0.5) / 24
    f["/fields/eps"] = np.stack([0.25 + 0 * x, 0.35 - 0.1 * np.cos(2 * np.pi * x), 0.3 + 0.05 * x])
    f["/conditions/F_right"] = np.array([20.0, 20.0, 10.0])
    f["/conditions/U0"] = np.array([0.12, 0.12, 0.2])
PY
for ranks in 1 4; do
  scoria "$ranks" solve "$deck" -run_dir "$work/solve$ranks" -porosity_file "$work/eps.h5" >"$work/out" 2>&1 || { fail "solve"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work" <<'PY' || fail "solve gives other fields on other ranks"
import sys, h5py, numpy as np
a, b = (h5py.File(f"{sys.argv[1]}/solve{n}/solve.h5") for n in (1, 4))
assert a["/fields/c"].shape == (3, 24) and np.all(a["/status/done"][:] == 1)
for f in ("c", "phi", "eps"):
    assert a["/fields/" + f][:].tobytes() == b["/fields/" + f][:].tobytes()
assert np.all(np.diff(a["/fields/c"][:], axis=1) < 0)
PY
scoria 1 info "$work/r1/dataset.h5" >"$work/out" 2>&1 || fail "info"
grep -q 'mol m^-3' "$work/out" || fail "info does not show units"
finish
