#!/usr/bin/env bash
# import: whatever values, shapes and names a user's file has, the dataset holds the right numbers, or one line refuses it and says what
# is expected.  Expected values are NumPy's of what was written.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
work = sys.argv[1]
rng = np.random.default_rng(0)
K, R, L = 12, 8, 10                                   # conditions, realisations, cells
x = (np.arange(L) + 0.5) / L * 1e-4 + 1e-4
rate, T = np.linspace(0.5, 2, K), 300 + 5.0 * (np.arange(K) % 3)
shape = np.stack([np.cos(np.pi * k * np.arange(L) / L) for k in range(3)])
def draw():
    return rate[:, None, None] * (1 + np.arange(L) / L) + rng.normal(size=(K, R, 3)) @ shape
d = {n: draw() for n in ("packed", "limited", "named", "swapped", "eps", "tide", "virtual", "linked")}
d["packed"] = np.round(d["packed"] / 0.01) * 0.01 + 1000
d["tide"] = 1.7e9 + 0.3 * d["tide"]
with h5py.File(work + "/behind.h5", "w") as f:
    f["v"] = d["virtual"]
    f["l"] = d["linked"][:, :, None, :]                   # an extent of 1
with h5py.File(work + "/all.h5", "w") as f:
    f.create_dataset("packed", data=np.round((d["packed"] - 1000) / 0.01).astype(">i2"))
    f["packed"].attrs.update(scale_factor=0.01, add_offset=1000.0, units="mol m-3")
    f["packed"].attrs["_FillValue"] = np.array(-32768, ">i2")
    f["packed"].attrs["missing_value"] = np.array([-32767], ">i2")
    f["packed"][0, 5, 3], f["packed"][0, 6, 4] = -32768, -32767   # no values: their rows are lost
    raw = np.round(20 * (d["limited"] + 4)).clip(1, 254)    # unsigned bytes in a signed type, as netCDF-3 had them
    f["limited"] = raw.astype("u1").view("i1")
    f["limited"].attrs.update(_Unsigned="true", scale_factor=np.float32(0.5), valid_max=np.uint8(254))
    f["limited"][0, 7, 0] = -1                                 # 255: beyond the largest
    d["limited"] = 0.5 * raw
    name = 'named, "c" [mol.m-3]'
    f[name] = (d["named"] - 3) / 2
    names = {"swapped": ("cell", "draw", "run"), name: ("run", "draw", "cell")}
    f["cell"], f["draw"], f["run"] = x * 1e6, np.arange(R), np.arange(K)
    f["cell"].attrs["units"] = "um"
    for n in ("cell", "draw", "run"): f[n].make_scale()
    f["swapped"] = d["swapped"].transpose(2, 1, 0)
    for array, axes in names.items():
        for a, n in enumerate(axes): f[array].dims[a].attach_scale(f[n])
    f["eps"], f["tide_sd"] = d["eps"], d["tide"]
    layout = h5py.VirtualLayout((K, R, L), "f8")
    layout[:] = h5py.VirtualSource("behind.h5", "v", (K, R, L))
    f.create_virtual_dataset("virtual", layout)
    f["linked"] = h5py.ExternalLink("behind.h5", "/l")
    f["rate"], f["table"] = rate[:, None], np.stack([rate, T], 1)
np.savez(work + "/all.npz", x=x, rate=rate, T=T, **d)

# Equal extents: cells, realisations and conditions are 10 each.
e = rng.normal(size=(10, 10, 10))                     # (condition, realisation, x)
with h5py.File(work + "/equal.h5", "w") as f:
    f["c"], f["x"], f["rate"] = e.transpose(2, 1, 0), x, np.arange(10.0)
    f["phi"] = e.transpose(1, 0, 2) + 7
    f["table"] = np.arange(100.0).reshape(10, 10)
np.save(work + "/equal.npy", e)

# Conditions that were computed in two ways, in double and in single precision; one that spans decades, whose values are not close.
with h5py.File(work + "/round.h5", "w") as f:
    a = np.tile([0.1 * 3, 0.3, 0.1 * 7, 0.7], 6)
    f["c"], f["x"], f["a"] = rng.normal(size=(24, L)), x, a
    f["b"] = np.tile(np.float32([0.1, np.nextafter(np.float32(0.1), np.float32(1))]), 12)
    f["decades"] = np.tile([1e-14, 1e-14, 1e3, 1e3], 6)
