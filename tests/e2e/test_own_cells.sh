#!/usr/bin/env bash
# Imported planes on different cells: a concentration on cell centres, its flux on the faces along x, a coarse potential, a profile along one
# edge, and a voltage, from import to the report; and a volume beside a surface.  With s = x / L, t = y / L, K = 1e-3
#   c = 1000 + 100 r s + 10 (g0 cos(pi s) cos(pi t / 2) + .5 g1 sin(pi s) + .3 g2 sin(pi t)),   flux = -K (difference of c) / (that of s),
# g0, g1, g2 standard normal: the model's conditional Gaussian is exact, and every sample must keep the law between c and flux.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || fail "the data"
import sys, h5py, numpy as np
rng, C, R, nx, ny, K = np.random.default_rng(1), 20, 100, 12, 16, 1e-3
faces = np.linspace(0, 1, nx + 1)
x, y, coarse = (faces[1:] + faces[:-1]) / 2, (np.arange(ny) + 0.5) / ny * 2, (np.arange(5) + 0.5) / 5
rate = np.linspace(0.5, 2, C)
r, (a, b, e) = rate[:, None, None, None], rng.normal(size=(3, C, R, 1, 1))
def c(s, t):  # (.., y, x)
    s, t = s[None, :], t[:, None]
    return 1000 + 100 * r * s + 10 * (a * np.cos(np.pi * s) * np.cos(np.pi * t / 2) + 0.5 * b * np.sin(np.pi * s) + 0.3 * e * np.sin(np.pi * t))
at = np.r_[0, x, 1]
with h5py.File(sys.argv[1] + "/set.h5", "w") as f:
    for name, s in (("x", x), ("xf", faces), ("y", y), ("xc", coarse), ("yc", 2 * coarse)):
        f[name] = 100 * s
        f[name].attrs["units"] = "um"
    f["rate"] = rate
    f["c"] = c(x, y)
    f["flux"] = (-K * np.diff(c(at, y)) / np.diff(at)).transpose(3, 0, 1, 2)  # any order
    f["coarse"] = c(coarse, 2 * coarse)
    f["edge"] = c(faces, y[3:4])[..., 0, :]
    f["V"] = 3.5 + 0.1 * a[..., 0, 0]
n = 1200
g, h = rng.normal(size=(2, n))
load = np.repeat(np.linspace(1, 2, 20), 60)
z, fine = (np.arange(4) + 0.5) / 4, (np.arange(20) + 0.5) / 20
with h5py.File(sys.argv[1] + "/volume.h5", "w") as f:
    for name, s in (("x", x), ("y", y / 2), ("z", z), ("x_s", fine), ("y_s", fine)): f[name] = 1e-4 * s
    f["load"] = load
    wave = lambda s: np.cos(np.pi * s)
    f["T"] = 300 + load[:, None, None, None] + g[:, None, None, None] * z[:, None, None] * wave(y / 2)[:, None] + h[:, None, None, None] * wave(x)
    f["top"] = g[:, None, None] * wave(fine)[:, None] + h[:, None, None] * wave(fine) # of T - 300 - load at z = 1
PY
cat >"$work/deck.yaml" <<DECK
run: {dir: $work/run}
import:
  file: $work/set.h5
  x: /x
  y: /y
  fields: {c: /c, flux: {path: /flux, x: /xf}, coarse: {path: /coarse, x: /xc, y: /yc}, edge: {path: /edge, x: /xf}, V: /V}
  conditions: {rate: /rate}
train: {steps: 0}
sample: {count: 2000, rate: 1.2}
uq:
  count: 2000
  rate: 1.2
  probes: [flux:5e-5]
  quantities: ["top = argmax(flux)", "low = argmin_y(coarse)", "all = mean(flux)", "flux[50um, 31.25um]", "c[45.8333333um, 31.25um]", "coarse[10um, 20um]",
    "edge[0]", "left = mean(flux * (x < 49e-6))", "most = max(flux)", "rise = quantile(c, 0.99) - edge[L]"]
  exceed: ["flux > -0.08", "edge > 1100"]
