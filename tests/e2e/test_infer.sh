#!/usr/bin/env bash
# infer: calibrated against fields of the PDE that nobody trained on, from synthetic sensors; the same bits on any number of ranks; unknown
# conditions; the conditional Gaussian as the prior; bad readings.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
run=$work/run
tiny_deck "$deck" "$run"
sed -i 's/conditions: 48, realisations: 6/conditions: 256, realisations: 16/; s/steps: 30, batch: 64/steps: 400, batch: 256/' "$deck"
run() { # RANKS COMMAND ...: must succeed
  scoria "$@" >"$work/out" 2>&1 || {
    fail "scoria $*"
    cat "$work/out" >&2
  }
}
fields=16
run 2 generate "$deck"
run 2 train "$deck"
run 1 solve "$deck" -run_dir "$work/truth" -run_seed 77 -solve_count "$fields"

# Three places each, the noise a fifth of the spread there; a file per field.
"$PYTHON" - "$work" <<'PY' || fail "sensors"
import sys
import h5py, numpy as np
work = sys.argv[1]
rng = np.random.default_rng(5)
f = h5py.File(work + "/truth/solve.h5")
x, places = f["x"][:], [("c", 3), ("c", 9), ("phi", 0), ("phi", 7), ("c", 13), ("phi", 12)]
for i in range(len(f["crc"])):
    with open(f"{work}/sensors{i}.txt", "w") as out:
        out.write("# field x value sd\n\n")
        for name, cell in places:
            values = f["fields"][name][:, cell]
            sd = 0.2 * values.std()
            out.write(f"{name}, {x[cell]:.9g} {values[i] + sd * rng.standard_normal():.9g}\t{sd:.9g} # {i}\n")
PY

ask=(-infer_count 500)
for i in $(seq 0 $((fields - 1))); do run 1 infer "$deck" "${ask[@]}" -sensors_file "$work/sensors$i.txt" -infer_file "p$i.h5"; done
for ranks in 2 3; do run "$ranks" infer "$deck" "${ask[@]}" -sensors_file "$work/sensors0.txt" -infer_file "p0_$ranks.h5"; done
grep -q 'ln evidence .* +- ' "$work/out" || fail "no evidence on standard output"
unknown=(-infer_conditions "U0,F_right" -infer_count 300 -sensors_file "$work/sensors1.txt")
for ranks in 1 3; do run "$ranks" infer "$deck" "${unknown[@]}" -infer_file "unknown$ranks.h5"; done
run 2 infer "$deck" "${ask[@]}" -infer_prior gaussian -sensors_file "$work/sensors2.txt" -infer_file gaussian.h5
listed=(-sensors_at "phi:0,c:40e-6" -sensors_value "-0.19,1250" -sensors_sd "0.01,30")
run 1 infer "$deck" "${ask[@]}" "${listed[@]}"
run 1 infer "$deck" "${ask[@]}" "${listed[@]}"
grep -q 'posterior.h5 is complete' "$work/out" || fail "not taken as complete"
run 2 report "$deck" "${listed[@]}"
grep -q '<section id="infer">' "$run/report.html" || fail "no section in the report"
grep -q '^<p>At .* (fixed).</p>' "$run/report.html" || fail "the report does not say at what the other conditions are"
if command -v gnuplot >/dev/null; then grep -q 'id="figure-posterior"' "$run/report.html" || fail "no figure in the report"; fi

# Blunt readings at cell centres: samples of the model, weighted, know the answer as well.
x() { "$PYTHON" -c "import h5py, sys; print(h5py.File('$run/dataset.h5')['x'][$1])"; }
run 2 sample "$deck" -sample_count 20000 -sample_file weighted.h5
run 2 infer "$deck" -infer_count 2000 -sensors_at "c:$(x 3),phi:$(x 7)" -sensors_value "1420,-0.1985" -sensors_sd "60,0.001" -infer_file blunt.h5
# Every round of tiles is counted: pilot and all of prior and posterior, the surrogate, the first evaluation and every move of 2,000 particles.
"$PYTHON" - "$run/log.jsonl" <<'PY' || fail "what infer counts of its work"
import json, sys
log = [json.loads(line) for line in open(sys.argv[1])]
ends = [i for i, l in enumerate(log) if l["event"] == "progress" and l["what"] == "infer"]
moves = sum(l["moves"] for l in log[ends[-2]:ends[-1]] if l["event"] == "infer")
rounds, rest = divmod(log[ends[-1]]["done"], 2 * 128)
all, pilot = 8, 8
surrogate = rounds - 2 * (pilot + all) - all * (1 + moves)
assert rest == 0 and log[ends[-1]]["unit"] == "fields" and moves >= 8 and surrogate in (1, 2), (rounds, moves)
PY