with h5py.File(work + "/bad.h5", "w") as f:
    f["nan"], f["x"], f["rate"] = np.full((24, L), np.nan), x, np.repeat([1.0, 2.0], 12)
    f["fine"], f["alone"] = rng.normal(size=(24, L)), np.arange(24.0)
    f.create_dataset("lzf", data=np.zeros((24, L)), compression="lzf", chunks=(8, L))
    layout = h5py.VirtualLayout((24, L), "f8")
    layout[:] = h5py.VirtualSource("missing.h5", "v", (24, L))
    f.create_virtual_dataset("lost", layout)
    f.create_dataset("hollow", shape=(24, L), dtype="f8", chunks=(8, L), fillvalue=3.0)
    f["plane"] = np.zeros((24, L, L))
    f["cube"] = np.zeros((L, L, L))
    f["zero"] = np.zeros((24, L))
    f["zero"].attrs["scale_factor"] = 0.0
PY

cat >"$work/all.yaml" <<DECK
run: {dir: $work/all, seed: 3}
import:
  file: $work/all.h5
  fields:
    named: {path: '/named, "c" [mol.m-3]', scale: 2, offset: 3, units: mol m^-3}
    packed: /packed
    limited: {path: /limited, units: "1"}
    swapped: /swapped
    eps: /eps
    tide_sd: {path: /tide_sd, order: [run, draw, x]}
    virtual: /virtual
    linked: /linked
  conditions:
    rate: {path: /rate, range: [0.25, 4], logarithmic: true, units: s^-1}
    T: {path: /table, channel: 1}
    soc: 0.5
  x: /cell
train: {steps: 20, batch: 64, micro_batches: 4, width: 32, depth: 1, embed: 16, modes: 8, all_modes: 30}
sample: {count: 400, steps: 4}
DECK
run() { # RANKS COMMAND ...
  scoria "$1" "${@:2}" >"$work/out" 2>&1 || { fail "$*"; cat "$work/out" >&2; }
}
told() { grep -q -- "$1" "$work/out" || { fail "not told: $1"; cat "$work/out" >&2; }; }
run 2 import "$work/all.yaml"
told 'packed: attributes of the file applied: scale_factor 0.01, add_offset 1000, _FillValue -32768, missing_value -32767$'
told 'limited: attributes of the file applied: _Unsigned, scale_factor 0.5, valid to 254$'
told 'packed: in mol m-3, by the file'
told 'x: from um to m, by the file'
told 'tide_sd: values up to 1.7e+09 differ by .* and single precision rounds them by 1e+02: fields are stored in double precision'
told 'all.h5, .* bytes, CRC32C .*, which refers to 1, .* bytes, CRC32C'
told '12 conditions x 8 rows of 10 cells; 3 marked as failed: 3 not finite'
run 2 train "$work/all.yaml"
run 2 sample "$work/all.yaml" -sample_at rate=1,T=300
expect 3 'T: found 20 .*the model was trained on' 1 uq "$work/all.yaml" -uq_T 20 # in no unit: the electrode's T has others, and bounds
expect 3 'uq: probes: found "named:5e-5", allowed 0.0001 to 0.0002 m' 1 uq "$work/all.yaml" -uq_probes named:5e-5 # the data begin at 1e-4
"$PYTHON" - "$work" <<'PY' || fail "values of a user's file"
import sys, h5py, numpy as np
work = sys.argv[1]
want, f = np.load(work + "/all.npz"), h5py.File(work + "/all/dataset.h5")
names = ["named", "packed", "limited", "swapped", "eps", "tide_sd", "virtual", "linked"]
assert f.attrs["fields"].decode().split() == names and f.attrs["latent"] == b""
lost = np.flatnonzero(f["status/done"][:] == 2)
assert list(lost) == [5, 6, 7] and all(np.isnan(f["fields/packed"][lost]).all(1))
good = np.setdiff1d(np.arange(96), lost)
for n in names:
    v = want["tide" if n == "tide_sd" else n].reshape(96, 10)
    assert f["fields/" + n].dtype == "f8"
    np.testing.assert_allclose(f["fields/" + n][good], v[good], rtol=1e-14, atol=1e-14, err_msg=n)  # a few roundings of a double
