#!/usr/bin/env bash
# import: files that hold what no array of numbers is, links that lead nowhere, attributes that are no numbers, conditions that are missing, values
# beyond single precision.  Each is read with the right values, or refused in one line that says what it is.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || { fail "the inputs"; finish; }
import os, sys, h5py, numpy as np
os.chdir(sys.argv[1])
rng = np.random.default_rng(3)
C, R, n = 20, 5, 12
N = C * R
u = (np.arange(n) + 0.5) / n
rate = np.repeat(np.linspace(0.5, 2, C), R)
c = np.round(1000 + 50 * rate[:, None] * u + 20 * rng.normal(size=(N, 1)) * np.cos(np.pi * u), 2)
with h5py.File("odd.h5", "w") as f:
    def put(name, data, **attributes):
        f[name] = data
        f[name].attrs.update(attributes)
    put("x", 1e-4 * u, units="m")
    put("rate", rate)
    put("c", c)
    put("aged", np.arange(N) // R % 3 == 0)  # truth values, an enumeration of h5py's
    f.create_dataset("mode", data=np.arange(N, dtype="i1") // R % 2, dtype=h5py.enum_dtype({"LOW": 0, "HIGH": 1}, basetype="i1"))
    put("kind", np.array([b"NMC", b"LFP"] * (N // 2)))
    put("complex", c + 1j * c)
    put("table", np.array([(r, i) for i, r in enumerate(rate)], dtype=[("rate", "f8"), ("id", "i4")]))
    lists = f.create_dataset("lists", (N,), dtype=h5py.vlen_dtype("f8"))
    for i in range(N): lists[i] = c[i]
    f.create_dataset("elements", (N,), dtype=np.dtype(("f8", (n,))))[:] = c
    put("nothing", h5py.Empty("f8"))
    f["soft"] = h5py.SoftLink("/gone/c")
    f["beyond"] = h5py.ExternalLink("gone.h5", "/c")
    put("scaled", np.round(c * 10).astype("i4"), scale_factor="0.1")
    put("bad_scale", c, scale_factor="a tenth")
    put("two_scales", c, scale_factor=[0.1, 0.2])
    put("gaps", np.where(np.arange(N)[:, None] == 7, -1, c), missing_value=np.arange(-1.0, -9.0, -1.0))
    put("many_gaps", c, missing_value=np.arange(-1.0, -10.0, -1.0))
    put("none_valid", c, valid_range=[2000.0, 0.0])
    put("one_valid", c, valid_range=[0.0])
    put("huge", c * 1e40)
    put("small", c * 1e-44)
    put("lost", np.where(np.arange(N) % 10 == 3, np.nan, rate))
    put("lost_too", np.where(np.arange(N) == 4, np.inf, 1 + rate))
    put("all_lost", np.full(N, np.nan))
with h5py.File("names.h5", "w") as f:
    f["x"], f["rate"] = 1e-4 * u, rate
    f.create_dataset(b"conc\xe9", data=c)
    f.create_dataset("a\nb", data=c)
    f.create_dataset("µ", data=c)
for name, head in {"gz": b"\x1f\x8b\x08", "npz": b"PK\x03\x04", "npy": b"\x93NUMPY\x01", "parquet": b"PAR1"}.items():
    open(f"packed.{name}", "wb").write(head + bytes(200))
np.savez("expected.npz", c=c, rate=rate)
PY
cat >"$work/deck.yaml" <<DECK
import: {file: $work/odd.h5, x: /x}
train: {steps: 0}
DECK
import() { # RANKS DIR FIELDS CONDITIONS
  scoria "$1" import "$work/deck.yaml" -run_dir "$work/$2-$1" -import_fields "$3" -import_conditions "$4" >"$work/out" 2>&1 ||
    { fail "import $2"; cat "$work/out" >&2; }
}
says() {
  grep -q -- "$1" "$work/out" || { fail "not said: $1"; cat "$work/out" >&2; }
}

for ranks in 1 3; do
  import $ranks enumerated c=/c rate=/rate,aged=/aged,mode=/mode
  says 'aged: attributes of the file applied: enumeration FALSE 0, TRUE 1'
  says 'mode: .*: enumeration HIGH 1, LOW 0'
  import $ranks text '{scaled: /scaled, gaps: /gaps}' rate=/rate
  says 'scaled: .*scale_factor 0.1'
  import $ranks lost c=/c lost=/lost,lost_too=/lost_too
  says 'WARNING: lost: no number in 10 of 100 rows, which are left out'
  says 'WARNING: lost_too: no number in 1 of 100 rows, which are left out'
  import $ranks huge '{huge: /huge, c: /c}' rate=/rate
  says 'huge: values are beyond single precision, 3.4e+38: fields are stored in double'
  import $ranks small '{small: /small, c: /c}' rate=/rate
  says 'small: .*fields are stored in double'
done
"$PYTHON" - "$work" <<'PY' || fail "values"
import sys, h5py, numpy as np
work, e = sys.argv[1], np.load(sys.argv[1] + "/expected.npz")
c, rate = e["c"], e["rate"]
N, R = len(c), 5
for ranks in (1, 3):
    open_ = lambda name: h5py.File(f"{work}/{name}-{ranks}/dataset.h5")
    f = open_("enumerated")
    assert np.array_equal(f["conditions/aged"][:], np.arange(N) // R % 3 == 0) and np.array_equal(f["conditions/mode"][:], np.arange(N) // R % 2)
    f = open_("text")
    good = np.arange(N) != 7
    assert np.array_equal(f["status/done"][:] == 1, good)
    assert np.allclose(f["fields/scaled"][:][good], np.round(c * 10)[good] * 0.1, rtol=1e-7)  # single precision
    assert np.allclose(f["fields/gaps"][:][good], c[good], rtol=1e-7)
    f = open_("lost")  # by condition, in the order of the file; 89 rows of 100
    left = (np.arange(N) % 10 != 3) & (np.arange(N) != 4)
    done = f["status/done"][:] == 1
    assert done.sum() == left.sum() == 89 and np.allclose(f["fields/c"][:][done], c[left], rtol=1e-7)
    assert np.array_equal(f["conditions/lost"][:][done], rate[left]) and np.isfinite(f["conditions/lost"][:]).all()
    f = open_("huge")
    assert f["fields/huge"].dtype == "f8" and np.allclose(f["fields/huge"][:], c * 1e40, rtol=1e-15) and (f["status/done"][:] == 1).all()
    f = open_("small")
    assert f["fields/small"].dtype == "f8" and np.array_equal(f["fields/small"][:], c * 1e-44)
PY

bad() { # PATTERN ARGUMENTS...
  expect 3 "$1" 1 import "$work/deck.yaml" -run_dir "$work/bad" "${@:2}"
}
of=(-import_conditions rate=/rate)
bad 'array /kind is of texts, expected numbers: write a number for each' -import_fields c=/c -import_conditions rate=/rate,kind=/kind
bad 'array /complex is of complex numbers (r, i), expected real ones' -import_fields c=/complex "${of[@]}"
bad 'array /table is a table of the members rate, id, expected numbers' -import_fields c=/c -import_conditions rate=/table
bad '/table is a table of the members rate, id, expected numbers' -import_fields c=/c -import_conditions rate=/table/rate
bad '/rate is an array, and has no deep/er in it' -import_fields c=/c -import_conditions rate=/rate/deep/er
bad 'array /lists is of lists of any length' -import_fields c=/lists "${of[@]}"
bad 'array /elements is of elements that are arrays' -import_fields c=/elements "${of[@]}"
bad 'array /nothing is empty: it has no shape' -import_fields c=/nothing "${of[@]}"
bad '/soft is a link to /gone/c, which is not there' -import_fields c=/soft "${of[@]}"
bad '/beyond is a link to /c of another file, gone.h5, which is missing' -import_fields c=/beyond "${of[@]}"
bad 'array /bad_scale: its attribute scale_factor is the text "a tenth", expected a number' -import_fields c=/bad_scale "${of[@]}"
bad 'array /two_scales: its attribute scale_factor has 2 values, expected 1 number' -import_fields c=/two_scales "${of[@]}"
bad 'array /many_gaps: its attribute missing_value has 9 values, expected 8 numbers at most' -import_fields c=/many_gaps "${of[@]}"
bad 'array /none_valid: valid from 2000 to 0 by its attributes: no value is' -import_fields c=/none_valid "${of[@]}"
bad 'array /one_valid: its attribute valid_range has 1 value, expected 2' -import_fields c=/one_valid "${of[@]}"
bad 'all_lost: found no number in 100 of 100 rows, and none is left' -import_fields c=/c -import_conditions all_lost=/all_lost
bad 'it is packed by gzip, gunzip unpacks it' -import_file "$work/packed.gz" -import_fields c=/c "${of[@]}"
bad 'it is a ZIP archive, as .npz' -import_file "$work/packed.npz" -import_fields c=/c "${of[@]}"
bad "it is NumPy's .npy" -import_file "$work/packed.npy" -import_fields c=/c "${of[@]}"
bad 'it is Parquet' -import_file "$work/packed.parquet" -import_fields c=/c "${of[@]}"

# A set of scalars alone: of the law V = 3.5 + .05 rate + .1 e_1, W = 2 V + e_2, from the file to the report.
"$PYTHON" - "$work" <<'PY' || fail "scalars"
import sys, h5py, numpy as np
rng = np.random.default_rng(8)
rate = np.linspace(0.5, 2, 60)
e = rng.normal(size=(2, 60, 20))
V = 3.5 + 0.05 * rate[:, None] + 0.1 * e[0]
with h5py.File(sys.argv[1] + "/scalars.h5", "w") as f:
    f["V"], f["W"], f["rate"] = V, 2 * V + e[1], rate
PY
cat >"$work/scalars.yaml" <<DECK
run: {dir: $work/scalars}
import: {file: $work/scalars.h5, x: none, fields: {V: {path: /V, units: V}, W: /W}, conditions: {rate: /rate}}
train: {steps: 0}
sample: {count: 4000, rate: 1}
uq: {count: 4000, rate: 1, quantities: ["difference = max(W) - 2 * max(V)"]}
DECK
for command in run uq report; do
  scoria 1 $command "$work/scalars.yaml" >"$work/out" 2>&1 || { fail "scalars: $command"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work/scalars" <<'PY' || fail "the law of scalars"
import json, sys, h5py, numpy as np
with h5py.File(sys.argv[1] + "/samples.h5") as f:
    V, W = f["fields/V"][:], f["fields/W"][:]
    assert V.shape == (4000, 2) and np.array_equal(V[:, 0], V[:, 1]) and f["x"].attrs["units"] == b"unknown"
# 4 standard errors of 1080 rows of training (a mean of 2 terms, an SD) and 4000 of the sample
def near(x, mean, sd):
    assert abs(np.mean(x) - mean) < 4 * sd * np.sqrt(2 / 1080 + 1 / 4000) and abs(np.std(x) / sd - 1) < 4 * np.sqrt(0.5 / 1080 + 0.5 / 4000), (np.mean(x), np.std(x))
near(V[:, 0], 3.55, 0.1)
near(W[:, 0] - 2 * V[:, 0], 0, 1)
q = json.load(open(sys.argv[1] + "/uq.json"))["conditions"][0]["quantities"]
assert abs(q["V"]["mean"] - 3.55) < 0.02 and abs(q["difference"]["sd"] - 1) < 0.1, q
PY
printf 'import: {file: %s/scalars.h5, fields: {V: /V}, conditions: {rate: /rate}}\n' "$work" >"$work/forgot.yaml"
expect 3 'import_x is not set, expected the path of the cell centres, or none where' 1 import "$work/forgot.yaml" -run_dir "$work/bad"

# A listing's deck has the names that a deck can have.
scoria 1 import -import_file "$work/names.h5" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "a listing"; cat "$work/out" >&2; }
says 'left out: 2 arrays with control characters in the name, or not in UTF-8'
scoria 1 import "$work/listed/import.yaml" >"$work/out" 2>&1 || { fail "the deck of the listing"; cat "$work/out" >&2; }
finish
