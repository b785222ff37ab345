#!/usr/bin/env bash
# The verdict on imported data of a law that is known: the Gaussian is adopted for a Gaussian law and the network for one with two peaks, and
# what is drawn is as near to the rows that were held back as these are to each other.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
conditions, cells = 80, 10
rng = np.random.default_rng(1)
a, b, x = rng.uniform(0, 1, conditions), rng.uniform(1, 3, conditions), (np.arange(cells) + 0.5) / cells
modes = np.stack([0.6**k * np.cos(np.pi * k * x + 0.3 * k) for k in range(4)])
for name, rows in (("gaussian", 25), ("peaks", 25), ("deep", 120)):
    z = rng.standard_normal((conditions, rows, 4))
    if name != "gaussian":
        z[..., 0] = (np.where(rng.random((conditions, rows)) < 0.5, -1, 1) + 0.3 * z[..., 0]) / np.sqrt(1.09)
    mean = 3 + 2 * a[:, None] + b[:, None] * np.sin(3 * x)
    fields = mean[:, None] + (0.2 + 0.3 * a)[:, None, None] * (z @ modes)
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as f:
        f["T"], f["a"], f["b"], f["x"] = fields.reshape(-1, cells), np.repeat(a, rows), np.repeat(b, rows), 1e-3 * x
PY
cat >"$work/deck.yaml" <<DECK
run: {seed: 3}
import: {fields: [T=/T], conditions: [a=/a, b=/b], x: /x}
train: {steps: 500, batch: 256, width: 48, embed: 32, modes: 4, all_modes: 4, degree_mean: 2, degree_scale: 2, validation: 0.2}
sample: {count: 20}
DECK
for set in gaussian peaks deep; do
  scoria 2 run "$work/deck.yaml" -run_dir "$work/$set" -import_file "$work/$set.h5" >"$work/$set.out" 2>&1 || { fail "run $set"; cat "$work/$set.out" >&2; }
done
scoria 1 compare "$work/deck.yaml" -run_dir "$work/gaussian" -import_file "$work/gaussian.h5" -sample_source network >"$work/out" 2>&1
grep -q 'made by another deck (sample_source' "$work/out" || fail "a verdict on the Gaussian passes for one on the network"
grep -q "of the model's conditional Gaussian: its network added nothing" "$work/gaussian.out" || fail "that the Gaussian is drawn is not told"
scoria 2 run "$work/deck.yaml" -run_dir "$work/bad" -import_file "$work/gaussian.h5" -sample_source network -sample_sampler pc -sample_steps 4 >"$work/bad.out" 2>&1 || { fail "run bad"; cat "$work/bad.out" >&2; }
grep -q 'the conditional Gaussian is nearer than the network (sliced W [0-9.]*, [0-9.]*): -sample_source gaussian draws it' "$work/bad.out" || { fail "a network that is worse than its Gaussian"; cat "$work/bad.out" >&2; }
for set in gaussian peaks deep; do
  if grep -q 'is nearer than the network' "$work/$set.out"; then fail "$set: the Gaussian is not nearer"; fi
done
"$PYTHON" - "$work" <<'PY' || fail "the verdicts"
import json, sys
verdict = {n: json.load(open(f"{sys.argv[1]}/{n}/compare.json")) for n in ("gaussian", "peaks", "deep")}
for name, v in verdict.items():
    pooled, held = v["pooled"], v["held_out"]
    ratio = {s: pooled[s]["sliced_w"] / pooled["floor"]["sliced_w"] for s in ("model", "gaussian")}
    print(name, held["method"], held["model"], held["rows"], ratio)
    assert held["model"] == ("gaussian" if name == "gaussian" else "network"), (name, held)
    assert held["method"] == ("halves" if name == "deep" else "residuals") and held["conditions"] == 8
    # of one law both are 1 up to the scatter of W of some 200 rows, a third; errors of the fit come on top
    assert ratio["model"] < 1.8, (name, ratio)
    if name == "gaussian":
        assert pooled["model"] == pooled["gaussian"], pooled   # of few rows they have the same noise
    else:
        assert ratio["gaussian"] > ratio["model"], (name, ratio)   # two peaks are not seen by their moments
PY
# Of rows that are judged together compare.h5 has the residuals' curves, by which a figure is drawn; where halves are judged there are none.
"$PYTHON" - "$work" <<'PY' || fail "curves of residuals"
import h5py, json, numpy as np, sys
for name in ("gaussian", "peaks", "deep"):
    f, page = h5py.File(f"{sys.argv[1]}/{name}/compare.h5"), open(f"{sys.argv[1]}/{name}/report.html", encoding="utf-8").read()
    together = name != "deep"
    assert ("residuals" in f) == together and ('id="figure-residuals"' in page) == together and ('id="figure-bands"' in page) != together, name
    if not together:
        continue
    r, rows = f["residuals"], json.load(open(f"{sys.argv[1]}/{name}/compare.json"))["held_out"]["rows"]
    assert np.isnan(r["theta"][:]).all() and (r["good"][:] == rows).all()
    for source in ("pde", "model", "gaussian", "pde_again"):
        c = {k: r[f"{source}/T/{k}"] for k in ("mean", "sd", "q025", "q975")}
        assert c["sd"].attrs["units"] == b"1" and c["sd"].shape == (1, f["x"].size)
        assert (c["q025"][:] < c["mean"][:]).all() and (c["mean"][:] < c["q975"][:]).all()
    # the model's draws minus their own mean over their own SD, five standard errors of so many
    assert np.abs(r["model/T/mean"][:]).max() < 5 / np.sqrt(rows), r["model/T/mean"][:]
    assert np.abs(r["model/T/sd"][:] - 1).max() < 5 / np.sqrt(rows), r["model/T/sd"][:]