np.testing.assert_allclose(f["x"][:], want["x"], rtol=1e-14)
c = f["conditions"]
assert np.array_equal(c["rate"][:], np.repeat(want["rate"], 8)) and np.array_equal(c["T"][:], np.repeat(want["T"], 8))
assert np.all(c["soc"][:] == 0.5) and c["rate"].attrs["lo"] == 0.25 and c["rate"].attrs["log"] == 1 and c["rate"].attrs["units"] == b"s^-1"
assert f["fields/packed"].attrs["units"] == b"mol m-3" and f["fields/named"].attrs["units"] == b"mol m^-3"
# What is called eps or _sd is learned like any other, and an offset does not drown its spread.
s = h5py.File(work + "/all/samples.h5")
assert s.attrs["fields"].decode().split() == names
for n, factor in (("eps", 1), ("tide_sd", 0.3)):
    v = s["fields/" + n][:]
    spread = want["tide" if n == "tide_sd" else n].std(axis=1, ddof=1).mean()  # about sqrt(1 + 2 cos^2) factor
    assert v.dtype == "f8" and 0.75 < v.std(axis=0).mean() / spread < 1.25, (n, v.std(axis=0), spread)  # 8 rows a condition, 20 steps
PY

# Equal extents: refused, or in the order that the deck gives.
cat >"$work/equal.yaml" <<DECK
run: {dir: $work/equal}
ensemble: {float64: true}
import: {file: $work/equal.h5, fields: [c=/c], conditions: [rate=/rate], x: /x}
DECK
expect 3 'c: array /c has the shape (10, 10, 10): more than one axis may be that of the cells; .* order: \[x, realisation, condition\]' \
  1 import "$work/equal.yaml"
expect 3 'rate: .* more than one axis may be that of the rows that it is given for; .* order: \[condition\]' 1 import "$work/equal.yaml" \
  -import_order x,realisation,condition
expect 3 'phi: its axes of rows are not those of c\|phi: array /phi has the shape .* more than one axis' 1 import "$work/equal.yaml" \
  -import_fields '{c: {path: /c, order: [x, realisation, condition]}, phi: /phi}'
expect 3 'c: array /c has the shape (10, 10, 10), expected the axes \[x,row\] of its order' 1 import "$work/equal.yaml" -import_order x,row
expect 3 'more than one axis may be that of the rows' 1 import "$work/equal.yaml" -import_order x,realisation,condition \
  -import_conditions '{rate: {path: /table, channel: 1}}'
run 1 import "$work/equal.yaml" \
  -import_fields '{c: {path: /c, order: [x, realisation, condition]}, phi: {path: /phi, order: [realisation, condition, x]}}' \
  -import_conditions '{rate: {path: /rate, order: [condition]}, t: {path: /table, order: [condition, channel], channel: 4}}'
"$PYTHON" - "$work" <<'PY' || fail "arrays with equal extents"
import sys, h5py, numpy as np
e, f = np.load(sys.argv[1] + "/equal.npy"), h5py.File(sys.argv[1] + "/equal/dataset.h5")
assert np.array_equal(f["fields/c"][:], e.reshape(100, 10)) and np.array_equal(f["fields/phi"][:], e.reshape(100, 10) + 7)
assert np.array_equal(f["conditions/rate"][:], np.repeat(np.arange(10.0), 10))
assert np.array_equal(f["conditions/t"][:], np.repeat(np.arange(10) * 10.0 + 4, 10))
PY

# Values of a condition that differ by round-off alone are one value; what lies decades apart is not.
cat >"$work/round.yaml" <<DECK
run: {dir: $work/round}
import: {file: $work/round.h5, fields: [c=/c], conditions: [a=/a, b=/b, decades=/decades], x: /x, logarithmic: [decades]}
DECK
run 2 import "$work/round.yaml"
told 'a: 4 values, of which some differ by round-off alone, are taken as 2$'
told 'b: 2 values, .* are taken as 1$'
told '2 conditions x 12 rows'

