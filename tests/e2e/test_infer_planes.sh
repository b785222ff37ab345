#!/usr/bin/env bash
# infer of imported planes and volumes: fields of different shape and cells and a scalar, against the closed form of a Gaussian law; bounds; a
# network; unknown conditions; the same bits on other numbers of ranks, stopped or not; what cannot be.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || fail "the data"
import sys, h5py, numpy as np
rng, C, R = np.random.default_rng(1), 20, 100
x, y, z, faces = (np.arange(12) + 0.5) / 12, (np.arange(16) + 0.5) / 16, (np.arange(3) + 0.5) / 3, np.linspace(0, 1, 13)
rate = np.repeat(np.linspace(0.5, 2, C), R)
r, (a, b, e) = rate[:, None, None], rng.normal(size=(3, C * R, 1, 1))
c = lambda s, t: 1000 + 100 * r * s + 10 * (a * np.cos(np.pi * s) * np.cos(np.pi * t) + 0.5 * b * np.sin(np.pi * s) + 0.3 * e * np.sin(np.pi * t))
with h5py.File(sys.argv[1] + "/set.h5", "w") as f:
    for name, s in (("x", x), ("xf", faces), ("y", y), ("z", z)):
        f[name] = 100 * s
        f[name].attrs["units"] = "um"
    f["rate"], f["c"], f["edge"] = rate, c(x, y[:, None]), c(faces, y[3:4, None])[:, 0]
    f["V"] = 3.5 + 0.1 * a[:, 0, 0] + 0.2 * rate
    f["s"] = 1 / (1 + np.exp(-2 * b * np.cos(np.pi * x) - 2 * e * y[:, None] - r))  # often near 0 and 1
    f["T"] = 300 + a[:, None] * z[:, None, None] * y[:, None] + b[:, None] * x  # a volume
PY
cat >"$work/deck.yaml" <<DECK
run: {dir: $work/run}
import:
  file: $work/set.h5
  x: /x
  y: /y
  fields: {c: /c, edge: {path: /edge, x: /xf}, V: /V}
  conditions: {rate: /rate}
train: {steps: 0}
sample: {count: 20000, rate: 1.2}
sensors: {at: ["c:40um:60um", "c:8e-5:2e-5", "edge:70um", V], value: [1045, 1091, 1090, 3.8], sd: [2, 2, 3, 0.05]}
infer: {count: 4096, keep: 20}
DECK
deck=$work/deck.yaml
run() { # RANKS COMMAND ...
  scoria "$1" "$2" "$deck" "${@:3}" >"$work/out" 2>&1 || { fail "$*"; cat "$work/out" >&2; }
}
same() { # WHAT FILE FILE
  "$PYTHON" - "${@:2}" <<'PY' || fail "$1"
import sys
from arrays import arrays_of
one, other = map(arrays_of, sys.argv[1:])
assert one.keys() == other.keys() and len(one) > 20
for key in one: assert one[key].tobytes() == other[key].tobytes(), key
PY
}

for command in import train sample; do run 2 $command; done
for ranks in 1 2 3 4; do
  run $ranks infer -infer_file given$ranks.h5
  same "$ranks ranks" "$work/run/given1.h5" "$work/run/given$ranks.h5"
