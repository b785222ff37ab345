#!/usr/bin/env bash
# Imported fields along axes of their own, of other lengths than x: a concentration on cells, a flux on their faces, a temperature in the
# next layer, and a voltage beside them, from the listing of the file to the report.  Their joint law is known: at a rate r and s = x / L
#   c = 1000 + 100 r s + 10 (g0 cos(pi s) + .5 g1 sin(pi s)),   flux = 2 + r s - .3 g0 sin(pi s),   T = 300 + 5 r + 2 g1 (s - 1) + g2,
#   V = 3.5 + .1 g0,
# g0, g1 and g2 standard normal, so that the model's conditional Gaussian is exact.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

write() { # FILE, and what is added to T
  "$PYTHON" - "$1" "$2" <<'PY' || fail "the data"
import sys, h5py, numpy as np
rng, C, R, n = np.random.default_rng(1), 20, 120, 12
faces = np.linspace(0, 1, n + 1)
cells, layer = (faces[1:] + faces[:-1]) / 2, np.linspace(1.05, 1.5, 7)
rate = np.linspace(0.5, 2, C)
r, (a, b, e) = rate[:, None, None], rng.normal(size=(3, C, R, 1))
sin, cos = (lambda s, f=f: f(np.pi * s) for f in (np.sin, np.cos))
with h5py.File(sys.argv[1], "w") as f:
    for name, s in (("x", cells), ("xf", faces), ("xT", layer)):
        f[name] = 100 * s
        f[name].attrs["units"] = "um"
    f["rate"] = rate
    f["c"] = 1000 + 100 * r * cells + 10 * (a * cos(cells) + 0.5 * b * sin(cells))
    f["flux"] = (2 + r * faces - 0.3 * a * sin(faces)).transpose(2, 0, 1)  # any order
    f["T"] = 300 + 5 * r + 2 * b * (layer - 1) + e + float(sys.argv[2])
    f["V"] = 3.5 + 0.1 * a[..., 0]
PY
}
write "$work/set.h5" 0
cat >"$work/deck.yaml" <<DECK
run: {dir: $work/run}
import:
  file: $work/set.h5
  x: /x
  fields: {c: /c, flux: {path: /flux, x: /xf}, T: {path: /T, x: /xT}, V: /V}
  conditions: {rate: /rate}
train: {steps: 0}
sample: {count: 4000, rate: 1.2}
uq:
  count: 4000
  rate: 1.2
  probes: [c:0, flux:5e-5]
  quantities: ["all = integral(flux)", "T[1.2e-4]", "top = argmax(c)", "warm = mean(T + 0 * V)", "share = mean(flux > 2.6)"]
  exceed: ["T > 307"]
sensors: {at: ["flux:5e-5"], value: [2.9], sd: [0.03]}
likelihood: {volume: always}
DECK

# All commands, on one rank and on three: the same bits.
for ranks in 1 3; do
  for command in run uq infer "likelihood -likelihood_count 50" report; do
    read -ra words <<<"$command"
    scoria $ranks "${words[0]}" "$work/deck.yaml" -run_dir "$work/run$ranks" "${words[@]:1}" >"$work/out" 2>&1 ||
      { fail "$command on $ranks ranks"; cat "$work/out" >&2; }
  done
done
"$PYTHON" - "$work" <<'PY' || fail "bits on three ranks"
import sys, numpy as np
from arrays import arrays_of
for name in "dataset model samples compare uq posterior likelihood".split():
    a, b = (arrays_of(f"{sys.argv[1]}/run{ranks}/{name}.h5") for ranks in (1, 3))
    assert a.keys() == b.keys(), name
    for k in a: assert np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f"), (name, k)
PY