# Another value in a file that only a virtual dataset refers to: as much of a change as one in the file itself.
run 1 import "$work/all.yaml"
"$PYTHON" -c 'import sys, h5py; h5py.File(sys.argv[1], "r+")["v"][0, 0, 0] += 1' "$work/behind.h5"
expect 3 'dataset.h5: imported from all.h5, .* the file is all.h5, .*which refers to 1, .*; nothing is overwritten' 1 import "$work/all.yaml"

# Refused in one line, and nothing is left behind.
cat >"$work/bad.yaml" <<DECK
run: {dir: $work/bad}
import: {file: $work/bad.h5, fields: [c=/fine], conditions: [rate=/rate], x: /x}
DECK
bad() { # PATTERN ARGUMENTS...
  expect 3 "$1" 1 import "$work/bad.yaml" "${@:2}"
  if [ -e "$work/bad/dataset.h5" ] || [ -e "$work/bad/dataset.h5.part" ]; then fail "a refused import leaves a dataset"; fi
}
bad 'bad.h5: no usable row: each of its 24 rows holds a value that is not finite (rows by field: 0 in c, 24 in n)' -import_fields c=/fine,n=/nan
bad 'array /lzf is packed by the filter lzf (32000), .*h5repack' -import_fields c=/lzf
bad 'array /lost is virtual, and its source missing.h5 is missing' -import_fields c=/lost
bad 'array /plane has the shape (24, 10, 10): more than one axis' -import_fields c=/plane
bad 'array /fine has the shape (24, 10), expected (rows, 10, 10)' -import_y /x -import_fields c=/fine
bad 'import_y is not set, expected the path of the cell centres, as import_z is' -import_z /x
bad 'more than one axis may be that of the cells' -import_y /x -import_fields c=/cube
bad 'array /zero: found scale_factor 0' -import_fields c=/zero
bad 'import_fields: c: found "paths", expected one of: path, order' -import_fields '{c: {paths: /fine}}'
bad 'import_fields: c: channel: found "1.5"' -import_fields '{c: {path: /fine, channel: 1.5}}'
bad 'import_x: units: found "s", expected a length' -import_x '{path: /x, units: s}'
bad 'import_fields: found "b", expected name=value (in a mapping' -import_fields 'c=/a b'
run 1 import "$work/bad.yaml" -run_dir "$work/hollow" -import_fields c=/hollow # nothing but its fill value
"$PYTHON" - "$work" <<'PY' || fail "an array of fill values"
import sys, h5py, numpy as np
assert np.all(h5py.File(sys.argv[1] + "/hollow/dataset.h5")["fields/c"][:] == 3)
PY

# One row a condition, a Latin hypercube: learned from end to end.  The law is known; 475 rows leave .1 SD of error in a mean of six terms,
# and half as much again where the spread is small, 10 % in an SD, and the 4,000 samples .02: three times that is the limit.
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng, n, L = np.random.default_rng(4), 500, 32
x = (np.arange(L) + 0.5) / L * 1e-4
theta = np.stack([(rng.permutation(n) + rng.uniform(size=n)) / n for _ in range(2)], 1)
u = np.sin(3 * theta[:, :1]) + x / 1e-4 * theta[:, 1:] + (0.05 + 0.1 * theta[:, :1]) * (
    rng.normal(size=(n, 1)) * np.cos(np.pi * x / 1e-4) + 0.5 * rng.normal(size=(n, 1)) * np.cos(2 * np.pi * x / 1e-4))
with h5py.File(sys.argv[1] + "/single.h5", "w") as f:
    f["c"], f["x"], f["a"], f["b"] = u, x, theta[:, 0], theta[:, 1]