done
grep -q '^    V  *3.7' "$work/out" || { fail "a scalar without a place in the table"; cat "$work/out" >&2; }
# The posterior of a Gaussian of the moments of 20,000 samples: these know the prior's mean to .007 SD and its covariance to .01, the readings leave a fourth or more of an SD, so
# that the mean is known to .03 of what they leave, and by 4,096 particles to .016: .1 is three of both together; an SD to .02 and .011: .08.
"$PYTHON" - "$work/run" <<'PY' || fail "the closed form"
import json, sys, h5py, numpy as np
run = sys.argv[1]
f, s = h5py.File(run + "/given1.h5"), h5py.File(run + "/samples.h5")
x, y, xe = f["x"][:], f["y"][:], f["x_edge"][:]
names = ("c", "edge", "V")
assert f["fields/c/mean"].shape == (1, 16, 12) and f["fields/edge/quantile"].shape == (7, 1, 1, 13) and f["particles/c"].shape == (20, 1, 16, 12)
assert [d[0].name for d in f["fields/edge/mean"].dims] == ["/z", "/y_edge", "/x_edge"] and [d[0].name for d in f["particles/c"].dims][1:] == ["/z", "/y", "/x"]
rows = np.hstack([s["fields/" + k][:].reshape(20000, -1).astype(float) for k in names])
at = np.cumsum([0] + [f[f"fields/{k}/mean"].size for k in names])
m, C = rows.mean(0), np.cov(rows.T)
def point(px, py):  # bilinear weights in c
    w, i, j = np.zeros((16, 12)), np.searchsorted(x, px) - 1, np.searchsorted(y, py) - 1
    u, v = (px - x[i]) / (x[i + 1] - x[i]), (py - y[j]) / (y[j + 1] - y[j])
    w[j, i], w[j, i + 1], w[j + 1, i], w[j + 1, i + 1] = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    return w.ravel()
H = np.zeros((4, at[-1]))
H[0, :at[1]], H[1, :at[1]] = point(4e-5, 6e-5), point(8e-5, 2e-5)
i = np.searchsorted(xe, 7e-5) - 1
u = (7e-5 - xe[i]) / (xe[i + 1] - xe[i])
H[2, at[1] + i], H[2, at[1] + i + 1], H[3, at[2]] = 1 - u, u, 1
value, noise = np.array([1045, 1091, 1090, 3.8]), np.array([2, 2, 3, 0.05])
G = C @ H.T @ np.linalg.inv(H @ C @ H.T + np.diag(noise**2))
mean, sd = m + G @ (value - H @ m), np.sqrt(np.diag(C - G @ H @ C))
floor = 1e-3 * np.sqrt(np.diag(C))  # single precision, where little is left to vary
for k, name in enumerate(names):
    own = slice(at[k], at[k + 1])
    gap = np.abs(f[f"fields/{name}/mean"][:].ravel() - mean[own]) / (sd + floor)[own]
    ratio = f[f"fields/{name}/sd"][:].ravel() / (sd + floor)[own]
    print(f"# {name}: means off by {gap.max():.3f} posterior SD at most, SDs over the closed form {ratio.min():.3f} to {ratio.max():.3f}")
    assert gap.max() < 0.1 and np.abs(ratio - 1).max() < 0.08, name
assert np.allclose(f["sensors/mean"][:], H @ np.hstack([f[f"fields/{k}/mean"][:].ravel() for k in names]), rtol=1e-6)
assert np.isnan(f["sensors/y"][2:]).all() and np.isnan(f["sensors/x"][3]) and f["sensors/x"].attrs["units"] in (b"m", "m")
given = json.load(open(run + "/given1.json"))
S = H @ C @ H.T + np.diag(noise**2)
d = value - H @ m
evidence = -0.5 * (4 * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + d @ np.linalg.solve(S, d))
assert abs(given["log_evidence"] - evidence) < 0.2, (given["log_evidence"], evidence)
assert [sorted(k for k in "xyz" if q.get(k) is not None) for q in given["sensors"]] == [["x", "y"], ["x", "y"], ["x"], []]
assert abs(given["quantities"]["V"]["mean"] / f["fields/V/mean"][0, 0, 0] - 1) < 1e-6  # single precision
PY

