#!/usr/bin/env bash
# Datasets of whole fields: the same arrays on any number of ranks, stopped and started again, of shards, and grown; their lateral means are
# the rows of the dataset of profiles; labelled for xarray, described for ParaView; commands that take profiles refuse them in one line.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
small=(-ensemble_cells "8,6,4" -ensemble_lateral "3e-4,2e-4" -porosity_anisotropy "4,2" -ensemble_conditions 5 -ensemble_realisations 3)
whole=("${small[@]}" -ensemble_whole_fields true)
generate() { # RANKS NAME ...
  local ranks=$1 name=$2
  shift 2
  scoria "$ranks" generate "$deck" "${whole[@]}" -run_dir "$work/$name" "$@" >"$work/out" 2>&1 || { fail "generate $name: exit $?"; cat "$work/out" >&2; }
}
same=() # datasets that are to hold the same

for ranks in 1 2 3; do
  generate "$ranks" "ranks$ranks"
  same+=("$work/ranks$ranks/dataset.h5")
done
grep -q WARNING "$work/out" && fail "a warning without cause"

# Stopped at its first round, and to the end on other ranks.
expect 75 'of 15 rows are kept' 2 generate "$deck" "${whole[@]}" -run_dir "$work/stopped" -run_max_hours 1e-9
generate 3 stopped
grep -q 'of 15 rows done; resuming' "$work/out" || { fail "a start after a stop"; cat "$work/out" >&2; }
same+=("$work/stopped/dataset.h5")

# Of shards, and of a smaller dataset.
for shard in 1 2; do generate "$shard" shards -run_shard "$shard,2"; done
scoria 2 merge "$deck" "${whole[@]}" -run_dir "$work/shards" >"$work/out" 2>&1 || { fail "merge"; cat "$work/out" >&2; }
generate 2 grown -ensemble_conditions 2
generate 1 grown
grep -q 'grows from 2 to 5 conditions' "$work/out" || { fail "growing"; cat "$work/out" >&2; }
same+=("$work/shards/dataset.h5" "$work/grown/dataset.h5")

# Two ranks a solve, in double precision, and the profiles of the same draws.
generate 3 pairs -ensemble_group_size 2 -ensemble_float64 true
scoria 2 generate "$deck" "${small[@]}" -run_dir "$work/profiles" -ensemble_float64 true >"$work/out" 2>&1 || { fail "profiles"; cat "$work/out" >&2; }

"$PYTHON" - "$work" "${same[@]}" <<'PY' || fail "what the files hold"
import sys, h5py, numpy as np, xml.etree.ElementTree as xml
work, first = sys.argv[1], h5py.File(sys.argv[2])
arrays = []
first.visititems(lambda name, o: arrays.append(name) if isinstance(o, h5py.Dataset) else None)
assert {"x", "y", "z", "fields/c", "fields/phi", "fields/eps", "crc", "status/crc"} <= set(arrays), arrays
for path in sys.argv[3:]:
    other = h5py.File(path)
    for name in arrays:
        assert first[name].shape == other[name].shape and first[name][()].tobytes() == other[name][()].tobytes(), (path, name)
c = first["fields/c"]
assert c.shape == (15, 4, 6, 8) and c.dtype == "<f4" and first["status/done"][:].all()
for axis, (name, length) in enumerate([("z", 2e-4), ("y", 3e-4), ("x", 85.2e-6)], start=1):
    (scale,) = c.dims[axis].values()
    n = c.shape[axis]
    assert scale.name == "/" + name and np.allclose(scale[:], (np.arange(n) + .5) * length / n, rtol=1e-12, atol=0), name

# by two ranks a solve to the solver's tolerance; laterally averaged as the profiles are, to rounding
pairs, profiles = h5py.File(work + "/pairs/dataset.h5"), h5py.File(work + "/profiles/dataset.h5")
for name in ("fields/c", "fields/phi", "fields/eps"):
    single, double, mean = first[name][:], pairs[name][:], profiles[name][:]
    assert double.dtype == "<f8" and mean.shape == (15, 8)
    assert np.abs(single - double).max() <= 1e-6 * np.abs(double).max(), name
    assert np.abs(double.mean(axis=(1, 2)) - mean).max() <= 1e-8 * np.abs(mean).max(), name
    assert double.std(axis=(1, 2)).max() > 1e-3 * np.abs(mean).max(), name