PY
cat >"$work/single.yaml" <<DECK
run: {dir: $work/single}
import: {file: $work/single.h5, fields: [c=/c], conditions: [a=/a, b=/b], x: /x}
train: {steps: 100, batch: 128, modes: 2, width: 32}
sample: {count: 4000}
DECK
run 2 run "$work/single.yaml" -sample_at a=0.5,b=0.5
told '500 conditions x 1 row of 32 cells'
told 'held back for compare: the 1 row of each of .* of 500 conditions'
run 1 sample "$work/single.yaml" -sample_file edge.h5 -sample_at a=0.1,b=0.8
"$PYTHON" - "$work/single" <<'PY' || fail "the law of data with one row a condition"
import os, sys, h5py, numpy as np
for name, a, b in (("samples", 0.5, 0.5), ("edge", 0.1, 0.8)):
    c, x = h5py.File(f"{sys.argv[1]}/{name}.h5")["fields/c"][:], (np.arange(32) + 0.5) / 32
    sd = (0.05 + 0.1 * a) * np.hypot(np.cos(np.pi * x), 0.5 * np.cos(2 * np.pi * x))
    mean = np.sqrt(np.mean(((c.mean(0) - np.sin(3 * a) - x * b) / sd) ** 2))
    spread = np.sqrt(np.mean((c.std(0) / sd - 1) ** 2))
    print(f"# a = {a}, b = {b}: mean {mean:.3f} SD, SD {100 * spread:.1f} %")
    assert mean < 0.45 and spread < 0.3
assert os.path.getsize(sys.argv[1] + "/report.html") > 10000
PY

# Its conditions by their names; any mixture of repeated and unrepeated ones.
run 1 sample "$work/single.yaml" -sample_file named.h5 -sample_count 10 -sample_a 0.1 -sample_b 0.8
run 2 uq "$work/single.yaml" -uq_count 200 -uq_a 0.2,0.4 -uq_map b -uq_map_points 3
expect 3 'unknown key "-sample_c".*; the conditions of the import are a, b$' 1 sample "$work/single.yaml" -sample_c 1
expect 3 'unknown key "-uq_speed".*; the conditions of the import are a, b$' 1 uq "$work/single.yaml" -uq_speed 1
expect 3 'sample_at: found "c", which is no condition of the model: expected one of a, b$' 1 sample "$work/single.yaml" -sample_file x.h5 -sample_at c=1
expect 3 'sample_at: found "a" beside sample_a; give one of them' 1 sample "$work/single.yaml" -sample_file x.h5 -sample_at a=1 -sample_a 1
"$PYTHON" - "$work" <<'PY' || fail "conditions by their names"
import sys, h5py, numpy as np
named, at = (h5py.File(f"{sys.argv[1]}/single/{n}.h5") for n in ("named", "edge"))
assert np.array_equal(named["fields/c"][:], at["fields/c"][:10])
uq = h5py.File(sys.argv[1] + "/single/uq.h5")
assert sorted(set(uq["conditions/a"][:])) == [0.2, 0.4] and uq["conditions/b"].shape == (6,)
rng = np.random.default_rng(1)
f = h5py.File(sys.argv[1] + "/single.h5")
a = np.r_[f["a"][:200], np.full(150, 0.5)]
x, b = f["x"][:], np.r_[f["b"][:200], np.full(150, 0.5)]
with h5py.File(sys.argv[1] + "/mixed.h5", "w") as g:
    g["c"] = np.r_[f["c"][:200], np.sin(1.5) + x / 2e-4 + 0.1 * rng.normal(size=(150, 1)) * np.cos(np.pi * x / 1e-4)]
    g["x"], g["steps"], g["b"] = x, a, b
PY
mixed=(-import_file "$work/mixed.h5" -run_dir "$work/mixed" -import_conditions "steps=/steps,b=/b")
run 2 run "$work/single.yaml" "${mixed[@]}" -sample_at steps=0.5 -sample_b 0.5 # steps: a key of the section has that name
told '201 conditions x 150 rows of 32 cells; 29800 marked as failed: 0 not finite, 29800 not in the file'
told 'held back for compare: all .* rows of each of 50 of 201 conditions'

# Whole fields: axes in any order, by their extents, by the deck, and of equal extents in the order of the file.
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng = np.random.default_rng(2)
with h5py.File(sys.argv[1] + "/planes.h5", "w") as f:
    v = rng.normal(size=(12, 3, 4, 5))   # rows, z, y, x
    s = rng.normal(size=(12, 4, 4))
    f["v"], f["w"], f["s"] = v.transpose(2, 0, 3, 1), v[:, 1], s
    f["k"], f["x"], f["y"], f["z"] = np.repeat(np.arange(6.0), 2), np.arange(5.0), np.arange(4.0), np.arange(3.0)
    f["e"] = np.arange(4.0) + 0.5