# From a file; the page has maps of the planes, and says what it has not drawn.
printf '# field, place, value, sd\nc 40um 60um 1045 2\nc 8e-5 2e-5 1091 2\nedge 70um 1090 3\nV 3.8 0.05\n' >"$work/readings"
sed 's/^sensors: .*//' "$deck" >"$work/listed.yaml"
scoria 2 infer "$work/listed.yaml" -sensors_file "$work/readings" >"$work/out" 2>&1 || { fail "a file of readings"; cat "$work/out" >&2; }
same "a file of readings" "$work/run/given1.h5" "$work/run/posterior.h5"
run 1 report
grep -q 'Of 2 more, which are profiles or single values' "$work/run/report.html" || fail "the page does not say what it has not drawn"
"$PYTHON" - "$work/run" <<'PY' || fail "maps of a posterior"
import sys, h5py, numpy as np
f, data = h5py.File(sys.argv[1] + "/posterior.h5"), np.loadtxt(sys.argv[1] + "/figures/data/posterior1.dat")
left = f["fields/c/sd"][0] / f["prior/fields/c/sd"][0]
for column, expected in zip(data.T[2:], (f["prior/fields/c/mean"][0], f["fields/c/mean"][0], left)): assert np.allclose(column, expected.ravel(), rtol=1e-3, atol=0)
assert np.allclose(np.genfromtxt(sys.argv[1] + "/figures/data/posterior_sensors.dat")[:2, :3], [[40, 60, 0], [80, 20, 0]], rtol=1e-5)
PY

# Stopped and continued on other numbers of ranks.
scoria 2 infer "$deck" -infer_file pieces.h5 -run_max_hours 1e-9 >"$work/out" 2>&1
[ $? -eq 75 ] || { fail "infer was not stopped"; cat "$work/out" >&2; }
for ((i = 0; i < 10; i++)); do # until one start is met between its first checkpoint of fields and its end
  rm -f "$work/run/pieces."*
  last_options infer "$deck" -infer_file pieces.h5 -run_checkpoint_minutes 1e-9
  "$SCORIA" "${kept_options[@]}" </dev/null >"$work/out" 2>&1 &
  while [ ! -e "$work/run/pieces.h5.fields.ckpt" ] && kill -0 $! 2>/dev/null; do sleep .005; done
  kill -USR1 $! 2>/dev/null
  code=0
  wait $! || code=$?
  [ "$code" -ne 75 ] || break