"$PYTHON" - "$work" "$fields" <<'PY' || fail "posteriors"
import json, sys
import h5py, numpy as np
from arrays import arrays_of
work, n = sys.argv[1], int(sys.argv[2])
def arrays(name):
    out = arrays_of(f"{work}/run/{name}.h5")
    with h5py.File(f"{work}/run/{name}.h5") as f:
        out["evidence"] = np.array([f.attrs["log_evidence"], f.attrs["log_evidence_se"]])
    return out
def same(a, b):
    one, other = arrays(a), arrays(b)
    assert one.keys() == other.keys() and len(one) > 40
    for key in one:
        assert one[key].tobytes() == other[key].tobytes(), (a, b, key)
same("p0", "p0_2")
same("p0", "p0_3")
same("unknown1", "unknown3")
truth = h5py.File(work + "/truth/solve.h5")
inside, scaled, ratio, before = [], [], [], []
for i in range(n):
    p = arrays(f"p{i}")
    low, high = (int(np.flatnonzero(np.isclose(p["probability"], q))[0]) for q in (0.05, 0.95))
    for name in ("c", "phi"):
        true, q = truth["fields"][name][i], p[f"fields/{name}/quantile"]
        inside.append((true >= q[low]) & (true <= q[high]))
        scaled.append((true - p[f"fields/{name}/mean"]) / p[f"fields/{name}/sd"])
        ratio.append(p[f"fields/{name}/sd"] / p[f"prior/fields/{name}/sd"])
        k = p[f"particles/{name}"]
        assert k.shape == (200, 16) and np.all(np.abs(k.mean(axis=0) - p[f"fields/{name}/mean"]) < 0.5 * p[f"fields/{name}/sd"])
    assert np.all(p["sensors/posterior_sd"] < p["sensors/prior_sd"])
    assert p["stages/temperature"][-1] == 1 and np.all(np.diff(p["stages/temperature"]) > 0)
coverage, rms, shrunk = np.mean(inside), np.sqrt(np.mean(np.square(scaled))), np.mean(ratio)
print(f"coverage of 90 %: {coverage:.3f}; rms of (truth - mean) / SD {rms:.3f}; SD of the prior's {shrunk:.3f}")
# Six readings leave each channel's sixteen cells some four numbers free, each inside with probability .9: over 2 x 16 channels the share
# has a standard error of .3 / sqrt(128) = .027; three of them, and as much again for a model trained in seconds.
assert 0.90 - 0.16 < coverage
# of as many squares, the root: 1 / sqrt(2 x 128) = .06, likewise; beyond 1.4 the posterior would be far too narrow, below .6 too wide
assert 0.6 < rms < 1.4
assert shrunk < 0.6
# The weighted samples are worth (sum w)^2 / sum w^2 draws; the particles, a third of their number; four standard errors.
b = arrays("blunt")
s = h5py.File(work + "/run/weighted.h5")
c, phi = s["fields/c"][:], s["fields/phi"][:]
l = -0.5 * (((c[:, 3] - 1420) / 60) ** 2 + ((phi[:, 7] + 0.1985) / 0.001) ** 2) - np.log(2 * np.pi * 60 * 0.001)
w = np.exp(l - l.max())
ess = w.sum() ** 2 / np.sum(w * w)
assert ess > 500, ess
evidence, se = l.max() + np.log(w.mean()), np.sqrt(1 / ess - 1 / len(w))
print(f"ln evidence {b['evidence'][0]:.4f} +- {b['evidence'][1]:.4f}, from weighted samples {evidence:.4f} +- {se:.4f}")
assert abs(b["evidence"][0] - evidence) < 4 * np.hypot(se, b["evidence"][1])
for name, field in (("c", c), ("phi", phi)):
    mean = np.average(field, axis=0, weights=w)
    sd = np.sqrt(np.average((field - mean) ** 2, axis=0, weights=w))
    worth = 4 * np.sqrt(1 / ess + 3 / 2000)
    assert np.all(np.abs(b[f"fields/{name}/mean"] - mean) < worth * sd)
    assert np.all(np.abs(b[f"fields/{name}/sd"] / sd - 1) < worth)  # a kurtosis of 5 makes that of an SD as large