PY
planes() { # DIR KEYS...
  printf 'run: {dir: %s}\nimport: {file: %s, conditions: [k=/k]}\n' "$work/planes_$1" "$work/planes.h5" >"$work/planes.yaml"
  run 2 import "$work/planes.yaml" "${@:2}"
}
planes volume -import_fields '{v: {path: /v, order: [y, row, x, z]}}' -import_x /x -import_y /y -import_z '{path: /z, units: mm}'
planes plane -import_fields w=/w -import_x /x -import_y /y
planes equal -import_fields s=/s -import_x /y -import_y /e
told 's: its axes of equal extents are taken for y, x in the order of the file'
planes turned -import_fields '{s: {path: /s, order: [row, x, y]}}' -import_x /y -import_y /e
"$PYTHON" - "$work" <<'PY' || fail "whole fields"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1] + "/planes.h5")
d = {n: h5py.File(f"{sys.argv[1]}/planes_{n}/dataset.h5") for n in ("volume", "plane", "equal", "turned")}
same = lambda a, b: np.testing.assert_array_equal(a[:], np.float32(b))
same(d["volume"]["fields/v"], f["v"][:].transpose(1, 3, 0, 2))
same(d["plane"]["fields/w"], f["w"][:][:, None])
same(d["equal"]["fields/s"], f["s"][:][:, None])
same(d["turned"]["fields/s"], f["s"][:].transpose(0, 2, 1)[:, None])
np.testing.assert_allclose(d["volume"]["z"][:], np.arange(3) * 1e-3)
assert d["plane"]["x"].shape == (5,) and d["plane"]["y"].shape == (4,)
PY

# Without a mapping: y is an axis of the planes and no condition, and the deck that is proposed can be used as it is; also of a volume with
# equal extents, whose scales say which axis is which; a name y alone makes no axis.
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng = np.random.default_rng(4)
with h5py.File(sys.argv[1] + "/list2.h5", "w") as f:
    f["w"], f["k"], f["x"], f["y"] = rng.normal(size=(12, 4, 5)), np.arange(12) // 2 / 5, np.arange(5.0), np.arange(4.0)
with h5py.File(sys.argv[1] + "/list3.h5", "w") as f:
    f["v"], f["k"] = rng.normal(size=(6, 6, 6, 6)), np.linspace(0, 1, 6)
    for i, n in enumerate("zkyx"):
        if n != "k":
            f[n] = np.arange(6.0)
        f[n].make_scale(n)
        f["v"].dims[i].attach_scale(f[n])
with h5py.File(sys.argv[1] + "/list1.h5", "w") as f:
    f["c"], f["y"], f["x"] = rng.normal(size=(12, 5)), np.arange(12.0), np.arange(5.0)
PY
for n in 1 2 3; do
  run 2 import -import_file "$work/list$n.h5" -run_dir "$work/list$n"
  told 'which can be used as it is'
  run 1 import "$work/list$n/import.yaml" -run_dir "$work/list$n"
done
"$PYTHON" - "$work" <<'PY' || fail "planes and volumes without a mapping"
import sys, h5py, numpy as np
f = [h5py.File(f"{sys.argv[1]}/list{n}.h5") for n in (1, 2, 3)]
d = [h5py.File(f"{sys.argv[1]}/list{n}/dataset.h5") for n in (1, 2, 3)]
assert [sorted(x["conditions"]) for x in d] == [["y_2"], ["k"], ["k"]], [list(x["conditions"]) for x in d]
np.testing.assert_array_equal(d[1]["fields/w"][:, 0], np.float32(f[1]["w"][:]))
np.testing.assert_array_equal(d[2]["fields/v"][:], np.float32(f[2]["v"][:].transpose(1, 0, 2, 3)))
PY

# Learned as whole fields that are neither periodic nor homogeneous (POD): two modes of a known law, the same bits on any number of ranks.
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng, n, m = np.random.default_rng(3), 320, 12
x, k = (np.arange(m) + 0.5) / m, np.repeat(np.linspace(0, 1, 40), 8)
e = rng.normal(size=(2, n, 1, 1))
y, x2 = np.meshgrid(x, x, indexing="ij")
u = 5 + k[:, None, None] * y + 0.3 * e[0] * np.sin(2 * x2 + y) + 0.1 * e[1] * y * y
with h5py.File(sys.argv[1] + "/pod.h5", "w") as f:
    f["u"], f["k"], f["x"], f["y"] = u, k, x, x
