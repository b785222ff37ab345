#!/usr/bin/env bash
# uq: the same answer on any number of ranks and after an interruption; from the model and from the PDE; many conditions; a tolerance;
# and its statistics against those of the very samples.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
run=$work/run
tiny_deck "$deck" "$run"
scoria 2 generate "$deck" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }
scoria 2 train "$deck" >"$work/out" 2>&1 || { fail "train"; cat "$work/out" >&2; }

ask=(-uq_count 9000 -uq_exceed "c:1400,phi < -0.2,phi[0] < -0.13,hot > 1.1"
  -uq_quantities "drop [V] = phi[0] - phi[L],hot = max(c) / mean(c)" -uq_probes "c:40e-6,phi:0" -uq_F_right "8,16")
for ranks in 1 2 3; do
  for source in model pde; do
    scoria "$ranks" uq "$deck" "${ask[@]}" -uq_source "$source" -uq_file "$source$ranks.h5" >"$work/out" 2>&1 || {
      fail "uq from the $source on $ranks ranks"
      cat "$work/out" >&2
    }
  done
done
scoria 3 uq "$deck" "${ask[@]}" -uq_source pde -uq_file grouped.h5 -ensemble_group_size 2 -run_dir "$work/grouped" >"$work/out" 2>&1 ||
  { fail "uq from the PDE in groups"; cat "$work/out" >&2; }