# Right values, of the same rows as in the file and of the law.
"$PYTHON" - "$work" <<'PY' || fail "the law"
import json, sys, h5py, numpy as np
work, run = sys.argv[1], sys.argv[1] + "/run1"
n, r = 12, 1.2
faces = np.linspace(0, 1, n + 1)
cells, layer = (faces[1:] + faces[:-1]) / 2, np.linspace(1.05, 1.5, 7)
axes = {"c": ("x", cells), "flux": ("x_flux", faces), "T": ("x_T", layer), "V": ("x", cells)}
mean = {"c": 1000 + 100 * r * cells, "flux": 2 + r * faces, "T": 300 + 5 * r + 0 * layer, "V": 3.5 + 0 * cells}
# by g0, g1, g2
modes = {"c": [10 * np.cos(np.pi * cells), 5 * np.sin(np.pi * cells), 0 * cells], "flux": [-0.3 * np.sin(np.pi * faces), 0 * faces, 0 * faces],
         "T": [0 * layer, 2 * (layer - 1), 1 + 0 * layer], "V": [0.1 + 0 * cells, 0 * cells, 0 * cells]}
sd = {k: np.sqrt(np.sum(np.square(m), axis=0)) for k, m in modes.items()}
given = h5py.File(work + "/set.h5")
with h5py.File(run + "/dataset.h5") as f:
    rows = {"c": given["c"][:].reshape(-1, n), "flux": np.moveaxis(given["flux"][:], 0, 2).reshape(-1, n + 1), "T": given["T"][:].reshape(-1, 7)}
    for k, v in rows.items(): assert np.array_equal(f["fields/" + k][:], v.astype("f4")), k
    assert np.array_equal(f["fields/V"][:], np.repeat(given["V"][:].reshape(-1, 1), n, 1).astype("f4"))
    for k, (axis, s) in axes.items(): assert np.allclose(f[axis][:], 1e-4 * s, rtol=1e-12, atol=0), axis
# 1920 rows of training, whose regressed mean has up to 4 terms, and 4000 of the sample: 4 standard errors, of an SD (1.6 and 1.1 %) likewise
def check(what, k, m, s):
    off = np.abs(m - mean[k]) / (sd[k] + 1e-3 * sd[k].max())  # flux does not vary at the ends: but for rounding
    assert np.all(off < 4 * np.sqrt(4 / 1920 + 1 / 4000)), (what, k, off)
    assert np.all(np.abs(s - sd[k]) < 0.08 * sd[k] + 1e-3 * sd[k].max()), (what, k, s / sd[k])
with h5py.File(run + "/samples.h5") as f:
    sample = {k: f["fields/" + k][:].astype(float) for k in axes}
    for k, v in sample.items():
        assert v.shape == (4000, len(axes[k][1]))
        check("sample", k, v.mean(0), v.std(0))
for a in axes:  # jointly: correlations have standard errors below .023 each of training and sample
    for b in axes:
        i, j = len(axes[a][1]) // 3, len(axes[b][1]) // 3
        wanted = sum(p[i] * q[j] for p, q in zip(modes[a], modes[b])) / sd[a][i] / sd[b][j]
        assert abs(np.corrcoef(sample[a][:, i], sample[b][:, j])[0, 1] - wanted) < 0.12, (a, b)
with h5py.File(run + "/uq.h5") as f:
    for k, (axis, s) in axes.items():
        assert f["fields/" + k + "/mean"].shape == (1, len(s)) and [d[0].name for d in f["fields/" + k + "/mean"].dims][1:] == ["/" + axis]
        check("uq", k, f["fields/" + k + "/mean"][0], f["fields/" + k + "/sd"][0])
    total = sum(len(s) for _, s in axes.values())
    assert f["covariance"].shape == (1, total, total) and f["modes/mode"].shape == (1, 10, total)
    every = np.concatenate([np.array(modes[k]) for k in axes], axis=1)
    exact, scale = every.T @ every, np.concatenate([sd[k] for k in axes])
    assert np.all(np.abs(f["covariance"][0] - exact) < 0.12 * np.outer(scale, scale) + 1e-3 * np.max(scale) ** 2 * 1e-3)
    assert abs(f["modes/variance"][0, 3:]).sum() < 0.01 * f["modes/variance"][0].sum()  # three there are
    probability = f["exceed/0/probability"][0]
    assert probability.shape == (7 + 1,)
    from math import erf
    assert abs(probability[-2] - 0.5 * (1 - erf(1 / sd["T"][-1] / 2**0.5))) < 0.04  # one SD and 4 SE of .3 (1 - .3) / 4000, .03, and of its mean