# what ParaView is told: every row, by its place in the file
path = work + "/ranks2/dataset.h5"
grids = xml.parse(work + "/ranks2/dataset.xdmf").getroot().findall("Domain/Grid/Grid")
assert len(grids) == 15 and grids[0].find("Topology").get("Dimensions") == "5 7 9"
size = [float(v) for v in grids[0].findall("Geometry/DataItem")[1].text.split()]
assert np.allclose(size, [2e-4 / 4, 3e-4 / 6, 85.2e-6 / 8], rtol=1e-9, atol=0), size
with open(path, "rb") as raw:
    for a in grids[7].findall("Attribute"):
        item = a.find("DataItem")
        assert item.text == "dataset.h5" and item.get("Precision") == "4" and item.get("Dimensions") == "4 6 8"
        raw.seek(int(item.get("Seek")))
        assert raw.read(4 * 4 * 6 * 8) == h5py.File(path)["fields/" + a.get("Name")][7].tobytes()
PY

for engine in h5netcdf netCDF4; do
  "$PYTHON" -c "import xarray, $engine" 2>/dev/null || continue
  "$PYTHON" - "$work/ranks1/dataset.h5" "${engine,,}" <<'PY' || fail "xarray with $engine"
import sys, xarray as xr
d = xr.merge([xr.open_dataset(sys.argv[1], engine=sys.argv[2], group=group) for group in (None, "conditions", "fields")])
assert d.c.dims == ("row", "z", "y", "x") and set(d.coords) >= {"x", "y", "z"} and d.c.mean(("z", "y")).dims == ("row", "x"), d
PY
done

scoria 2 info "$work/ranks1/dataset.h5" >"$work/out" 2>&1
for told in 'rows  *15: 15 solved, 0 failed' 'x from .* m (8), y from 2.5e-05 to 0.000275 m (6), z from .* m (4)' '# (15, 4, 6, 8)'; do
  grep -q "$told" "$work/out" || { fail "info does not say: $told"; cat "$work/out" >&2; }
done

# Two dimensions have one cell along z; an axis that is too short for its correlation lengths is told.
generate 2 plane -ensemble_cells 8,6 -ensemble_lateral 1e-5 -ensemble_conditions 1
grep -q 'WARNING: ensemble_lateral: 1e-05 m along y is shorter than two correlation lengths' "$work/out" || { fail "the warning"; cat "$work/out" >&2; }
"$PYTHON" -c 'import h5py, sys; assert h5py.File(sys.argv[1])["fields/c"].shape == (3, 1, 6, 8)' "$work/plane/dataset.h5" || fail "the shape of a plane"