u = arrays("unknown1")
for k in ("U0", "F_right"):
    true = truth["conditions"][k][1]
    assert abs(u[f"conditions/{k}/mean"][0] - true) < 4 * u[f"conditions/{k}/sd"][0], k
    assert u[f"conditions/{k}/sd"][0] < u[f"prior/conditions/{k}/sd"][0], k
    lo, hi = {"U0": (0.10, 0.25), "F_right": (5, 20)}[k]
    assert np.all((u[f"particles/{k}"] > lo) & (u[f"particles/{k}"] < hi))
    # uniform beforehand: (hi - lo) / sqrt(12), four standard errors of 300 draws
    assert abs(u[f"prior/conditions/{k}/sd"][0] * np.sqrt(12) / (hi - lo) - 1) < 4 * 0.45 / np.sqrt(300)
assert "given/ell" in u and "given/U0" not in u
j = json.load(open(work + "/run/gaussian.json"))
assert j["prior"] == "gaussian" and len(j["sensors"]) == 6 and j["quantities"]["min_c"]["sd"] < j["quantities"]["min_c"]["prior_sd"] * 1.05
PY

bad() { # PATTERN LINE: a file of that one line
  printf '%s\n' "$2" >"$work/bad.txt"
  expect 3 "$1" 2 infer "$deck" -sensors_file "$work/bad.txt" -infer_file x.h5
}
bad 'reading 1: found field "p", expected one of c, phi' 'p 1e-5 3 1'
bad 'reading 1: found x = 1 m, allowed 0 to' 'c 1 1200 5'
bad 'bad.txt: line 1: found sd 0, expected a positive one' 'c 1e-5 1200 0'
bad 'bad.txt: line 1: found 3 words, expected a field and three numbers' 'c 1e-5 1200'
bad 'bad.txt: line 1: found 5 words' 'c 1e-5 1200 5 5'
bad 'bad.txt: line 1: found "many", which is no number' 'c 1e-5 many 5'
bad 'bad.txt: found no reading' '# nothing'
expect 3 'readings_of_nobody.txt: cannot be read' 2 infer "$deck" -sensors_file readings_of_nobody.txt -infer_file x.h5
# A reading that the model holds for impossible is refused at once, unless the user lets it pass; one that is far is refused under -strict.
printf 'phi 0 1000 0.5\n' >"$work/far.txt"
told='infer: reading 1, phi at 0 m: 1000 is .* standard deviations from what the model expects there, -0.* V: another unit or sign'
expect 3 "$told" 1 infer "$deck" -sensors_file "$work/far.txt" -infer_file x.h5 -infer_count 200
printf 'c 40e-6 1.2 0.015\n' >"$work/far.txt"
expect 3 'reading 1, c at 4e-05 m: 1.2 is' 1 infer "$deck" -sensors_file "$work/far.txt" -infer_file x.h5 -infer_conditions all -infer_count 200
# Noise of 10 V, beside which a scatter of millivolts is nothing: its unit is another one.
printf 'phi 0 -0.15 10\n' >"$work/coarse.txt"
run 1 infer "$deck" -sensors_file "$work/coarse.txt" -infer_file coarse.h5 -infer_count 200
grep -q 'WARNING: reading 1: its noise is .* so that it tells nothing' "$work/out" || fail "noise that tells nothing is not told"
expect 3 'infer: reading 1: its sd 10 is' 1 infer "$deck" -sensors_file "$work/coarse.txt" -infer_file x.h5 -infer_count 200 -strict
bad 'which is no number, .* (a heading begins with #)' 'field x value sd'
far=(-sensors_at "phi:0" -sensors_value "-0.4" -sensors_sd "0.02" -infer_count 200)
run 1 infer "$deck" "${far[@]}" -infer_file far.h5 -infer_far 30
expect 3 'infer: reading 1, phi at 0 m: -0.4 is .* standard deviations' 1 infer "$deck" "${far[@]}" -infer_file x.h5 -infer_far 30 -strict
"$PYTHON" - "$run" <<'PY' || fail "the warning of a reading is not kept with the posterior"
import json, sys
far, near = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("far", "posterior"))
def diagnosed(p): return (p["misfit_probability"] < 1e-6 or abs(p["sensors"][0]["residual"]) > 5) + (p["correlation"] > 2 * p["correlation_limit"])
assert "phi at 0 m: -0.4 is" in far["warnings"][0] and len(far["warnings"]) == 1 + diagnosed(far), far["warnings"]
assert len(near["warnings"]) == diagnosed(near), near["warnings"]
PY
# A line that a file has twice; one of the same place is another reading.
printf 'phi 0 %s 0.01\n' -0.2 -0.21 -0.2 >"$work/again.txt"
scoria 2 infer "$deck" -sensors_file "$work/again.txt" -infer_file again.h5 -infer_count 200 >"$work/out" 2>&1 || { fail "repeated readings"; cat "$work/out" >&2; }
[ "$(grep -o 'WARNING: reading . is reading . again' "$work/out")" = 'WARNING: reading 3 is reading 1 again' ] || { fail "a repeated reading is not told"; cat "$work/out" >&2; }
expect 3 'infer: reading 3 is reading 1 again' 1 infer "$deck" -sensors_file "$work/again.txt" -infer_file x.h5 -infer_count 200 -strict
printf 'phi 0 -0.2 %s\n' 1e-6 0.002 >"$work/fine.txt"
scoria 1 infer "$deck" -sensors_file "$work/fine.txt" -infer_file fine.h5 -infer_count 200 >"$work/out" 2>&1 || { fail "readings of little noise"; cat "$work/out" >&2; }
[ "$(grep -o 'WARNING: reading .: its noise' "$work/out")" = 'WARNING: reading 1: its noise' ] ||
  { fail "noise finer than the model"; cat "$work/out" >&2; }