likelihood: {volume: always}
DECK

# All commands, on one rank and on two: the same bits.
samples=$work/run1/samples.h5
for ranks in 1 2; do
  for command in import train sample compare uq "likelihood -likelihood_count 50" "compare -compare_sample $samples -compare_reference $samples" report; do
    [ "$ranks $command" = "2 report" ] && continue
    read -ra words <<<"$command"
    scoria $ranks "${words[0]}" "$work/deck.yaml" -run_dir "$work/run$ranks" "${words[@]:1}" >"$work/out" 2>&1 ||
      { fail "$command on $ranks ranks"; cat "$work/out" >&2; }
  done
done
"$PYTHON" - "$work" <<'PY' || fail "bits on two ranks"
import sys, numpy as np
from arrays import arrays_of
for name in "dataset model samples compare uq likelihood".split():
    a, b = (arrays_of(f"{sys.argv[1]}/run{ranks}/{name}.h5") for ranks in (1, 2))
    assert a.keys() == b.keys(), name
    for k in a: assert np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f"), (name, k)
PY

"$PYTHON" - "$work" <<'PY' || fail "the law"
import json, sys, h5py, numpy as np
work, run = sys.argv[1], sys.argv[1] + "/run1"
given, data, samples, uq = (h5py.File(p) for p in (work + "/set.h5", run + "/dataset.h5", run + "/samples.h5", run + "/uq.h5"))
nx, ny, K, r = 12, 16, 1e-3, 1.2
faces = np.linspace(0, 1, nx + 1)
x, y, coarse = (faces[1:] + faces[:-1]) / 2, (np.arange(ny) + 0.5) / ny * 2, (np.arange(5) + 0.5) / 5
axes = {"c": ("y", "x"), "flux": ("y", "x_flux"), "coarse": ("y_coarse", "x_coarse"), "edge": ("y_edge", "x_flux"), "V": ("y", "x")}
shape = {"c": (ny, nx), "flux": (ny, nx + 1), "coarse": (5, 5), "edge": (1, nx + 1), "V": (ny, nx)}
# The rows of the file, each field on its cells.
rows = {"c": given["c"][:].reshape(-1, ny, nx), "flux": np.moveaxis(given["flux"][:], 0, -1).reshape(-1, ny, nx + 1),
        "coarse": given["coarse"][:].reshape(-1, 5, 5), "edge": given["edge"][:].reshape(-1, 1, nx + 1)}
for k, v in rows.items(): assert np.array_equal(data["fields/" + k][:, 0], v.astype("f4")), k
for f in (data, samples):
    for k, names in axes.items():
        array = f["fields/" + k]
        assert array.shape == (2000, 1) + shape[k] and [d[0].name for d in array.dims][1:] == ["/z", "/" + names[0], "/" + names[1]], k
    for k, s in (("x", x), ("y", y), ("x_flux", faces), ("x_coarse", coarse), ("y_coarse", 2 * coarse), ("y_edge", [1])):
        assert np.allclose(f[k][:], 1e-4 * np.array(s), rtol=1e-12, atol=0), k
# The law between fields: but for single precision (c 1e-7 of 1000, times K / .083) and what the POD leaves out.
s = {k: samples["fields/" + k][:, 0].astype(float) for k in axes}
off = s["flux"][:, :, 1:-1] + K * np.diff(s["c"], axis=2) * nx
print("# flux + K dc/dx: rms", off.std(), "of", s["flux"].std())
assert np.abs(off).max() < 1e-4 * s["flux"].std()
# and the means and spreads: 1600 rows of training, of which the regressed mean has up to 4 terms, and 2000 of the sample, 4 standard errors
def law(s, t): return 1000 + 100 * r * s + 0 * t, [10 * np.cos(np.pi * s) * np.cos(np.pi * t / 2), 5 * np.sin(np.pi * s) + 0 * t, 3 * np.sin(np.pi * t) + 0 * s]
def check(what, k, mean, sd, m, modes):
    wanted = np.sqrt(sum(q * q for q in modes))
    assert np.all(np.abs(mean - m) < 4 * np.sqrt(4 / 1600 + 1 / 2000) * (wanted + 1e-3 * wanted.max())), (what, k)
    assert np.all(np.abs(sd - wanted) < 0.1 * wanted + 1e-3 * wanted.max()), (what, k, sd / wanted)