q = json.load(open(run + "/uq.json"))["conditions"][0]["quantities"]
values = {k: (v["mean"], v["sd"]) for k, v in q.items()}
# the trapezoidal shares of faces: half a cell beyond none, as the first lies at 0
widths = np.r_[0.5, np.ones(n - 1), 0.5] / n
for name, m, s in (("c:0", 1000 + 100 * r * cells[0] - (cells[1] - cells[0]) * (50 * r), None), ("flux:5e-5", 2.6, 0.3), ("T[1.2e-4]", 306, np.hypot(0.4, 1)),
                   ("all", 1e-4 * np.sum(widths * mean["flux"]), 1e-4 * 0.3 * np.sum(widths * np.sin(np.pi * faces))),
                   ("warm", 306, np.hypot(1, 2 * np.mean(layer - 1)))):
    s = s or sd["c"][0]
    assert abs(values[name][0] - m) < 4 * s * np.sqrt(4 / 1920 + 1 / 4000) and abs(values[name][1] / s - 1) < 0.08, (name, values[name], m, s)
assert values["top"][0] == 1e-4 * cells[-1] or abs(values["top"][0] - 1e-4 * cells[-1]) < 1e-6, values["top"]
# A reading of the flux in the middle: g0 = -y / .3 by a line through it of noise .03, and from it c.
with h5py.File(run + "/posterior.h5") as f:
    gain = 0.3 / (0.3**2 + 0.03**2)
    g0 = -gain * (2.9 - 2.6)
    assert f["fields/c/mean"].shape == (n,) and f["fields/flux/mean"].shape == (n + 1,) and f["particles/T"].shape[1:] == (7,)
    # of the Gaussian's coefficients, 1920 rows: 4 SE of g0's scale and mean
    assert np.all(np.abs(f["fields/c/mean"][:] - mean["c"] - g0 * modes["c"][0]) < 0.12 * 10), f["fields/c/mean"][:]
    assert np.all(np.abs(f["fields/T/mean"][:] - mean["T"]) < 4 * 2 * sd["T"] * np.sqrt(4 / 1920 + 1 / 4096))
    assert abs(f["fields/V/sd"][0] / (0.1 * 0.03 / np.hypot(0.3, 0.03)) - 1) < 0.12
with h5py.File(run + "/compare.h5") as f:
    assert f["model/c/mean"].shape[1] == n and f["model/flux/mean"].shape[1] == n + 1 and f["model/T/mean"].shape[1] == 7
pooled = json.load(open(run + "/compare.json"))["pooled"]
print("# sliced W", pooled["model"]["sliced_w"], "floor", pooled["floor"]["sliced_w"])
assert pooled["model"]["sliced_w"] < 1.8 * pooled["floor"]["sliced_w"]  # 1 is expected; see test_darcy
PY
lines=$(awk 'NF == 0 { if (n) printf "%d ", n; n = 0 } NF && !/^#/ { n++ }' "$work/run1/figures/data/samples.dat")
[ "$lines" = "12 13 7 12 " ] || fail "the figures of samples have $lines places"

# Files that xarray reads: an axis of one name has one length.
if "$PYTHON" -c "import xarray, h5netcdf" 2>/dev/null; then
  "$PYTHON" - "$work/run1" <<'PY' || fail "xarray"
import sys, xarray as xr
path = sys.argv[1] + "/dataset.h5"
d = xr.merge([xr.open_dataset(path, engine="h5netcdf", group=g) for g in (None, "conditions", "fields")])
assert d.c.dims == ("row", "x") and d.flux.dims == ("row", "x_flux") and d["T"].dims == ("row", "x_T")
assert d.sizes["x"] == 12 and abs(float(d.x_flux[-1]) - 1e-4) < 1e-18 and float(d.flux.isel(x_flux=-1).mean()) > 2
for name in ("uq", "posterior", "compare", "model", "samples"):
    xr.open_dataset(f"{sys.argv[1]}/{name}.h5", engine="h5netcdf").load()