cp "$run/posterior.json" "$work/near.json"
cp "$run/far.json" "$run/posterior.json"
run 1 report "$deck"
cp "$work/near.json" "$run/posterior.json"
grep -q 'Warning:</strong> reading 1, phi at 0 m: -0.4 is' "$run/report.html" || fail "the report does not tell what infer warned of"
expect 3 'infer: found no readings' 2 infer "$deck" -infer_file x.h5
expect 3 'found 2 places (at), 1 values and 1 standard deviations' 2 infer "$deck" -sensors_at "c:0,phi:0" -sensors_value 1 -sensors_sd 1 -infer_file x.h5
expect 3 'sensors: at: found "c", expected field:place' 1 infer "$deck" -sensors_at c -sensors_value 1 -sensors_sd 1 -infer_file x.h5
expect 3 'sensors: sd: found "-1"' 1 infer "$deck" -sensors_at c:0 -sensors_value 1 -sensors_sd "-1" -infer_file x.h5
expect 3 'sensors: file: found sensors_at beside it' 1 infer "$deck" "${listed[@]}" -sensors_file "$work/bad.txt" -infer_file x.h5
expect 3 'infer: conditions: found "T", expected some of' 1 infer "$deck" "${listed[@]}" -infer_conditions T -infer_file x.h5
expect 3 'infer: conditions: found "U0" twice' 1 infer "$deck" "${listed[@]}" -infer_conditions "U0,U0" -infer_file x.h5
expect 3 'infer: sample_sampler is em, whose fields' 2 infer "$deck" "${listed[@]}" -sample_sampler em -infer_file x.h5
cp "$work/sensors3.txt" "$work/sensors0.txt"
expect 3 'p0.h5: made from other readings' 2 infer "$deck" "${ask[@]}" -sensors_file "$work/sensors0.txt" -infer_file p0.h5
finish