# In two dimensions the last bits of a solve depend on how many ranks share it: a rank that is left over must not solve alone.
plane=(-ensemble_cells "8,4" -ensemble_group_size 2 -uq_source pde -uq_count 40 -conditions_ell "2e-5,2.1e-5" -sample_ell 2e-5)
for ranks in 2 3 4 5; do
  scoria "$ranks" uq "$deck" "${plane[@]}" -run_dir "$work/plane$ranks" >"$work/out" 2>&1 || { fail "uq in the plane on $ranks ranks"; cat "$work/out" >&2; }
  scoria "$ranks" solve "$deck" "${plane[@]}" -solve_count 6 -run_dir "$work/plane$ranks" >"$work/out" 2>&1 || { fail "solve in the plane on $ranks ranks"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work" <<'PY' || fail "a rank that is left over shows in the result"
import sys, h5py, numpy as np
for name in ("uq", "solve"):
    files = [h5py.File(f"{sys.argv[1]}/plane{ranks}/{name}.h5") for ranks in (2, 3, 4, 5)]
    arrays = []
    files[0].visititems(lambda at, x: arrays.append(at) if isinstance(x, h5py.Dataset) and x.shape is not None else None)
    assert len(arrays) > 5
    for at in arrays:
        for f in files[1:]:
            assert name != "solve" or (f["conditions/ell"][:] == 2e-5).all()  # where samples are, not the middle of the range
            assert np.asarray(files[0][at][()]).tobytes() == np.asarray(f[at][()]).tobytes(), (name, at, f.filename)
PY

# Interrupted after .36 s, .72 s, ..., continued on other ranks: a crowded machine gets there too.
long=(-uq_count 150000 -sample_steps 60 -uq_file long.h5)
scoria 2 uq "$deck" "${long[@]}" >"$work/out" 2>&1 || fail "uq, long"
mkdir "$work/again"
cp "$run/model.h5" "$work/again/"
in_pieces "$work/again" 60 1 "100 * i" uq "$deck" "${long[@]}"
ls "$work"/again/uq.ckpt* >/dev/null 2>&1 && fail "uq left its checkpoints"

# Wanted to 5 % only: it stops early, at the same place on any ranks.
for ranks in 1 3; do
  scoria "$ranks" uq "$deck" -uq_count 1000000 -uq_tolerance 0.05 -uq_file "tolerance$ranks.h5" >"$work/out" 2>&1 || fail "uq with a tolerance"
done
if grep -q 'WARNING: uq_tolerance' "$work/out"; then fail "a tolerance that is reached is warned of"; fi
# One that uq_count does not reach is told.
scoria 2 uq "$deck" -uq_count 200 -uq_tolerance 0.05 -uq_map U0 -uq_map_points 3 -uq_file short.h5 >"$work/out" 2>&1 || fail "uq with a tolerance out of reach"
grep -q 'WARNING: uq_tolerance 0.05 is not reached within uq_count, 200 fields, at 3 of 3 conditions: the largest error is 0[.][0-9]* SD, of ' "$work/out" || { fail "a tolerance out of reach"; cat "$work/out" >&2; }

# The model's bias from fresh solves, the same on any ranks.
for ranks in 1 2; do
  scoria "$ranks" uq "$deck" -uq_count 2000 -uq_F_right "8,16" -uq_check 30 -uq_quantities "still = 3.3 + 0 * c[0]" -uq_file "check$ranks.h5" >"$work/out" 2>&1 || { fail "uq with a check"; cat "$work/out" >&2; }
done
grep -q "min_c .*model .* PDE .* of 30 solves: bias" "$work/out" || fail "uq does not print its check"
grep -q "still .* of 30 solves: bias 0 to 0$" "$work/out" || fail "the bias of a constant is its rounding"
expect 3 "check: found 30, but only fields of source model are checked" 1 uq "$deck" -uq_source pde -uq_check 30 -uq_file no.h5

"$PYTHON" - "$work" <<'PY' || fail "uq answers"
import json, sys
import numpy as np
from arrays import arrays_of
work = sys.argv[1]
def arrays(path):
    return arrays_of(path)
def checks(path):
    return [q["check"] | {"mean": q["mean"], "mean_se": q["mean_se"]} for c in json.load(open(path))["conditions"] for q in c["quantities"].values()]
one = checks(f"{work}/run/check1.json")
assert one == checks(f"{work}/run/check2.json") and len(one) >= 6
for c in one:
    assert c["solves"] == 30 and c["failed"] == 0 and abs(c["bias"] - (c["mean"] - c["pde_mean"])) <= 1e-9 * abs(c["mean"])
    if c["bias_se"] == 0:  # a constant
        assert c["low95"] == c["bias"] == c["high95"] == 0 and c["pde_mean_se"] == 0
        continue
    assert abs(c["bias_se"] - np.hypot(c["mean_se"], c["pde_mean_se"])) < 1e-9 * c["bias_se"] and c["low95"] < c["bias"] < c["high95"]
def same(a, b):
    one, other = arrays(a), arrays(b)
    assert one.keys() == other.keys() and len(one) > 30, a
    for key in one:
        assert one[key].tobytes() == other[key].tobytes(), (a, b, key)
run = work + "/run/"
for source in ("model", "pde"):
    same(run + source + "1.h5", run + source + "2.h5")
    same(run + source + "1.h5", run + source + "3.h5")
same(run + "long.h5", work + "/again/long.h5")
same(run + "tolerance1.h5", run + "tolerance3.h5")
early = arrays(run + "tolerance1.h5")
assert 4096 <= early["samples"][0] < 100000
for name in ("min_c", "max_c", "phi_collector"):
    g = f"quantities/{name}/"
    sd = early[g + "sd"][0]
    assert max(early[g + "mean_se"][0], early[g + "sd_se"][0], early[g + "quantile_se"].max()) <= 0.05 * sd
a, g = arrays(run + "pde1.h5"), arrays(work + "/grouped/grouped.h5")
# distributed residuals end Newton's iteration elsewhere within its tolerance; a bin may take another row
assert np.allclose(a["fields/c/mean"], g["fields/c/mean"], rtol=1e-6) and np.allclose(a["fields/phi/sd"], g["fields/phi/sd"], rtol=1e-4)
assert a["samples"].tolist() == [9000, 9000] and a["failed"].tolist() == [0, 0]
assert a["fields/c/quantile"].shape == (2, 7, 16) and a["covariance"].shape == (2, 32, 32)
assert np.all(np.diff(a["fields/c/quantile"], axis=1) > 0)
assert np.allclose(np.sqrt(np.diagonal(a["covariance"][0])[:16]), a["fields/c/sd"][0], rtol=1e-6)
p = a["exceed/0/probability"]
assert p.shape == (2, 17) and np.all(p[:, 16] >= p[:, :16].max(axis=1)) and p[1, 16] > p[0, 16]
assert abs(a["quantities/phi_collector/mean"][0] - a["quantities/phi:0/mean"][0]) < 1e-12
share = a["quantities/max_c/histogram"]
assert np.allclose(share.sum(axis=1), 1, atol=2e-3)
# c falls from the collector to the separator: its maximum is its first cell
assert np.allclose(a["quantities/max_c/mean"], a["fields/c/mean"][:, 0])
told = json.load(open(run + "pde1.json"))
# expressions are linear where they are: drop's mean is the difference of the means at both ends, beyond the outer centres
ends = [1.5 * a["fields/phi/mean"][:, 0] - 0.5 * a["fields/phi/mean"][:, 1], 1.5 * a["fields/phi/mean"][:, -1] - 0.5 * a["fields/phi/mean"][:, -2]]
assert np.allclose(a["quantities/drop/mean"], ends[0] - ends[1], rtol=1e-7)
assert np.all(a["quantities/hot/min"] > 1)
for one in told["conditions"]:
    events = one["exceed"]
    assert [e["event"] for e in events] == ["c > 1400 somewhere", "phi < -0.2 somewhere", "phi[0] < -0.13", "hot > 1.1"], events
    assert all(e["low95"] <= e["probability"] <= e["high95"] and e["high95"] > 0 for e in events)
assert a["exceed/2/probability"].shape == (2,) and a["exceed/3/probability_high"].shape == (2,)
assert told["source"] == "pde" and len(told["conditions"]) == 2 and told["conditions"][1]["F_right"] == 16
assert told["conditions"][0]["quantities"]["max_c"]["mean"] == a["quantities/max_c/mean"][0]
# the held-out law is that of the training rows: means of the dataset near F_right = 8 and 16 bracket these within their spread
d = arrays(run + "dataset.h5")
near = np.abs(d["conditions/F_right"] - 16) < 1.5
spread = d["fields/c"][near, 0].std()
assert abs(d["fields/c"][near, 0].mean() - a["fields/c/mean"][1, 0]) < spread
PY

# Expressions against NumPy: without spread of the porosity every field drawn is the one that solve stores.
flat=(-porosity_sigma 0 -ensemble_float64 -sample_ell 1e-5 -run_dir "$work/flat")
scoria 1 solve "$deck" "${flat[@]}" -solve_count 1 >"$work/out" 2>&1 || { fail "solve without spread"; cat "$work/out" >&2; }
"$PYTHON" - >"$work/texts" <<'PY' || fail "texts"
print(",".join(f"q{i} = {t}" for i, t in enumerate((
    "phi[0] - phi[L]", "max(c) / mean(c)", "sd(c - 1000 * exp(-x / 4e-5))", "integral(c * phi)", "argmax(abs(phi - mean(phi)))", "argmin(c)",
    "min(max(c), 1200) + sqrt(F_right) * U0", "(c[4e-5] > 1000) && (phi[0] < 0)", "c[3.2e-5] ^ 2 - c[0] * c[L]", "max(c - mean(c)) / sd(c)", "-U0 ^ 2 + 1e3 * ell",
    "mean(x * c) / q1", "c[0] > 1500 ? 1 : -1"))))
PY
scoria 1 uq "$deck" "${flat[@]}" -uq_source pde -uq_count 20 -uq_quantities "$(cat "$work/texts")" >"$work/out" 2>&1 || { fail "uq without spread"; cat "$work/out" >&2; }
"$PYTHON" - "$work/flat" <<'PY' || fail "expressions differ from NumPy's"
import json, sys, h5py, numpy as np
f = h5py.File(f"{sys.argv[1]}/solve.h5")
c, phi, x = f["fields/c"][0], f["fields/phi"][0], f["x"][:]
U0, F_right, ell = (f[f"conditions/{n}"][0] for n in ("U0", "F_right", "ell"))
L = x[0] + x[-1]
def at(y, place):  # linear between the centres, and beyond the outer ones
    i = np.clip(np.searchsorted(x, place) - 1, 0, len(x) - 2)
    return y[i] + (place - x[i]) / (x[i + 1] - x[i]) * (y[i + 1] - y[i])
expected = [at(phi, 0) - at(phi, L), c.max() / c.mean(), np.std(c - 1000 * np.exp(-x / 4e-5)), L * np.mean(c * phi), x[np.argmax(abs(phi - phi.mean()))],
            x[np.argmin(c)], min(c.max(), 1200) + np.sqrt(F_right) * U0, float(at(c, 4e-5) > 1000 and at(phi, 0) < 0),
            at(c, 3.2e-5) ** 2 - at(c, 0) * at(c, L), (c - c.mean()).max() / c.std(), -U0 ** 2 + 1e3 * ell, np.mean(x * c) / (c.max() / c.mean()),
            1 if at(c, 0) > 1500 else -1]
told = json.load(open(f"{sys.argv[1]}/uq.json"))["conditions"][0]["quantities"]
for i, want in enumerate(expected):
    q = told[f"q{i}"]
    assert abs(q["mean"] - want) <= 1e-9 * max(abs(want), np.abs(c).max() ** 2 if i == 8 else 0), (i, q["mean"], want)
    assert q["min"] == q["max"], (i, q)
assert [told["q0"]["unit"], told["q5"]["unit"], told["q9"]["unit"]] == ["", "m", ""]
PY

# The overpotential of an electrode, its kinetic and its ohmic part, as input/README.md defines them, against the closed form of the linear
# model in an even porosity of .35: phi + U0 = -G x + A cosh(mu x) + B sinh(mu x), eta = -A cosh(mu x) - B sinh(mu x).
linear=(-run_dir "$work/linear" -electrode_set article -electrode_bruggeman_kappa 1.5 -porosity_min 0.1 -porosity_max 0.6 -porosity_logit_mean 0
  -porosity_sigma 0 -conditions_U0 "0,0.2" -conditions_F_right "10,40" -conditions_ell "5e-6,2e-5" -ensemble_cells 200 -ensemble_derived "j,eta")
printf 'run: {seed: 1}\n' >"$work/linear.yaml"
parts=$(grep -o '"overpotential \[V\].*argmax(abs(j))"' "$SCORIA_SOURCE/input/README.md" | tr -d '"')
scoria 1 uq "$work/linear.yaml" "${linear[@]}" -uq_source pde -uq_count 20 -uq_U0 0.1 -uq_F_right 25 -uq_quantities "$parts" >"$work/out" 2>&1 || { fail "uq of overpotentials"; cat "$work/out" >&2; }
"$PYTHON" - "$work/linear/uq.json" <<'PY' || fail "overpotentials differ from the closed form"
import json, sys
from math import cosh, sinh, sqrt
told = {name: q["mean"] for name, q in json.load(open(sys.argv[1]))["conditions"][0]["quantities"].items()}
eps, L, G, F, k = 0.35, 1e-4, 1000, 25, 0.1
kappa, a_s = eps**1.5, 5e5 * (1 - eps)
mu = sqrt(a_s * k / kappa)
B = G / mu
A = (G - F / kappa - G * cosh(mu * L)) / (mu * sinh(mu * L))
eta = lambda x: -A * cosh(mu * x) - B * sinh(mu * x)
n = 2000                                   # Simpson's rule
weight = [(1 if i in (0, n) else 4 if i % 2 else 2) * L / n / 3 for i in range(n + 1)]
square = sum(w * eta(i * L / n) ** 2 for i, w in enumerate(weight))
exact = {"overpotential": eta(L) + G * L, "kinetic": a_s * k * square / F}   # -phi(L) - U0; the integral of j is F
exact["ohmic"] = exact["overpotential"] - exact["kinetic"]
for name, value in exact.items():          # second order in 200 cells, of differences of .05 V
    assert abs(told[name] - value) < 2e-5, (name, told[name], value)
assert told["front"] == L / 400            # the middle of the first cell
PY

# How far the tails of the model were held against the PDE's: not at all, by compare, of another sampler, of another model.
tails=(-uq_count 2000 -uq_quantities "drop = phi[0] - phi[L]" -uq_exceed "c > 3000,phi < -0.2,drop > 1" -uq_quantiles "0.0001,0.5")
scoria 2 uq "$deck" "${tails[@]}" -uq_file unchecked.h5 >"$work/out" 2>&1 || fail "uq without a comparison"
grep -q "model's tails are not checked: there is no compare.h5" "$work/out" || fail "uq does not say that nothing was compared"
few='quantile 0.0001 of 2000 fields: less than one is expected below it, and the smallest stands in its place'
grep -q "WARNING: $few\$" "$work/out" || { fail "a quantile beyond the fields drawn is not told"; cat "$work/out" >&2; }
grep -q "\"few_fields\":.*\"$few\"" "$run/unchecked.json" || fail "uq.json does not tell of a quantile beyond the fields drawn"
grep -q "few_fields" "$run/model1.json" && fail "quantiles of 9000 fields are said to lie beyond them"
grep -q "bias: the model's is not checked: there is no compare.h5" "$work/out" || fail "uq does not say that no bias is known"
grep -q '^    max_c  *mol m^-3 .*  not checked$' "$work/out" || { fail "a bias that nobody has checked"; cat "$work/out" >&2; }
scoria 2 compare "$deck" -compare_count 300 >"$work/out" 2>&1 || { fail "compare"; cat "$work/out" >&2; }
grep -q "tails agree down to a probability of" "$work/out" || fail "compare does not print tails"
for ranks in 1 2; do
  scoria "$ranks" uq "$deck" "${tails[@]}" -uq_file "checked$ranks.h5" >"$work/out" 2>&1 || fail "uq with a comparison"
done
grep -q "not checked by compare: tails of drop$" "$work/out" || fail "uq does not name what compare does not know"
grep -q '^    drop .*  not checked$' "$work/out" || fail "a bias of what compare does not know"
"$PYTHON" - "$run" "$work/out" <<'PY' || { fail "biases beside the means"; cat "$work/out" >&2; }
import json, re, sys
run, printed = sys.argv[1:]
told = json.load(open(f"{run}/checked1.json"))["conditions"][0]["quantities"]
compared = {q["name"]: {e["name"]: e for e in q["estimates"]} for q in json.load(open(f"{run}/compare.json"))["worth"]["quantities"]}
found = {m[1]: (float(m[2]), float(m[3])) for m in re.finditer(r"^    (\w+) .* ([+-][0-9.e-]+) \(<([0-9.e-]+)\)$", open(printed).read(), re.M)}
assert set(found) == {"min_c", "max_c", "phi_collector"} == set(told) - {"drop"}, (found, list(told))
for name, (bias, upper) in found.items():
    for ours, theirs in (("mean", "mean"), ("sd", "sd"), ("q975", "q975")):
        estimate = compared[name][theirs]
        assert told[name]["compared"][ours + "_bias"] == estimate["bias"], name
        assert told[name]["compared"][ours + "_bias_upper"] == estimate["bias_upper"], name
    mean = compared[name]["mean"]  # two digits are printed
    assert abs(bias - mean["bias"]) <= .051 * abs(bias) and abs(upper - mean["bias_upper"]) <= .051 * upper, (name, bias, upper)
assert all(value is None for value in told["drop"]["compared"].values())
PY
# The Gaussian has biases of its own, whatever the sampler is.
scoria 2 uq "$deck" "${tails[@]}" -sample_source gaussian -sample_steps 3 -uq_file gaussian.h5 >"$work/gaussian" 2>&1 || { fail "uq of the Gaussian"; cat "$work/gaussian" >&2; }
"$PYTHON" - "$run" <<'PY' || { fail "biases of the Gaussian"; cat "$work/gaussian" >&2; }
import json, sys
told = json.load(open(f"{sys.argv[1]}/gaussian.json"))["conditions"][0]["quantities"]
for q in json.load(open(f"{sys.argv[1]}/compare.json"))["worth"]["quantities"]:
    for e in (e for e in q["estimates"] if q["name"] in told):
        assert told[q["name"]]["compared"][e["name"] + "_bias_upper"] == e["gaussian_bias_upper"] != e["bias_upper"], (q["name"], e)
PY
# Outside the trained ranges compare has looked at nothing.
scoria 1 uq "$deck" -uq_count 300 -uq_exceed "c > 1100" -uq_U0 0.24,0.26 -uq_file outside.h5 >"$work/outside" 2>&1 || { fail "uq outside the ranges"; cat "$work/outside" >&2; }
if [ "$(grep -c '^    max_c .*(<' "$work/outside")" -ne 1 ] || [ "$(grep -c '^    max_c .* not checked$' "$work/outside")" -ne 1 ]; then
  fail "a bias outside the trained ranges"
  cat "$work/outside" >&2
fi
"$PYTHON" - "$run" <<'PY' || fail "what is checked outside the trained ranges"
import json, sys
inside, outside = json.load(open(f"{sys.argv[1]}/outside.json"))["conditions"]
known = lambda one: [v is not None for q in one["quantities"].values() for m in ("compared", "checked") for n, v in q[m].items() if n != "mean_bias_se"]   # of imports
assert all(known(inside)) and not any(known(outside)), (inside, outside)
assert inside["exceed"][0]["checked"] is not None and outside["exceed"][0]["checked"] is None
PY
grep -q 'WARNING: P(c > 3000 somewhere) = 0: the upper tail of max_c' "$work/out" || fail "uq does not warn of a rare event"
grep -q 'WARNING: quantile 0.0001 of max_c: the lower tail' "$work/out" || fail "uq does not warn of a far quantile"
grep -q 'WARNING: quantile 0.5' "$work/out" && fail "uq warns of a median"
# The cheapest source that is right: the model where compare allows it, unless its check at the asked condition does not.
auto=(-uq_source auto -uq_tolerance 0.125 -uq_tolerance_of means -uq_tolerance_for phi_collector -uq_count 4000 -uq_pilot 3000 -uq_U0 0.101 -uq_F_right 5.1 -uq_ell 2.1e-5)
for ranks in 1 3; do
  scoria "$ranks" uq "$deck" "${auto[@]}" -uq_file "auto$ranks.h5" >"$work/out" 2>&1 || { fail "uq, source auto"; cat "$work/out" >&2; }
done
# As if compare had seen no condition like this one: fresh solves there find what it has missed.
cp "$run/compare.h5" "$work/compare.h5"
"$PYTHON" - "$run/compare.h5" <<'PY'
import sys, h5py, numpy as np
from crc32c import crc32c
with h5py.File(sys.argv[1], "r+") as compared:
    bias = compared["/worth/bias_upper"]
    bias[:] = np.minimum(bias[:], 0.02)
    bias.attrs.modify("crc32c", crc32c(bias[:].tobytes()))
PY
scoria 2 uq "$deck" "${auto[@]}" -uq_F_right 19.8 -uq_tolerance 0.04 -uq_check 2000 -uq_file auto_checked.h5 >"$work/out" 2>&1 || { fail "uq, source auto with a check"; cat "$work/out" >&2; }
cp "$work/compare.h5" "$run/compare.h5"
scoria 2 uq "$deck" "${auto[@]}" -uq_tolerance 0.27 -uq_file auto_loose.h5 >"$work/out" 2>&1 || { fail "uq, source auto, loose"; cat "$work/out" >&2; }
grep -q "tails are not checked: compare checks those of the model, not of its Gaussian" "$work/out" || fail "the Gaussian's tails"
scoria 1 uq "$deck" "${auto[@]}" -uq_tolerance 0.01 -uq_file auto_tight.h5 >"$work/out" 2>&1 || { fail "uq, source auto, tight"; cat "$work/out" >&2; }
grep -q "source model .* not taken: its bias in phi_collector, up to .* SD by compare, exceeds the tolerance" "$work/out" || fail "a model is not refused for its bias"
scoria 1 uq "$deck" "${auto[@]}" -uq_F_right 25 -uq_file auto_outside.h5 >"$work/out" 2>&1 || { fail "uq, source auto, outside"; cat "$work/out" >&2; }
grep -q "source model .*not taken: condition 0 is outside of its training ranges" "$work/out" || fail "a model is asked outside of its ranges"
"$PYTHON" - "$run" <<'PY' || fail "what source auto has chosen"
import json, sys, h5py
run = sys.argv[1]
told = {n: json.load(open(f"{run}/auto{n}.json")) for n in ("1", "3", "_checked", "_loose", "_tight", "_outside")}
assert told["1"]["source"] == "model" and told["1"]["auto"] == told["3"]["auto"] and told["1"]["conditions"] == told["3"]["conditions"], told["1"]["auto"]
for name, t in told.items():
    ways = {w["source"]: w for w in t["auto"]["ways"]}
    assert set(ways) == {"pde", "multilevel", "model", "gaussian"} and "why" not in ways["pde"] and f"use source {t['source']}" in t["auto"]["sentence"], t["auto"]
    assert t["source"] == min((w for w in ways.values() if "why" not in w), key=lambda w: w["core_seconds"])["source"], t["auto"]
bias = told["1"]["auto"]["ways"][2]["bias"]
worth = {q["name"]: q["estimates"][0]["bias_upper"] for q in json.load(open(f"{run}/compare.json"))["worth"]["quantities"]}
assert bias == worth["phi_collector"] and 0 < bias < 0.125, (bias, worth)
# its Gaussian, a tenth of the time, is nearer to the tolerance: beyond the tighter one, within the looser
gaussian = {q["name"]: q["estimates"][0]["gaussian_bias_upper"] for q in json.load(open(f"{run}/compare.json"))["worth"]["quantities"]}["phi_collector"]
assert told["1"]["auto"]["ways"][3]["bias"] == gaussian > 0.125 and "exceeds the tolerance" in told["1"]["auto"]["ways"][3]["why"]
assert told["_loose"]["source"] == "gaussian" and gaussian < 0.27, told["_loose"]["auto"]
# compare's own advice: every way, within .02 SD or not; the gain of several fidelities, planned for each estimate alone
advice = json.load(open(f"{run}/compare.json"))["worth"]
ways = {w["name"]: w for w in advice["ways"]}
assert set(ways) == {"plain Monte Carlo", "multilevel", "the Gaussian", "the model"} and advice["tolerance"] == 0.02 and advice["seconds_pilot"] > 0, advice
e = [e for q in advice["quantities"] for e in q["estimates"]]
assert all(x["multilevel_gain"] >= 1 for x in e) and max(x["multilevel_gain"] for x in e) > 2, e  # the mirror, of means
at = [max(x["error_of_one"] ** 2 / 0.02**2 / x["multilevel_gain"] * advice["seconds_pde"] for x in e) + advice["seconds_pilot"], max(x["error_of_one"] for x in e) ** 2 / 0.02**2 * advice["seconds_pde"]]
assert abs(ways["multilevel"]["seconds_each"] / at[0] - 1) < 1e-9 and abs(ways["plain Monte Carlo"]["seconds_each"] / at[1] - 1) < 1e-9, (ways, at)
assert ways["the model"]["bias"] == max(x["bias_upper"] for x in e) and ways["the model"]["seconds_each"] is None  # beyond .02
assert advice["sentence"].startswith("for errors of 0.02 SD use ") and "the model's bias may be" in advice["sentence"], advice
assert told["_checked"]["source"] == "pde" and "its check at condition 0 finds a bias of" in told["_checked"]["auto"]["ways"][2]["why"], told["_checked"]["auto"]
assert told["_outside"]["source"] != "model" != told["_tight"]["source"]
# 4000 draws in any case, or until the mean alone of the one quantity is known
assert told["_checked"]["conditions"][0]["samples"] == 4000
PY
scoria 1 uq "$deck" "${tails[@]}" -sample_steps 5 -uq_tolerance_for max_c -uq_file steps.h5 >"$work/out" 2>&1 || fail "uq with another sampler"
grep -q "not checked: compare.h5 has other settings of the sampler" "$work/out" || fail "uq takes another sampler's comparison"
grep -q "WARNING: uq_tolerance_for is ignored: uq_source is model, not multilevel" "$work/out" || fail "a key of other sources is ignored without a word"
mkdir -p "$work/other"
cp "$run/dataset.h5" "$run/compare.h5" "$work/other/"
scoria 2 train "$deck" -train_steps 20 -run_dir "$work/other" >"$work/out" 2>&1 || fail "another model"
scoria 1 uq "$deck" "${tails[@]}" -train_steps 20 -run_dir "$work/other" >"$work/out" 2>&1 || { fail "uq of another model"; cat "$work/out" >&2; }
grep -q "not checked: compare.h5 is of another model" "$work/out" || fail "uq takes another model's comparison"
"$PYTHON" - "$run" <<'PY' || fail "tails in files"
import json, math, sys, h5py
run = sys.argv[1]
told = json.load(open(f"{run}/checked2.json"))
assert told == json.load(open(f"{run}/checked1.json")) | {"cost": told["cost"]}
compared = json.load(open(f"{run}/compare.json"))["tails"]
checked = {(t["quantity"], t["side"]): t["checked"] for t in compared}
assert {q for q, side in checked} == {"min_c", "max_c", "phi_collector", "min_phi", "max_phi"} and len(checked) == 10, checked
f = h5py.File(f"{run}/compare.h5")
for name, (low, high) in zip(f.attrs["tail_quantities"].decode().split(","), f["tails/checked"][:]):
    assert (low, high) == (checked[name, "low"], checked[name, "high"])
for t in compared:  # 600 solves and 300 samples at each of 3 conditions; 10 solves beyond together at least
    ranks = t["ranks"]
    assert [round(r["probability"] * 600) for r in ranks] == [256, 128, 64, 32, 16, 8, 4]
    agree = [max(r["low95"], r["model_low95"]) <= min(r["high95"], r["model_high95"]) or .8 <= r["model"] / r["probability"] <= 1.25 for r in ranks]
    n = agree.index(False) if False in agree else len(agree)
    assert t["checked"] == (ranks[n - 1]["probability"] if n else 1), t
    i, side = f.attrs["tail_quantities"].decode().split(",").index(t["quantity"]), ["low", "high"].index(t["side"])
    differs, ratio = f["tails/differs"][i, side], f["tails/ratio"][i, side]
    if n == len(ranks):
        assert math.isnan(differs) and math.isnan(ratio), t
        beyond = f"agrees with the PDE's down to {t['checked']:.2g}, beyond which compare has too few solves"
        short = [w for w in told["warnings"] if w.startswith(f"the tail of each {beyond}: quantile 0.0001 of ")]
        if short and t["quantity"] in short[0].split(";")[0]:  # one line of several
            continue
    else:
        assert differs == ranks[n]["probability"] and abs(ratio - ranks[n]["model"] / differs) < 1e-12, t
        beyond = (f"agrees with the PDE's down to {t['checked']:.2g} only" if n else "differs from the PDE's in compare") + (
            f"; at {differs:.2g} the model has {ratio:.2g} times the PDE's probability")
    line = f"quantile 0.0001 of {t['quantity']}: the lower tail {beyond}"
    assert side or line in told["warnings"] or t["quantity"] not in told["conditions"][0]["quantities"], (line, told["warnings"])
one = told["conditions"][0]
assert one["quantities"]["max_c"]["checked"] == {"low": checked["max_c", "low"], "high": checked["max_c", "high"]}
assert one["quantities"]["drop"]["checked"] == {"low": None, "high": None}
# phi < -.2 somewhere is likelier than not or rarer: the tail of min_phi on that side
side = "low" if one["exceed"][1]["probability"] <= 0.5 else "high"
assert [e["checked"] for e in one["exceed"]] == [checked["max_c", "high"], checked["min_phi", side], None]
assert len(told["warnings"]) >= 3 and "warnings" not in json.load(open(f"{run}/pde1.json"))
PY

# Of the deck's own numbers too: twice a value has the tails of the value.
mkdir -p "$work/own"
cp "$run/dataset.h5" "$run/model.h5" "$work/own/"
own=(-run_dir "$work/own" -uq_quantities "twice [V] = 2 * phi[0], mid = quantile(c, 0.5)" -uq_exceed "max(c) / 2 > 1500")
scoria 2 compare "$deck" -compare_count 300 "${own[@]}" >"$work/out" 2>&1 || { fail "compare of the deck's own numbers"; cat "$work/out" >&2; }
scoria 2 uq "$deck" -uq_count 500 "${own[@]}" >"$work/out" 2>&1 || fail "uq of them"
grep -q "not checked" "$work/out" && fail "uq does not find the tails of the deck's own numbers"
scoria 1 uq "$deck" -uq_count 100 -run_dir "$work/own" -uq_quantities "twice = 3 * phi[0]" -uq_file other.h5 >"$work/out" 2>&1 || fail "uq of another number of that name"
grep -q "not checked by compare: tails of twice$" "$work/out" || fail "another number has the tails of its name"
"$PYTHON" - "$work/own" <<'PY' || fail "tails of the deck's own numbers"
import json, sys
tails = {(t["quantity"], t["side"]): t for t in json.load(open(f"{sys.argv[1]}/compare.json"))["tails"]}
for of, same in ("phi_collector", "twice"), ("max_c", "max(c) / 2"):
    for side in "low", "high":
        assert tails[of, side]["ranks"] == tails[same, side]["ranks"] and tails[of, side]["checked"] == tails[same, side]["checked"], (same, side)
told = json.load(open(f"{sys.argv[1]}/uq.json"))["conditions"][0]
assert told["exceed"][0]["checked"] == tails["max_c", "high"]["checked"]
assert told["quantities"]["mid"]["checked"] == {side: tails["mid", side]["checked"] for side in ("low", "high")}
PY

# The report shows what is called uq.json: a table, and the distributions.
: >"$run/report.html"
scoria 1 uq "$deck" "${ask[@]}" -uq_count 2000 >"$work/out" 2>&1 || fail "uq into uq.json"
grep -q 'report.html does not show uq.h5 yet: scoria report DECK renews it' "$work/out" || fail "an old report is not told"
scoria 2 report "$deck" >"$work/out" 2>&1 || { fail "report"; cat "$work/out" >&2; }
grep -q 'report.html does not show' "$work/out" && fail "a new report is said to be old"
for text in '<h2>Quantities of interest</h2>' '<code>phi_collector</code>' '<code>drop</code>' '<h3>Probabilities of events</h3>' \
  'For errors of 0.02 SD use ' 'bias \[SD\]' '<code>phi\[0\] &lt; -0.13</code>' '<h3>Tails</h3>' 'agrees down to' ' (fixed).</p>'; do
  grep -q -- "$text" "$run/report.html" || fail "the report lacks $text"
done
if command -v gnuplot >/dev/null 2>&1 && [ ! -s "$run/figures/quantities.svg" ]; then fail "no figure of quantities"; fi

expect 3 'uq: quantities: "d = phl\[0\]" is not understood at "phl" (did you mean "phi"?)' 1 uq "$deck" -uq_quantities "d = phl[0]" -uq_file x.h5
expect 3 'uq: exceed: "ph" is not understood at "ph" (did you mean "phi"?); fields: c, phi' 1 uq "$deck" -uq_exceed "ph < 2" -uq_file x.h5
expect 3 'there is no function "phi"; a field.s place stands in brackets, phi\[0\]' 1 uq "$deck" -uq_quantities "d = phi(0) - phi(L)" -uq_file x.h5
expect 3 'uq: quantities: "d = maxx(c)": there is no function "maxx" (did you mean "max"?)' 1 uq "$deck" -uq_quantities "d = maxx(c)" -uq_file x.h5
expect 3 'uq: quantities: "d = max(c\]": its brackets do not match' 1 uq "$deck" -uq_quantities "d = max(c]" -uq_file x.h5
scoria 1 uq "$deck" -uq_count 2000 -uq_fidelities line -uq_quantities "one = min(c) * 0 + 3.3" -uq_sobol 20 -uq_file idle.h5 >"$work/out" 2>&1 || fail "uq of a constant"
grep -q "WARNING: uq_fidelities is ignored: uq_source is model, not multilevel" "$work/out" || fail "uq does not tell of an idle key"
grep -q "one .*constant .*no index: it is 3.3 in every row" "$work/out" || fail "uq does not tell of a constant"
grep -q "nan" "$work/out" && fail "uq prints nan"
expect 3 'uq: exceed: "eps" is not understood at "eps".*; expected' 2 uq "$deck" -uq_exceed eps:0.3 -uq_file x.h5
expect 3 'uq: exceed: found "everwhere" in "c > 2000 everwhere" (did you mean "everywhere"?)' 1 uq "$deck" -uq_exceed "c > 2000 everwhere" -uq_file x.h5
expect 3 'uq: exceed: found "=>" in "c => 1500", expected < or >' 1 uq "$deck" -uq_exceed "c => 1500" -uq_file x.h5
expect 3 '"max_c = max(c)": max_c is a quantity already' 1 uq "$deck" -uq_quantities "max_c = max(c)" -uq_file x.h5
expect 3 'uq: exceed: found "c1400", expected "c > 2500"' 2 uq "$deck" -uq_exceed c1400 -uq_file x.h5
expect 3 'uq: quantities: "d = phi - 1": phi is a field, and has many values' 2 uq "$deck" -uq_quantities "d = phi - 1" -uq_file x.h5
expect 3 'uq: quantities: "d" is infinite or no number for [0-9]* of the fields drawn' 2 uq "$deck" -uq_quantities "d = log(c[0] - 1400)" -uq_count 2000 -uq_file x.h5
expect 3 'uq: exceed: found "c\[0\] > 1 && phi\[0\] < 0", expected one comparison' 2 uq "$deck" -uq_exceed "c[0] > 1 && phi[0] < 0" -uq_file x.h5
expect 3 'uq: quantities: "max(c)" is there twice' 2 uq "$deck" -uq_quantities "max(c),max(c)" -uq_file x.h5
expect 3 'uq: probes: found "c:1", allowed 0 to' 2 uq "$deck" -uq_probes c:1 -uq_file x.h5
expect 3 'uq: F_right: found 30 A m^-2, the model was trained on' 2 uq "$deck" -uq_F_right 30 -uq_file x.h5 -strict
expect 3 'model1.h5: made by another deck (uq_count' 2 uq "$deck" "${ask[@]}" -uq_source model -uq_file model1.h5 -uq_count 8000
# Between two times of the snapshots no row tells the model anything: it says so, and refuses under -strict.
times=(-ensemble_mode transient -ensemble_times "10,100" -ensemble_conditions 8 -ensemble_realisations 16 -train_steps 0 -sample_source gaussian -run_dir "$work/times")
for command in generate train; do
  scoria 2 "$command" "$deck" "${times[@]}" >"$work/out" 2>&1 || { fail "$command of two times"; cat "$work/out" >&2; }
done
scoria 1 uq "$deck" "${times[@]}" -uq_count 40 -uq_time "10,55" >"$work/out" 2>&1 || { fail "uq between two times"; cat "$work/out" >&2; }
{ [ "$(grep -c 'WARNING: time = ' "$work/out")" -eq 1 ] && grep -q 'WARNING: time = 55 s lies between the ensemble.times 10 and 100 s' "$work/out"; } || fail "no word of a time between two snapshots"
expect 3 'uq: time: found 55 s, the model was trained at 10 and 100 s and at no time between' 1 uq "$deck" "${times[@]}" -uq_count 40 -uq_time 55 -strict -uq_file strict.h5
finish
