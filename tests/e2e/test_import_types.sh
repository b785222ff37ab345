#!/usr/bin/env bash
# import: the same numbers in whatever type, order of axes and layout a file has them give the same bits, and those are NumPy's, on 1 and 3
# ranks: what is read straight into the dataset's rows as well as what is sorted into them or converted on the way.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || { fail "the inputs"; finish; }
import sys, h5py, numpy as np
rng = np.random.default_rng(5)
K, R, L = 9, 7, 21                                     # conditions, rows of each, cells
v = (rng.normal(size=(K, R, L)) + np.arange(K)[:, None, None]).astype("f4")
v[0, 0, 0], v[1, 0, 1], v[2, 3, 4] = -0.0, 1e-42, 3.4e38  # no sign is kept; a small number, and a large one
rows = v.reshape(K * R, L)
by_draw = v.transpose(1, 0, 2)
lost = rows.copy()
lost[5, 2], lost[6, 20], lost[40, 0] = np.nan, np.inf, -np.inf
large = rows.astype("f8")
large[7, 3] = 1e39                                     # no number of single precision
with h5py.File(sys.argv[1] + "/types.h5", "w") as f:
    f["x"] = (np.arange(L) + 0.5) * 1e-6
    f["x"].attrs["units"] = "m"
    f["a"] = np.repeat(np.arange(K) + 1.0, R)
    f["mixed"] = np.tile(np.arange(K) + 1.0, R)        # draws outside
    for name, type in {"little": "<f4", "big": ">f4", "double": "<f8", "big_double": ">f8"}.items():
        f[name] = rows.astype(type)
        f[name + "_across"] = rows.T.astype(type)
        f[name + "_mixed"] = by_draw.reshape(K * R, L).astype(type)
    f.create_dataset("packed", data=rows, chunks=(4, 8), compression="gzip", shuffle=True)
    f["channels"] = np.stack([rows + 1, rows], 1)
    f["halved"] = rows / 2
    f["shifted"] = rows.astype("f8") - 3
    f["lost"], f["large"] = lost, large
np.save(sys.argv[1] + "/rows.npy", rows)
PY
import() { # RANKS DIR FIELDS CONDITION
  printf 'import: {file: %s/types.h5, fields: %s, conditions: [a=/%s], x: /x}\n' "$work" "$3" "$4" >"$work/$2.yaml"
  scoria "$1" import "$work/$2.yaml" -run_dir "$work/$2-$1" >"$work/out" 2>&1 || { fail "import $2 on $1"; cat "$work/out" >&2; }
}
for ranks in 1 3; do
  import $ranks straight '{little: /little, big: /big, double: /double, big_double: /big_double, packed: /packed,
    across: /little_across, big_across: /big_across, double_across: /double_across, channels: {path: /channels, channel: 1, order: [row, channel, x]},
    halved: {path: /halved, scale: 2}, shifted: {path: /shifted, offset: 3}}' a
  import $ranks mixed '{little: /little_mixed, big: /big_mixed, double: /double_mixed, big_double: /big_double_mixed}' mixed
  import $ranks lost '{lost: /lost, large: /large}' a
done
"$PYTHON" - "$work" <<'PY' || fail "values"
import sys, h5py, numpy as np
work, bits = sys.argv[1], lambda v: v.view("u4")
rows = np.load(work + "/rows.npy")
want = rows + np.float32(0)                            # -0.0 becomes 0.0
for ranks in (1, 3):
    for name, number in {"straight": 11, "mixed": 4}.items():
        f = h5py.File(f"{work}/{name}-{ranks}/dataset.h5")
        assert len(f["fields"]) == number and np.all(f["status/done"][:] == 1)
        for field in f["fields"]:
            got = f["fields/" + field][:]
            assert got.dtype == "f4"
            if field == "shifted":                     # the double that the file holds, moved and rounded once
                exact = ((rows.astype("f8") - 3) + 3).astype("f4")
                assert np.array_equal(bits(got), bits(exact)), (name, field)
            else:
                assert np.array_equal(bits(got), bits(want)), (name, field)
    f = h5py.File(f"{work}/lost-{ranks}/dataset.h5")
    assert list(np.flatnonzero(f["status/done"][:] == 2)) == [5, 6, 7, 40]
    good = f["status/done"][:] == 1
    for field in ("lost", "large"):
        got = f["fields/" + field][:]
        assert np.isnan(got[~good]).all() and np.array_equal(bits(got[good]), bits(want[good])), field
PY
identity() { "$SCORIA" info "$work/$1/dataset.h5" | grep '^identity.*CRC32C'; }
for name in straight mixed lost; do
  if ! cmp <(identity "$name-1") <(identity "$name-3") || [ -z "$(identity "$name-1")" ]; then fail "$name: other rows on 3 ranks"; fi
done
finish
