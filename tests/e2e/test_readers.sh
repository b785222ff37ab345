#!/usr/bin/env bash
# Python at the other end: every file of ours says what its axes are, in HDF5's own terms (h5py) and to xarray with both of its engines;
# the same bytes on any number of ranks; whole fields of a three-dimensional deck come with a file for ParaView.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
dir=$work/run
tiny_deck "$deck" "$dir"
more=(-uq_count 60 -uq_U0 "0.1,0.2" -uq_exceed c:1000 -ensemble_full_fields 2 -solve_count 3)
for command in run uq solve; do
  scoria 2 "$command" "$deck" "${more[@]}" >"$work/out" 2>&1 || { fail "$command"; cat "$work/out" >&2; }
done
lateral=(-ensemble_cells "8,6,4" -ensemble_conditions 2 -ensemble_realisations 2 -ensemble_full_rows "3,1")
for ranks in 1 2 3; do
  # the run directory is in the stored deck: the same for all
  scoria "$ranks" generate "$deck" -run_dir "$work/lateral" "${lateral[@]}" >"$work/out" 2>&1 || { fail "generate in three dimensions"; cat "$work/out" >&2; }
  mv "$work/lateral" "$work/lateral$ranks"
done

# HDF5's own dimension scales, both ways; every array of more than one value has its axes named.
"$PYTHON" - "$dir"/*.h5 "$work"/lateral1/*.h5 <<'PY' || fail "dimension scales"
import sys, h5py
for path in sys.argv[1:]:
    with h5py.File(path) as f:
        arrays = []
        f.visititems(lambda name, o: arrays.append(o) if isinstance(o, h5py.Dataset) else None)
        assert len(arrays) > 8, path
        for a in arrays:
            if h5py.h5ds.is_scale(a.id):
                for ref, axis in a.attrs["REFERENCE_LIST"] if "REFERENCE_LIST" in a.attrs else []:
                    assert f[ref].dims[axis][0] == a, (path, a.name)
                continue
            names = a.attrs["axes"].decode().split()
            assert len(names) == a.ndim and len(set(names)) == a.ndim, (path, a.name, names)
            for axis, name in enumerate(names):
                (scale,) = a.dims[axis].values()
                assert scale.name == "/" + name and scale.shape == (a.shape[axis],), (path, a.name, name)
    print(path, len(arrays))
names = {p.split("/")[-1] for p in sys.argv[1:]}
assert names >= {"dataset.h5", "samples.h5", "solve.h5", "fields.h5", "model.h5", "compare.h5", "uq.h5"}, names
PY

# Bytes of a dataset: ranks and date differ with their checksums, nothing else (the attributes have eight bytes and twenty).
for ranks in 2 3; do
  different=$(cmp -l "$work/lateral1/dataset.h5" "$work/lateral$ranks/dataset.h5" | wc -l)
  [ "$different" -le 36 ] || fail "on $ranks ranks $different bytes of the dataset differ"
  cmp -s "$work/lateral1/fields.xdmf" "$work/lateral$ranks/fields.xdmf" || fail "fields.xdmf on $ranks ranks"
done

# A file from before the axes had names is read as ever.
cp "$dir/samples.h5" "$work/old.h5"
"$PYTHON" - "$work/old.h5" <<'PY' || fail "an old file could not be made"
import sys, h5py
with h5py.File(sys.argv[1], "r+") as f:
    del f["row"]
    f.visititems(lambda name, o: [o.attrs.__delitem__(key) for key in ("axes", "DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME") if key in o.attrs])
PY
scoria 2 info "$work/old.h5" >"$work/out" 2>&1 || { fail "an old file"; cat "$work/out" >&2; }
grep -q '^rows         40: 40 solved' "$work/out" || { fail "an old file is read otherwise"; cat "$work/out" >&2; }

# What ParaView is told: a grid of so many nodes a row, and the place of its bytes.
"$PYTHON" - "$work/lateral1" <<'PY' || fail "fields.xdmf"
import sys, h5py, xml.etree.ElementTree as xml
grids = xml.parse(sys.argv[1] + "/fields.xdmf").getroot().findall("Domain/Grid/Grid")
assert [g.get("Name") for g in grids] == ["row 3", "row 1"]
for r, g in enumerate(grids):
    assert g.find("Topology").get("Dimensions") == "5 7 9"
    assert [a.get("Name") for a in g.findall("Attribute")] == ["c", "phi", "eps"]
    for a in g.findall("Attribute"):
        item = a.find("DataItem")
        assert item.get("Dimensions") == "4 6 8" and item.get("Endian") == "Little" and item.get("Precision") == "8"
        with h5py.File(sys.argv[1] + "/" + item.text) as f, open(sys.argv[1] + "/" + item.text, "rb") as raw:
            whole = f["fields/" + a.get("Name")]
            assert whole.shape == (2, 4, 6, 8)
            raw.seek(int(item.get("Seek")))
            assert raw.read(8 * 4 * 6 * 8) == whole[r].astype("<f8").tobytes()
PY

# xarray, every group of every file, and the lines of input/README.md.
for engine in h5netcdf netcdf4; do
  module=$engine
  [ "$engine" = h5netcdf ] || module=netCDF4
  if ! "$PYTHON" -c "import xarray, $module" 2>/dev/null; then
    echo "python3-xarray or python3-$engine is not installed: that engine is left out"
    continue
  fi
  "$PYTHON" - "$engine" "$dir"/*.h5 "$work"/lateral1/fields.h5 <<'PY' || fail "xarray with $engine"
import sys, h5py, xarray as xr
engine = sys.argv[1]
for path in sys.argv[2:]:
    groups = [None]
    with h5py.File(path) as f:
        f.visititems(lambda name, o: groups.append(name) if isinstance(o, h5py.Group) else None)
    for group in groups:
        with xr.open_dataset(path, engine=engine, group=group) as d:
            d.load()
            assert not any("phony" in name for name in d.dims), (path, group, d.dims)
path = next(p for p in sys.argv if p.endswith("/dataset.h5"))
d = xr.merge([xr.open_dataset(path, engine=engine, group=group) for group in (None, "conditions", "fields")])
assert d.c.dims == ("row", "x") and d.U0.dims == ("row",) and d.x.attrs["units"] == "m", d
mean = d.c.where(d.U0 > 0.2).mean("row")
assert mean.dims == ("x",) and (mean > 0).all()
path = sys.argv[-1]
assert xr.open_dataset(path, engine=engine, group="fields").c.dims == ("row", "z", "y", "x")
path = next(p for p in sys.argv if p.endswith("/uq.h5"))
assert xr.open_dataset(path, engine=engine, group="fields/c")["quantile"].dims == ("condition", "probability", "x")
PY
done
finish