PY
printf 'run: {dir: %s}\nimport: {file: %s, fields: [u=/u], conditions: [k=/k], x: /x, y: /y}\ntrain: {steps: 20, batch: 64, width: 16, modes: 2, energy: 0.999999}\nsample: {count: 4000, k: 0.5, source: gaussian}\n' \
  "$work/pod" "$work/pod.h5" >"$work/pod.yaml"
run 1 import "$work/pod.yaml"
cp -r "$work/pod" "$work/pod3"
cp -r "$work/pod" "$work/podless"
run 1 train "$work/pod.yaml"
told '3 modes (POD) carry '
run 1 sample "$work/pod.yaml"
run 3 train "$work/pod.yaml" -run_dir "$work/pod3"
run 2 sample "$work/pod.yaml" -run_dir "$work/pod3"
run 2 compare "$work/pod.yaml" -run_dir "$work/pod3"
"$PYTHON" - "$work" <<'PY' || fail "the law of whole fields"
import sys, h5py, numpy as np
one, three = (h5py.File(f"{sys.argv[1]}/{n}/samples.h5")["fields/u"][:] for n in ("pod", "pod3"))
assert np.array_equal(one, three) and one.shape == (4000, 1, 12, 12)
x = (np.arange(12) + 0.5) / 12
y, x = np.meshgrid(x, x, indexing="ij")
sd = np.hypot(0.3 * np.sin(2 * x + y), 0.1 * y * y)
mean, spread = one[:, 0].mean(0) - 5 - 0.5 * y, one[:, 0].std(0) / sd - 1
print("# mean %.3f SD, SD %.1f %%" % (np.sqrt(np.mean((mean / sd) ** 2)), 100 * np.sqrt(np.mean(spread**2))))
# some 270 rows: a mean of a few terms errs by .1 SD, an SD by 4 to 8 %; three times that
assert np.sqrt(np.mean((mean / sd) ** 2)) < 0.3 and np.sqrt(np.mean(spread**2)) < 0.25
PY
# Maps of the rows that were held back, as they are in the dataset, each beside a draw of the model.
run 2 report "$work/pod.yaml" -run_dir "$work/pod3"
"$PYTHON" - "$work/pod3" <<'PY' || fail "maps of whole fields"
import sys, h5py, numpy as np
model, data, maps = (h5py.File(f"{sys.argv[1]}/{n}.h5") for n in ("model", "dataset", "compare"))
each = int(data.attrs["realisations"])
rows = data["fields/u"][:, 0].reshape(-1, each, 12, 12)[model["holdout"][:].astype(int)].reshape(-1, 12, 12).astype(float)
maps, got = maps["maps"], maps["maps/pde/u"]
assert sorted(maps["rows"][:]) == [0] + 3 * [len(rows)], maps["rows"][:]   # no second sample of the data
np.testing.assert_allclose(got["mean"][:], rows.mean(0), rtol=1e-12)
np.testing.assert_allclose(got["sd"][:], rows.std(0, ddof=1), rtol=1e-10)
np.testing.assert_allclose(got["exceed"][:], (rows > maps["level"][0]).mean(0), atol=1e-12)
assert abs((rows > maps["level"][0]).mean() - 0.05) < 1e-3
np.testing.assert_array_equal(got["draws"][0], rows[0])
assert np.isclose(np.median(got["max"][:]), np.median(rows.max((1, 2))), rtol=1e-2)
assert abs(np.mean((maps["model/u/mean"][:] - rows.mean(0)) / rows.std(0))) < 0.5   # one law: .14 is expected of 80 rows
page = open(sys.argv[1] + "/report.html", encoding="utf-8").read()
for text in ('id="figure-maps1"', 'id="figure-slices1"', 'id="figure-extremes"', "320 imported rows of whole fields", "u, imported from pod.h5"):
    assert text in page, text
