#!/usr/bin/env bash
# jobs/export_well.py: the solved rows of a dataset in The Well's layout, each condition in one part, the same one when the dataset has grown;
# and whole fields in three dimensions.  Where the-well (PyPI) is installed for $WELL_PYTHON (python3), its reader opens them.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
"$PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: no h5py"; exit 77; }

tiny_deck "$work/deck.yaml" "$work/run"
scoria 2 generate "$work/deck.yaml" >"$work/out" 2>&1 || { fail generate; cat "$work/out" >&2; }
cp "$SCORIA_SOURCE/input/electrode3d.yaml" "$work/solid.yaml"
scoria 2 generate "$work/solid.yaml" -run_dir "$work/solid" -ensemble_cells 8,4,6 -ensemble_conditions 2 -ensemble_realisations 2 \
  -ensemble_full_fields 2 >"$work/out" 2>&1 || { fail "generate in 3-D"; cat "$work/out" >&2; }
# Two rows that were not solved, and the first 40 conditions alone.
"$PYTHON" - "$work" <<'PY'
import sys
import h5py, numpy as np
work = sys.argv[1]
with h5py.File(work + "/run/dataset.h5", "r+") as f:
    f["status/done"][[3, 100]] = 2
    for field in f["fields"].values():
        for row in (3, 100):
            field[row] = np.nan
    with h5py.File(work + "/fewer.h5", "w") as g:
        for name, value in f.attrs.items():
            g.attrs[name] = value
        for group in ("conditions", "fields", "status"):
            for name, array in f[group].items():
                g[group + "/" + name] = array[:240]
                g[group + "/" + name].attrs["axes"] = array.attrs["axes"]
        g["x"] = f["x"][:]
h5py.File(work + "/empty.h5", "w").close()
PY

export_well() { # CODE PATTERN FILE DIR
  local got=0
  "$PYTHON" "$SCORIA_SOURCE/jobs/export_well.py" "$3" "$4" >"$work/out" 2>&1 || got=$?
  if [ "$got" -ne "$1" ] || ! grep -q "$2" "$work/out"; then fail "export of $3: exit $got, expected $1 and '$2'"; cat "$work/out" >&2; fi
}
export_well 0 '^2 rows that were not solved' "$work/run/dataset.h5" "$work/well"
export_well 0 'trajectories' "$work/fewer.h5" "$work/fewer"
export_well 0 'trajectories' "$work/solid/fields.h5" "$work/whole"
export_well 3 'exists already' "$work/run/dataset.h5" "$work/well"
export_well 3 'no dataset' "$work/empty.h5" "$work/none"
export_well 3 'cannot be opened' "$work/run/manifest.json" "$work/none"
[ ! -e "$work/none" ] || fail "a directory was made for nothing"
[ -z "$(find "$work/well" -name '*.part')" ] || fail "parts were left"

cat >"$work/check.py" <<'PY'
import sys
import h5py, numpy as np
work = sys.argv[1]

def rows(source):
    f = h5py.File(source, "r")
    done = f["status/done"][:] == 1 if "status" in f else np.ones(len(f["fields/c"]), bool)
    theta = np.stack([f["conditions"][k][:] for k in ("U0", "F_right", "ell")], 1).astype("f4")
    return f, {(tuple(theta[i]), f["fields/c"][i].tobytes()): i for i in np.flatnonzero(done)}

def check(source, where, parts):
    f, expected = rows(source)
    part_of = {}
    for part in parts:
        w = h5py.File("%s/data/%s/%s.h5" % (where, part, where.split("/")[-1]), "r")
        n, axes = w.attrs["n_trajectories"], list(w["dimensions"].attrs["spatial_dims"])
        assert axes == f["fields/c"].attrs["axes"].decode().split()[1:] and w.attrs["n_spatial_dims"] == len(axes)
        assert all(np.array_equal(w["dimensions"][a][:], f[a][:].astype("f4")) for a in axes) and w["dimensions/time"].shape == (1,)
        assert set(w["boundary_conditions"]) == {a + "_periodic" for a in axes if a != "x"}
        assert list(w["scalars"].attrs["field_names"]) == list(f["conditions"]) and len(w["t1_fields"].attrs["field_names"]) == 0
        assert list(w["t0_fields"].attrs["field_names"]) == list(f["fields"])
        for name, a in w["t0_fields"].items():
            assert a.attrs["sample_varying"] and a.attrs["time_varying"] == (name != "eps") and len(a.attrs["dim_varying"]) == len(axes)
            assert a.attrs["units"] == f["fields"][name].attrs["units"].decode() if "units" in f["fields"][name].attrs else True
        for i in range(n):
            theta = tuple(w["scalars"][k][i] for k in ("U0", "F_right", "ell"))
            row = expected.pop((theta, w["t0_fields/c"][i, 0].tobytes()))
            assert np.array_equal(w["t0_fields/phi"][i, 0], f["fields/phi"][row]) and np.array_equal(w["t0_fields/eps"][i], f["fields/eps"][row])
            assert part_of.setdefault(theta, part) == part, theta
    assert not expected, expected.keys()
    return part_of

parts = check(work + "/run/dataset.h5", work + "/well", ("train", "valid", "test"))
fewer = check(work + "/fewer.h5", work + "/fewer", ("train", "valid", "test"))
assert len(parts) == 48 and len(fewer) == 40 and all(parts[t] == p for t, p in fewer.items())
check(work + "/solid/fields.h5", work + "/whole", ("train",))
PY
"$PYTHON" "$work/check.py" "$work" || fail "the layout"

reader=${WELL_PYTHON:-python3}
if ! "$reader" -c 'import the_well' 2>/dev/null; then
  echo "without The Well's reader (the-well) for $reader"
  finish
  exit 0
fi
cat >"$work/read.py" <<'PY'
import sys
import numpy as np
import h5py
from the_well.data import WellDataset
work = sys.argv[1]
for where, shape in (("well", (16,)), ("whole", (6, 4, 8))):
    d = WellDataset(path=f"{work}/{where}", well_split_name="train", n_steps_input=0)
    f = h5py.File(f"{work}/{where}/data/train/{where}.h5")
    assert len(d) == f.attrs["n_trajectories"] and d.metadata.spatial_resolution == shape
    for i in (0, len(d) - 1):
        s = d[i]
        assert s["output_fields"].shape == (1, *shape, 2) and s["constant_fields"].shape == (*shape, 1)
        assert np.array_equal(s["output_fields"][0, ..., 0], f["t0_fields/c"][i, 0]) and np.array_equal(s["constant_fields"][..., 0], f["t0_fields/eps"][i])
        assert np.array_equal(s["constant_scalars"], [f["scalars"][k][i] for k in d.metadata.constant_scalar_names])
    assert s["boundary_conditions"].tolist() == ([[1, 1]] if where == "well" else [[2, 2], [2, 2], [1, 1]])
PY
"$reader" "$work/read.py" "$work" || fail "The Well's reader"
finish