# A model of whole fields, of the Gaussian alone: the same samples from any number of ranks, and rows of the wrong kind refused.
model=("${whole[@]}" -sample_source best -train_steps 0 -train_modes 6 -train_degree_mean 1 -train_degree_scale 1 -sample_count 5)
rm -f "$work"/ranks?/model.h5
for ranks in 1 2; do
  scoria $ranks train "$deck" "${model[@]}" -run_dir "$work/ranks$ranks" >"$work/out" 2>&1 || { fail "train on $ranks"; cat "$work/out" >&2; }
  scoria $ranks sample "$deck" "${model[@]}" -run_dir "$work/ranks$ranks" >"$work/out" 2>&1 || { fail "sample on $ranks"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work" <<'PY' || fail "samples of whole fields"
import h5py, numpy as np, sys
one, two = (h5py.File(f"{sys.argv[1]}/ranks{n}/samples.h5") for n in (1, 2))
for name in ("fields/c", "fields/phi"):
    assert one[name].shape == (5, 4, 6, 8) and np.isfinite(one[name][:]).all() and one[name][:].std(axis=(1, 2)).min() > 0
    assert one[name][:].tobytes() == two[name][:].tobytes(), name
assert h5py.File(sys.argv[1] + "/ranks1/model.h5").attrs["basis"] in ("lateral", b"lateral")
PY
scoria 1 info "$work/ranks1/model.h5" >"$work/out" 2>&1 || { fail "info of a model of whole fields"; cat "$work/out" >&2; }
rm "$work/ranks1/model.h5"
expect 3 'train_basis is profile, which is for profiles, but the dataset is one of whole fields, 8 x 6 x 4 cells' 2 train "$deck" "${model[@]}" -run_dir "$work/ranks1" -train_basis profile
expect 3 'train_basis is lateral, which is for whole fields, but the dataset is one of profiles' 2 train "$deck" "${small[@]}" -run_dir "$work/profiles" -train_basis lateral
expect 3 'run_memory: found 1e-06 GB, but the modes of .* take [0-9.e-]* GB of a rank' 2 train "$deck" "${model[@]}" -run_dir "$work/ranks1" -run_memory 1e-6

# The whole path, and the comparison again on other ranks.
path=("${whole[@]}" -ensemble_conditions 40 -ensemble_realisations 4 -train_steps 0 -sample_source best -compare_directions 16)
for ranks in 1 3; do
  scoria "$ranks" run "$deck" "${path[@]}" -run_dir "$work/path$ranks" >"$work/out" 2>&1 || { fail "run on $ranks ranks"; cat "$work/out" >&2; }
done
grep -q '^  spectrum of phi' "$work/out" || { fail "compare says nothing of whole fields"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "the whole path"
import html, json, sys, h5py, numpy as np
one, three = (json.load(open(f"{sys.argv[1]}/path{ranks}/compare.json")) for ranks in (1, 3))
cost = one.pop("cost")
assert three.pop("cost") and (cost["sampler"], cost["network_evaluations"]) == ("gaussian", 0), cost
worth, second = one.pop("worth"), three.pop("worth")
assert one == three
# Errors of what is asked of every field, the same but for the times: those of a mean of the lateral mean, of a hot spot, of a quantile.
assert [q["name"] for q in worth["quantities"]][:5] == ["min_c", "max_c", "phi_collector", "min_phi", "max_phi"]
for a, b in zip(worth["quantities"], second["quantities"]):
    for e, f in zip(a["estimates"], b["estimates"]):
        del e["break_even_conditions"], f["break_even_conditions"]
        assert e == f
        assert 0 <= e["bias_upper"] < 10 and 0 <= e["gaussian_bias_upper"] < 10 and e["multilevel_gain"] > 0, (a["name"], e)
ways = {w["name"]: w for w in worth["ways"]}
assert list(ways) == ["plain Monte Carlo", "multilevel", "independent columns", "the Gaussian", "the model"] and worth["seconds_columns"] > 0
e = [e for q in worth["quantities"] for e in q["estimates"]]
assert ways["independent columns"]["bias"] == max(x["columns_bias_upper"] for x in e) > 0 and ways["independent columns"]["seconds_each"] is None
assert worth["sentence"].startswith("for errors of 0.02 SD use ") and worth["ways"][0]["name"] == "plain Monte Carlo"
whole = one["whole_fields"]
for f in ("c", "phi"):
    assert set(whole["fields"][f]["max"]) == {"unit", "description", "model", "gaussian", "floor", "conditions"}
    for s in ("model", "gaussian", "floor"):
        assert 0 < whole["fields"][f]["max"][s]["w1"] < 3 and 0 <= whole["fields"][f]["min"][s]["quantiles_inside"] <= 1
        assert np.isfinite(list(whole["lateral_means"][s].values())).all()
samples, curves = (h5py.File(f"{sys.argv[1]}/path3/{name}.h5") for name in ("samples", "compare"))
assert samples["fields/phi"].shape == (40, 4, 6, 8) and curves["pde/phi/mean"].shape == (3, 8)
# Maps: the same from any number of ranks, of sources of one law, each with a figure.
other = h5py.File(f"{sys.argv[1]}/path1/compare.h5")["maps"]
maps = []
curves["maps"].visititems(lambda n, a: maps.append(n) if isinstance(a, h5py.Dataset) and n not in ("x", "y") else None)
assert len(maps) == 4 + 4 * 2 * 6 and all(np.array_equal(other[n][:], curves["maps"][n][:], equal_nan=True) for n in maps)
for f in ("c", "phi"):
    pde, again = (curves[f"maps/{s}/{f}"] for s in ("pde", "pde_again"))
    n = curves["maps/rows"][0]
    assert pde["mean"].shape == (6, 8) and pde["draws"].shape == (3, 6, 8) and np.all(pde["max"][:] >= pde["min"][:])
    error = np.sqrt(np.mean(((again["mean"][:] - pde["mean"][:]) / pde["sd"][:]) ** 2))
    assert 0 < error < 5 * np.sqrt(2 / n), (f, error, n)   # sqrt(2 / n) is expected, of few independent cells
    above = pde["exceed"][:].mean()
    assert 0 < above < 0.5, above                          # 5 % of the values of the plane, up to ties
page = open(f"{sys.argv[1]}/path3/report.html", encoding="utf-8").read()
for figure in ("maps1", "maps2", "slices1", "slices2", "extremes", "spectra", "worth"):
    assert f'id="figure-{figure}"' in page, figure
assert second["sentence"][1:] in html.unescape(page) and "<h3>Tails</h3>" in page
assert "The model is its Gaussian" in page
assert "<h3>Whole fields</h3>" in page and "training set: 160 of 160 solves of whole fields" in page
PY

# What is not understood.
expect 3 'ensemble_whole_fields: found true, but ensemble_cells has one axis' 2 generate "$deck" -run_dir "$work/bad" -ensemble_whole_fields true
expect 3 'ensemble_lateral_sd: found true, but ensemble_whole_fields' 2 generate "$deck" "${whole[@]}" -run_dir "$work/bad" -ensemble_lateral_sd true
expect 3 'whole_fields: found true, but refine takes profiles' 2 refine "$deck" "${whole[@]}" -run_dir "$work/ranks1"
expect 3 'dataset.h5: made by another deck (ensemble_whole_fields is false here' 2 generate "$deck" "${small[@]}" -run_dir "$work/ranks1"
finish