PY
expect 3 '160 modes of 144 values take\|144 modes of 144 values take' 2 train "$work/pod.yaml" -run_dir "$work/podless" -run_memory 1e-6
# Statistics of them, and a study that knows profiles alone.
run 2 uq "$work/pod.yaml" -uq_count 4000 -uq_k 0.5 -uq_quantities "middle = mean(u), uneven = sd(u), all = integral(u)" -uq_exceed "mean(u > 5.4) > 0.2"
"$PYTHON" - "$work/pod" <<'PY' || fail "functions of all cells of an imported plane"
import json, sys, h5py, numpy as np
u = h5py.File(sys.argv[1] + "/samples.h5")["fields/u"][:].reshape(4000, -1).astype(float)  # equal cells, x from 0 to 1
one = json.load(open(sys.argv[1] + "/uq.json"))["conditions"][0]
want = {"middle": u.mean(1), "uneven": u.std(1), "all": u.mean(1)}
for name, v in want.items():
    q = one["quantities"][name]
    # other draws of one law: five standard errors of a difference
    assert abs(q["mean"] - v.mean()) < 7 * q["mean_se"] and abs(q["sd"] - v.std(ddof=1)) < 7 * q["sd_se"] and q["sd"] > 0, (name, q, v.mean(), v.std())
share = ((u > 5.4).mean(1) > 0.2).mean()
assert 0.05 < share < 0.95 and abs(one["exceed"][0]["probability"] - share) < 7 * (share * (1 - share) / 4000) ** 0.5, (one["exceed"], share)
PY
expect 3 'sensors: reading 1: found 1 place, expected x and y of u' 2 infer "$work/pod.yaml" -sensors_at u:0 -sensors_value 5 -sensors_sd 0.1

# Planes of 60 x 50 cells, which as rows of 3,000 values would take two covariances of 72 MB and all residuals whole: the verdict is of the
# residuals of features, the same on any number of ranks, in .2 GB of a rank, and one line refuses less before anything is drawn.
"$PYTHON" - "$work" <<'PY'
import sys, h5py, numpy as np
rng, n, nx, ny = np.random.default_rng(3), 320, 60, 50
x, y, k = (np.arange(nx) + 0.5) / nx, (np.arange(ny) + 0.5) / ny, np.repeat(np.linspace(0, 1, 40), 8)
e = rng.normal(size=(2, n, 1, 1))
yy, xx = np.meshgrid(y, x, indexing="ij")
with h5py.File(sys.argv[1] + "/large.h5", "w") as f:
    f["u"] = 5 + k[:, None, None] * yy + 0.3 * e[0] * np.sin(2 * xx + yy) + 0.1 * e[1] * yy * yy
    f["k"], f["x"], f["y"] = k, x, y
PY
large=("$work/pod.yaml" -import_file "$work/large.h5" -run_dir "$work/large" -compare_directions 32)
run 1 import "${large[@]}"
run 2 train "${large[@]}"
expect 3 'run_memory: found 0.01 GB, but 80 rows at 10 conditions, of 1 x 3000 cells (.*) take [0-9.e-]* GB of a rank; give that much' 1 compare "${large[@]}" -run_memory 0.01
expect 3 'run_memory: found 0.0001 GB, but 32 directions of whole fields of 3000 values take 0.000384 GB of a rank' 2 compare "${large[@]}" -run_memory 1e-4
run 1 compare "${large[@]}" -run_memory 0.2
mv "$work/large/compare.json" "$work/large/one.json"
rm "$work/large/compare.h5"
run 3 compare "${large[@]}" -run_memory 0.2
told '^  sliced W: of whole fields'
cmp -s "$work/large/one.json" "$work/large/compare.json" || fail "the verdict of whole fields depends on the ranks"
"$PYTHON" - "$work/large" <<'PY' || fail "the verdict of whole fields"
import json, sys
c = json.load(open(sys.argv[1] + "/compare.json"))
print("# sliced W of the model %.3f, floor %.3f" % (c["sliced_w"], c["sliced_w_floor"]))
assert c["held_out"]["rows"] == 80 and c["held_out"]["method"] == "residuals"
assert c["sliced_w"] < 3 * c["sliced_w_floor"] and c["energy_p"] > 0.01  # the law is Gaussian, as the model's base is
PY
finish