at = np.r_[0, x, 1]
mean, modes = law(at, y[:, None])
laws = {"c": law(x, y[:, None]), "coarse": law(coarse, 2 * coarse[:, None]), "edge": law(faces, y[3:4, None]),
        "flux": (-K * np.diff(mean) / np.diff(at), [-K * np.diff(q) / np.diff(at) for q in modes])}
for k, (m, q) in laws.items():
    check("samples", k, s[k].mean(0), s[k].std(0), m, q)
    group = uq["fields/" + k]
    assert [d[0].name for d in group["mean"].dims][1:] == ["/z", "/" + axes[k][0], "/" + axes[k][1]], k
    check("uq", k, group["mean"][0, 0], group["sd"][0, 0], m, q)
# Numbers of a field, at places on its own axes: the sample has the law that uq has, of other draws.
q = {k: (v["mean"], v["sd"]) for k, v in json.load(open(run + "/uq.json"))["conditions"][0]["quantities"].items()}
f, c, e = s["flux"], s["c"], s["edge"][:, 0]
L, wx = 1e-4, np.r_[0.5, np.ones(nx - 1), 0.5] / nx
weak = lambda v: (v * wx).sum(2).mean(1)
exact = {"top": L * faces[f.reshape(2000, -1).argmax(1) % (nx + 1)], "low": L * 2 * coarse[s["coarse"].reshape(2000, -1).argmin(1) // 5],
         "all": weak(f), "flux:5e-5": f[:, :, 6].mean(1), "flux[50um, 31.25um]": f[:, 2, 6], "c[45.8333333um, 31.25um]": c[:, 2, 5],
         "coarse[10um, 20um]": s["coarse"][:, 0, 0], "edge[0]": e[:, 0], "left": weak(f * (faces < 0.49)), "most": f.max((1, 2)), "max_edge": e.max(1), "min_flux": f.min((1, 2)),
         "rise": np.quantile(c.reshape(2000, -1), 0.99, axis=1) - e[:, -1], "x_min_edge": L * faces[e.argmin(1)]}
for k, v in exact.items(): # 4 standard errors of a difference, of an SD as of a variance of kurtosis up to 6
    n = 4 * np.sqrt(2 / 2000)
    assert abs(q[k][0] - v.mean()) <= n * v.std() + 1e-6 * abs(v.mean()), (k, q[k], v.mean(), v.std())
    assert abs(q[k][1] - v.std()) <= n * 1.2 * v.std() + 1e-6 * abs(v.mean()), (k, q[k], v.std())
p = uq["exceed/0/probability"]
assert p.shape == (1, 1, ny, nx + 1) and np.all(np.abs(p[0, 0] - (f > -0.08).mean(0)) < 4 * np.sqrt(2 * 0.25 / 2000))
assert abs(uq["exceed/0/somewhere_probability"][0] - (f > -0.08).any((1, 2)).mean()) < 4 * np.sqrt(2 * 0.25 / 2000)
assert uq["exceed/1/probability"].shape == (1, 1, 1, nx + 1)
with h5py.File(run + "/compare.h5") as f:
    for k, v in (("x_flux", 1e-4 * faces), ("y_flux", 1e-4 * y), ("x_coarse", 1e-4 * coarse)): assert np.allclose(f["maps/" + k][:], v), k
    m = f["maps/pde/flux/mean"] if "pde" in f["maps"] else f["maps/data/flux/mean"]
    assert m.shape == (ny, nx + 1)
pooled = json.load(open(run + "/compare.json"))["pooled"]
print("# sliced W", pooled["model"]["sliced_w"], "floor", pooled["floor"]["sliced_w"])
assert pooled["model"]["sliced_w"] < 1.8 * pooled["floor"]["sliced_w"]  # 1 is expected; see test_darcy
itself = json.load(open(run + "/compare_files.json"))
assert itself["sliced_w"] == 0 and itself["mean_error"] == 0 and itself["sliced_w_floor"] > 0
PY

# ParaView finds every field in its place, on the grid of its own cells.
"$PYTHON" - "$work/run1" <<'PY' || fail "dataset.xdmf"
import sys, xml.etree.ElementTree as xml, h5py, numpy as np
rows = xml.parse(sys.argv[1] + "/dataset.xdmf").getroot().findall("Domain/Grid/Grid")
data = h5py.File(sys.argv[1] + "/dataset.h5")
grids = rows[7].findall("Grid")
assert len(rows) == 1000 and [g.get("Name") for g in grids] == ["c", "flux", "coarse", "edge"]
corner, size = ([float(v) for v in item.text.split()] for item in grids[1].findall("Geometry/DataItem"))
assert grids[1].find("Topology").get("Dimensions") == "2 17 14" and np.allclose(size[1:], [2e-4 / 16, 1e-4 / 12]) and np.isclose(corner[2], -0.5e-4 / 12)
found = []
with open(sys.argv[1] + "/dataset.h5", "rb") as raw:
    for a in (a for g in grids for a in g.findall("Attribute")):
        item, field = a.find("DataItem"), data["fields/" + a.get("Name")]
        assert tuple(int(n) for n in item.get("Dimensions").split()) == field.shape[1:]
        raw.seek(int(item.get("Seek")))
        assert raw.read(field[7].nbytes) == field[7].tobytes()
        found.append(a.get("Name"))
assert sorted(found) == sorted(data["fields"]), found
PY
for figure in maps1 maps2 maps3 slices2; do [ -s "$work/run1/figures/$figure.png" ] || fail "no figure $figure"; done
[ ! -e "$work/run1/figures/maps4.png" ] || fail "a map of a profile"

# A volume beside a surface on finer cells of its own, which has one cell along z.
cat >"$work/volume.yaml" <<DECK
run: {dir: $work/volume}
import:
  file: $work/volume.h5
  x: {path: /x, units: m}
  y: /y
  z: /z
  fields: {T: /T, top: {path: /top, x: /x_s, y: /y_s}}
  conditions: {load: /load}
train: {steps: 0}
sample: {count: 500, load: 1.5}
uq: {count: 500, load: 1.5, quantities: ["argmax_z(T)", "argmax_y(top)", "T[0.5e-4, 0.5e-4, 0.875e-4]", "top[2.5e-6, 2.5e-6]"]}
DECK
for command in import train sample compare uq; do
  scoria 2 $command "$work/volume.yaml" >"$work/out" 2>&1 || { fail "$command of a volume"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work/volume" <<'PY' || fail "a volume and a surface"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1] + "/samples.h5") as f:
    T, top = f["fields/T"][:].astype(float), f["fields/top"][:].astype(float)
    assert T.shape == (500, 4, 16, 12) and top.shape == (500, 1, 20, 20) and f["z_top"].shape == (1,)
    assert [d[0].name for d in f["fields/top"].dims] == ["/row", "/z_top", "/y_top", "/x_top"]
fine, x, y, z = (np.arange(20) + 0.5) / 20, (np.arange(12) + 0.5) / 12, (np.arange(16) + 0.5) / 16, (np.arange(4) + 0.5) / 4
wave = lambda s: np.cos(np.pi * s)
A = np.stack([np.outer(wave(fine), np.ones(20)).ravel(), np.outer(np.ones(20), wave(fine)).ravel()], 1)
g = np.linalg.lstsq(A, top.reshape(500, -1).T, rcond=None)[0]  # of each sample, from the surface
wanted = 301.5 + g[0][:, None, None, None] * z[:, None, None] * wave(y)[:, None] + g[1][:, None, None, None] * wave(x)
shift = (T - wanted).mean((1, 2, 3))
# the regressed mean's level: 4 SE of 900 rows; but for it as exact as single precision of 300
assert np.abs(shift).max() < 4 * np.sqrt(4 / 900) and np.abs(T - wanted - shift[:, None, None, None]).max() < 5e-3, (shift, np.abs(T - wanted).max())
PY

# The listing's deck does it as it is.
scoria 1 import -import_file "$work/set.h5" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "listing"; cat "$work/out" >&2; }
for line in "flux: {path: '/flux', x: '/xf'}" "coarse: {path: '/coarse', x: '/xc', y: '/yc'}" "V: {path: '/V'}"; do
  grep -qF "$line" "$work/out" || { fail "the listing lacks $line"; cat "$work/out" >&2; }
done
scoria 2 import "$work/listed/import.yaml" >"$work/out" 2>&1 || { fail "the deck of the listing"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "rows by the deck of the listing"
import sys, numpy as np
from arrays import arrays_of
a, b = (arrays_of(f"{sys.argv[1]}/{dir}/dataset.h5") for dir in ("run1", "listed"))
for k in ("fields/c", "fields/flux", "fields/coarse", "fields/V", "x_flux", "x_coarse", "y_coarse"): assert np.array_equal(a[k], b[k]), k
PY

# xarray tells the axes apart.
if "$PYTHON" -c "import xarray, h5netcdf" 2>/dev/null; then
  "$PYTHON" - "$work" <<'PY' || fail "xarray"
import sys, xarray as xr
d = xr.open_dataset(sys.argv[1] + "/run1/dataset.h5", engine="h5netcdf", group="fields")
assert d.c.dims == ("row", "z", "y", "x") and d.flux.dims == ("row", "z", "y", "x_flux") and d.edge.dims == ("row", "z", "y_edge", "x_flux")
for name in ("uq", "compare", "model", "samples"): xr.open_dataset(f"{sys.argv[1]}/run1/{name}.h5", engine="h5netcdf").load()
PY
else
  echo "xarray is not installed: its part is skipped"
fi

# What cannot be.
bad() { # MESSAGE COMMAND OPTIONS...
  local message=$1 command=$2
  shift 2
  expect 3 "$message" 1 "$command" "$work/deck.yaml" "$@"
}
bad 'flux: array /flux has the shape (13, 20, 100, 16), expected .*; of a field on cells of its own its members x and y name their centres' import -run_dir "$work/bad" -import_fields c=/c,flux=/flux
bad 'coarse: y_units without y, the path of its own cell centres' import -run_dir "$work/bad" -import_fields '{c: /c, coarse: {path: /coarse, y_units: um}}'
bad 'c: found z, cell centres of its own, and import_z is not set' import -run_dir "$work/bad" -import_fields '{c: {path: /c, z: /xf}}'
bad 'c lies along x, flux along x_flux: expected fields along one axis' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'mean(c * flux)'
bad 'c lies along x, coarse along x_coarse: expected fields along one axis' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'mean(c * coarse)'
bad 'found argmin_y, but the fields have one cell along y' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'argmin_y(edge)'
bad 'found too many places in brackets, expected x' uq -run_dir "$work/run1" -uq_file other.h5 -uq_quantities 'edge[0, 0]'
mkdir "$work/basis" && cp "$work/run1/dataset.h5" "$work/basis"
bad 'train_basis: c lies along x, flux along x_flux' train -run_dir "$work/basis" -train_basis lateral
bad 'reading 1: found 1 place, expected x and y of flux' infer -run_dir "$work/run1" -sensors_at flux:50um -sensors_value 2.9 -sensors_sd 0.03
finish