done
[ "$code" -eq 75 ] || fail "infer was not stopped among fields"
run 3 infer -infer_file pieces.h5
grep -q 'pieces.h5.fields.ckpt: resuming at field [1-9][0-9]* of 4096' "$work/out" || { fail "infer did not resume among fields"; cat "$work/out" >&2; }
same "in pieces" "$work/run/given1.h5" "$work/run/pieces.h5"
ls "$work/run"/*.ckpt* 2>/dev/null && fail "infer left a checkpoint"

# The condition is not known: read precisely where the fields depend on it most, it is .1 known to .2 beforehand .43.
run 2 infer -infer_file unknown.h5 -infer_conditions rate
run 1 infer -infer_file unknown1.h5 -infer_conditions rate
same "an unknown condition" "$work/run/unknown.h5" "$work/run/unknown1.h5"
"$PYTHON" - "$work/run" <<'PY' || fail "an unknown condition"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1] + "/unknown.h5")
before, after = (f[g + "conditions/rate/sd"][0] for g in ("prior/", ""))
print(f"# rate {f['conditions/rate/mean'][0]:.3f} +- {after:.3f}, before {f['prior/conditions/rate/mean'][0]:.3f} +- {before:.3f}")
assert abs(before / (1.5 / 12**0.5) - 1) < 0.05 and after < 0.4 * before and f["particles/rate"].shape == (20,)
assert (np.abs(f["particles/c"][:, 0].mean((1, 2)) - 1000 - 50 * f["particles/rate"][:]) < 15).all()  # fields are those of their conditions
PY

# Between bounds, by a network, and a volume: all is as for profiles.
cat >"$work/bounds.yaml" <<DECK
run: {dir: $work/bounds}
import: {file: $work/set.h5, x: /x, y: /y, fields: {s: {path: /s, bounds: [0, 1]}, c: /c}, conditions: {rate: /rate}}
train: {steps: 4, batch: 64, micro_batches: 4, width: 32, depth: 1, embed: 16}
sample: {source: network, rate: 1.2, steps: 6}
sensors: {at: ["s:40um:60um", "s:96um:97um"], value: [0.97, 0.02], sd: [0.02, 0.02]}
infer: {count: 1000, keep: 50}
DECK
cat >"$work/volume.yaml" <<DECK
run: {dir: $work/volume}
import: {file: $work/set.h5, x: /x, y: /y, z: /z, fields: {T: /T, c: {path: /c}}, conditions: {rate: /rate}}
train: {steps: 0}
sample: {rate: 1.2}
sensors: {at: ["T:90um:50um:50um", "T:10um:90um:80um"], value: [301, 299.2], sd: [0.02, 0.02]}
infer: {count: 1000, keep: 50}
DECK
for name in bounds volume; do
  deck=$work/$name.yaml
  for command in import train infer report; do run 2 $command; done
  run 1 infer -infer_file one.h5
  same "$name on two ranks" "$work/$name/one.h5" "$work/$name/posterior.h5"
done
"$PYTHON" - "$work" <<'PY' || fail "bounds and a volume"
import json, sys, h5py, numpy as np
f, v = (h5py.File(f"{sys.argv[1]}/{name}/posterior.h5") for name in ("bounds", "volume"))
assert json.load(open(sys.argv[1] + "/bounds/posterior.json"))["prior"] == "model"
for k in ("particles/s", "fields/s/mean", "fields/s/quantile", "prior/fields/s/quantile"): assert f[k][:].min() >= 0 and f[k][:].max() <= 1, k
assert (np.abs(f["sensors/mean"][:] - f["sensors/value"][:]) < 3 * 0.02).all() and f["particles/s"].shape == (50, 1, 16, 12)
assert v["particles/T"].shape == (50, 3, 16, 12) and [d[0].name for d in v["fields/T/mean"].dims] == ["/z", "/y", "/x"]
x, y, z = (v[k][:] for k in "xyz")
# T = 300 + a z y + b x of two numbers, both readings to .02: with x, y, z over 100 um, of every kept field
a, b = np.linalg.solve([[0.5 * 0.5, 0.9], [0.8 * 0.9, 0.1]], [1, -0.8])
wanted = 300 + 1e8 * a * z[:, None, None] * y[:, None] + 1e4 * b * x
assert np.abs(v["fields/T/mean"][:] - wanted).max() < 0.1 and np.abs(v["particles/T"][:] - wanted).max() < 0.3, np.abs(v["fields/T/mean"][:] - wanted).max()
PY
grep -q 'In the plane z = ' "$work/volume/report.html" || fail "no plane of a volume"

bad() { # PATTERN AT ...: infer refuses
  expect 3 "$1" 2 infer "$work/deck.yaml" -infer_file bad.h5 -sensors_at "$2" -sensors_value 1 -sensors_sd 1 "${@:3}"
}
bad 'reading 1: found x = 0.0002 m, allowed 0 to 0.0001 m' c:2e-4:0
bad 'reading 1: found y = -1e-05 m, allowed 0 to 0.0001 m' c:0:-1e-5
bad 'reading 1: found 1 place, expected x and y of c' c:1e-5
bad 'reading 1: found 2 places, expected x of edge' edge:1e-5:0
bad 'reading 1: found 0 places, expected x and y of c' c
bad 'found "c:1:2:3:4", expected field:place, field:x:y or field:x:y:z' c:1:2:3:4
bad 'found field "q", expected one of c, edge, V' q:0:0
bad 'conditions: found "load", expected some of rate' c:0:0 -infer_conditions load
printf 'c 1e-5 2 1 2 3 4\n' >"$work/readings"
expect 3 'line 1: found 7 words, expected a field and two to five numbers: field x\[ y\[ z\]\] value sd' 2 infer "$work/listed.yaml" -sensors_file "$work/readings" -infer_file bad.h5
finish