PY
# A short training is judged by its samples too: of few single rows of a Gaussian law, two of whose coordinates tell nearly nothing of the fields
# but all of each other, the loss finds a network better that is not; of two peaks it is.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
rng, n = np.random.default_rng(4), 500
a, b = ((rng.permutation(n) + rng.uniform(size=n)) / n for _ in range(2))
x = (np.arange(32) + 0.5) / 32
z = rng.normal(size=(2, n, 1)) * [[[1]], [[0.5]]]
fields = np.sin(3 * a)[:, None] + x * b[:, None] + (0.05 + 0.1 * a)[:, None] * (z[0] * np.cos(np.pi * x) + z[1] * np.cos(2 * np.pi * x))
with h5py.File(sys.argv[1] + "/single.h5", "w") as f:
    f["T"], f["a"], f["b"], f["x"] = fields, a, b, 1e-3 * x
PY
cat >"$work/short.yaml" <<DECK
run: {seed: 2}
import: {fields: [T=/T], conditions: [a=/a, b=/b], x: /x}
train: {steps: 50, batch: 128, modes: 4}
DECK
for ranks in 1 2; do
  for command in import train; do
    scoria "$ranks" "$command" "$work/short.yaml" -run_dir "$work/single$ranks" -import_file "$work/single.h5" >"$work/out" 2>&1 || { fail "$command of single rows"; cat "$work/out" >&2; }
  done
done
grep -q "its samples are not nearer to the rows left out than the Gaussian's" "$work/out" || { fail "a short training whose samples are worse"; cat "$work/out" >&2; }
for command in import train; do
  scoria 1 "$command" "$work/deck.yaml" -run_dir "$work/short" -import_file "$work/peaks.h5" -train_steps 400 >"$work/out" 2>&1 || { fail "$command of peaks, short"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work" <<'PY' || fail "what a short training is judged by"
import h5py, json, sys
def judged(name):
    lines = [json.loads(w) for w in open(f"{sys.argv[1]}/{name}/log.jsonl")]
    loss, samples = ([w for w in lines if w["event"] == e] for e in ("kept", "judged"))
    assert len(loss) == len(samples) == 1, (name, loss, samples)
    assert h5py.File(f"{sys.argv[1]}/{name}/model.h5").attrs["adopted"].decode() == samples[0]["adopted"]
    return loss[0]["adopted"], samples[0]["adopted"], samples[0]["samples_gain"], samples[0]["least_samples_gain"]
one, two, short = (judged(n) for n in ("single1", "single2", "short"))
print(one, short)
assert one == two and one[:2] == ("network", "gaussian"), (one, two)
assert short[:2] == ("network", "network"), short
PY
# Where conditions are judged by halves they tell the quantile's bias too.
scoria 1 uq "$work/deck.yaml" -run_dir "$work/deep" -import_file "$work/deep.h5" -uq_count 200 -uq_a 0.5 -uq_b 2 >"$work/out" 2>&1 || { fail "uq of halves"; cat "$work/out" >&2; }
grep -q '^    max_T .* [-+][.0-9]* (<[.0-9]*)$' "$work/out" || { fail "the bias by halves is not told"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "biases by halves"
import h5py, json, sys
q = json.load(open(f"{sys.argv[1]}/deep/uq.json"))["conditions"][0]["quantities"]["max_T"]["compared"]
assert None not in (q["mean_bias"], q["sd_bias"], q["q975_bias"], q["q975_bias_upper"]) and q["mean_bias_se"] is None, q
f = h5py.File(f"{sys.argv[1]}/deep/compare.h5")
i = f.attrs["worth_quantities"].decode().split(",").index("max_T")
assert abs(q["q975_bias"] - f["worth/bias"][i, 2]) < 1e-12   # a number of order 1, as text
PY
# Six conditions of many rows, one left out for validation, do not tell a mean that is curved in b, and two values of a nothing between them; of eighty neither is said.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
a, b, x = np.repeat([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], 16), np.tile(np.repeat([0.0, 0.5, 1.0], 16), 2), (np.arange(10) + 0.5) / 10
noise = np.random.default_rng(1).normal(size=(96, 1))
with h5py.File(sys.argv[1] + "/six.h5", "w") as f:
    f["T"], f["a"], f["b"], f["x"] = a[:, None] + x * np.sin(9 * b)[:, None] + 0.1 * noise * (1 + x), a, b, 1e-3 * x
PY
for command in import train; do
  scoria 2 "$command" "$work/deck.yaml" -run_dir "$work/six" -import_file "$work/six.h5" -import_holdout 0 -train_steps 0 >"$work/out" 2>&1 || { fail "$command of six conditions"; cat "$work/out" >&2; }
done
grep -q 'WARNING: 5 conditions do not tell how means change between them: at one left out that of T is off by about' "$work/out" || { fail "a mean that six conditions do not tell"; cat "$work/out" >&2; }
grep -q 'WARNING: a takes two values' "$work/out" || { fail "a condition of two values"; cat "$work/out" >&2; }
if grep -q 'do not tell how means\|takes two values' "$work/gaussian.out"; then fail "eighty conditions are warned of"; fi
finish