PY
else
  echo "xarray is not installed: its part is skipped"
fi

# The listing's deck does it as it is.
scoria 1 import -import_file "$work/set.h5" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "listing"; cat "$work/out" >&2; }
for line in "flux: {path: '/flux', x: '/xf'}" "T: {path: '/T', x: '/xT'}" "V: {path: '/V'}" 'can be used as it is'; do
  grep -qF "$line" "$work/out" || { fail "the listing lacks $line"; cat "$work/out" >&2; }
done
scoria 2 import "$work/listed/import.yaml" >"$work/out" 2>&1 || { fail "the deck of the listing"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "rows by the deck of the listing"
import sys, numpy as np
from arrays import arrays_of
a, b = (arrays_of(f"{sys.argv[1]}/{dir}/dataset.h5") for dir in ("run1", "listed"))
for k in ("fields/c", "fields/flux", "fields/T", "fields/V", "x_flux", "x_T"): assert np.array_equal(a[k], b[k]), k
PY

# A sample that is stopped on the way goes on, on other ranks.
in_pieces "$work/run1" 30 1 "10 + 10 * i" sample "$work/deck.yaml" -sample_count 400000 -sample_file long.h5
"$PYTHON" - "$work/run1" <<'PY' || fail "rows of a sample that was stopped"
import sys, h5py, numpy as np
long, short = (h5py.File(f"{sys.argv[1]}/{name}.h5") for name in ("long", "samples"))
for k in ("c", "flux", "T", "V"): assert np.array_equal(long["fields/" + k][:4000], short["fields/" + k][:]), k
PY

# Without a unit in the file an axis of a field's own is in that of x; its length is its own.
"$PYTHON" - "$work/set.h5" "$work/bare.h5" <<'PY' || fail "bare data"
import sys, h5py
with h5py.File(sys.argv[1]) as a, h5py.File(sys.argv[2], "w") as b:
    for k in a: b[k] = a[k][:]
PY
bare=(-import_file "$work/bare.h5" -import_x '{path: /x, units: um}')
scoria 1 import "$work/deck.yaml" -run_dir "$work/bare" "${bare[@]}" >"$work/out" 2>&1 || { fail "without units"; cat "$work/out" >&2; }
grep -q 'flux: x: no unit in the file and none in the deck; taken as that of import.x, times 1e-06 to m' "$work/out" || fail "the unit of an axis is not said"
scoria 1 import "$work/deck.yaml" -run_dir "$work/nm" "${bare[@]}" -import_fields '{c: /c, flux: {path: /flux, x: /xf, x_units: nm}}' >"$work/out" 2>&1 ||
  { fail "an axis with its unit"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "units of axes"
import sys, numpy as np
from arrays import arrays_of
one, two = (arrays_of(f"{sys.argv[1]}/{dir}/dataset.h5") for dir in ("bare", "nm"))
assert np.allclose(one["x_flux"], np.linspace(0, 1e-4, 13), rtol=1e-12) and np.allclose(two["x_flux"], np.linspace(0, 1e-7, 13), rtol=1e-12)
PY

# Places with their units are the same places.
scoria 1 uq "$work/deck.yaml" -run_dir "$work/run1" -uq_file units.h5 -uq_probes c:0um,flux:50um -uq_quantities 'all = integral(flux),T[120 um],mid = c[ .05mm ] - c[5e-5]' \
  -uq_exceed 'T > 307' >"$work/out" 2>&1 || { fail "uq with units"; cat "$work/out" >&2; }
printf 'flux 50um 2.9 0.03\n' >"$work/readings"
for words in '-sensors_at flux:50um -sensors_value 2.9 -sensors_sd 0.03' "-sensors_file $work/readings"; do
  read -ra word <<<"$words"
  grep -v '^sensors' "$work/deck.yaml" >"$work/plain.yaml"
  rm -f "$work/run1/units_posterior.h5"
  scoria 1 infer "$work/plain.yaml" -run_dir "$work/run1" -infer_file units_posterior.h5 "${word[@]}" >"$work/out" 2>&1 || { fail "infer $words"; cat "$work/out" >&2; }
  "$PYTHON" - "$work/run1" <<'PY' || fail "places with units, $words"
import json, sys, numpy as np
from arrays import arrays_of
a, b = (arrays_of(f"{sys.argv[1]}/{name}.h5") for name in ("posterior", "units_posterior"))
for k in a: assert np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f"), k
p, q = (json.load(open(f"{sys.argv[1]}/{name}.json"))["conditions"][0]["quantities"] for name in ("uq", "units"))
for one, two in (("flux:5e-5", "flux:50um"), ("T[1.2e-4]", "T[120 um]"), ("c:0", "c:0um")):
    for k in ("mean", "sd", "min", "max"): assert p[one][k] == q[two][k], (one, k, p[one][k], q[two][k])
assert abs(q["mid"]["mean"]) < 1e-9 and q["mid"]["sd"] < 1e-9, q["mid"]  # one place, spelled twice: rounding
PY
done

# What looks wrong in a field is looked for in its own cells: a gap in the shortest, and nothing in the others.
"$PYTHON" - "$work" <<'PY' || fail "a gap"
import shutil, sys, h5py
shutil.copy(sys.argv[1] + "/set.h5", sys.argv[1] + "/set_gap.h5")
with h5py.File(sys.argv[1] + "/set_gap.h5", "r+") as f:
    f["T"][19, 100, 6] = -9999
    print(f"{sorted(f['T'][:].ravel())[1]:.6g} to {f['T'][:].max():.6g}", file=open(sys.argv[1] + "/range", "w"))
PY
scoria 1 import "$work/deck.yaml" -import_file "$work/set_gap.h5" -run_dir "$work/gap" >"$work/out" 2>&1 || { fail "a gap"; cat "$work/out" >&2; }
told=$(grep WARNING "$work/out")
[ "$told" = "  WARNING: T: -9999 in 1 row, far from all other values, $(cat "$work/range"): a gap that is not marked? Then give the array the attribute _FillValue" ] ||
  fail "a gap is told as: $told"

# What cannot be.
bad() { # MESSAGE COMMAND OPTIONS...
  local message=$1 command=$2
  shift 2
  expect 3 "$message" 1 "$command" "$work/deck.yaml" "$@"
}
bad 'flux: array /flux has the shape (13, 20, 120), expected .*; of a field on cells of its own its member x names their centres' import -run_dir "$work/bad" -import_fields c=/c,flux=/flux
bad 'T: array /T has the shape (20, 120, 7), expected ' import -run_dir "$work/bad" -import_fields '{c: /c, T: {path: /T, x: /xf}}'
bad 'c: x_scale without x' import -run_dir "$work/bad" -import_fields '{c: {path: /c, x_scale: 2}}'
bad 'c: found y, cell centres of its own, and import_y is not set' import -run_dir "$work/bad" -import_fields '{c: {path: /c, y: /xf}}'
bad 'c lies along x, flux along x_flux: expected fields along one axis' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'mean(c * flux)'
bad 'found the place "0", expected L or a number from 0.00010125 to 0.00015375 m' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'T[0]'
bad 'reading 1: found x = 5e-05 m, allowed 0.00010125' infer -run_dir "$work/run1" -infer_file other.h5 -sensors_at T:50um
bad 'found "T:50kg", expected field:place, field:x:y or field:x:y:z, numbers or with a unit' infer -run_dir "$work/run1" -infer_file other.h5 -sensors_at T:50kg
bad 'reading 1: found x = 0 m, allowed 0.00010125 to 0.00015375 m' infer -run_dir "$work/run1" -infer_file other.h5 -sensors_at T:0
write "$work/set.h5" 1
bad 'imported from set.h5, .*; the file is set.h5, .* now; nothing is overwritten' import -run_dir "$work/run1"
finish
