#!/usr/bin/env bash
# import: a dataset of ours in a foreign layout (other names and units, shuffled rows, compressed chunks, a table of conditions on its
# side) comes back as it was, on any number of ranks; a model of it trains, samples and answers; wrong mappings are told.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/original"
scoria 2 generate "$deck" >"$work/out" 2>&1 || { fail "generate"; cat "$work/out" >&2; }

"$PYTHON" - "$work/original/dataset.h5" "$work" <<'PY'
import h5py, numpy as np, sys
f = h5py.File(sys.argv[1])
work = sys.argv[2]
c, phi = f["fields/c"][:], f["fields/phi"][:]
theta = np.stack([f["conditions/" + n][:] for n in ("U0", "F_right", "ell")])
N, L = c.shape
order = np.random.default_rng(5).permutation(N)
lost = order[7]                                   # a row that holds no number
with h5py.File(work + "/foreign.h5", "w") as g:
    bad = c.astype("f8") / 1000
    bad[lost, 3] = np.nan
    g.create_dataset("sim/conc", data=bad[order], chunks=(20, 5), compression="gzip", shuffle=True)
    g.create_dataset("sim/pot", data=phi[order].T, dtype=">f4")         # cells first, big-endian
    g.create_dataset("par", data=theta[:, order])                       # conditions along the first axis
    g.create_dataset("grid/x_um", data=f["x"][:] * 1e6)
    g["grid/short"] = np.arange(5.0)
    g["grid/falling"] = -np.arange(float(L))
    g["names"] = [b"a", b"b"]
    g.create_dataset("hollow", shape=(1 << 40, L), chunks=(1024, L), dtype="f4")   # says much, holds nothing
np.save(work + "/lost.npy", [lost])
# The same once more by conditions: (conditions, realisations, channels...) and integers; one condition has fewer rows.
with h5py.File(work + "/grouped.h5", "w") as g:
    g["both"] = np.stack([c, phi], axis=1)                              # (rows, channels, cells)
    g["c3"] = c.reshape(48, 6, L)
    g["load"] = theta[1].reshape(48, 6)[:, 0]
    g["whole"] = np.arange(48, dtype="i4")
    g["x"] = f["x"][:]
with h5py.File(work + "/uneven.h5", "w") as g:
    g["c"], g["load"], g["x"] = c[:-4], np.repeat(np.arange(48.0), 6)[:-4], f["x"][:]
with open(work + "/foreign.h5", "rb") as g:
    whole = g.read()
open(work + "/short.h5", "wb").write(whole[: len(whole) // 2])
open(work + "/text.h5", "w").write("x,c\n1,2\n" * 100)
damaged = bytearray(whole)
damaged[2000:4000] = bytes(2000)
open(work + "/damaged.h5", "wb").write(damaged)
PY

cat >"$work/import.yaml" <<DECK
run: {dir: $work/one, seed: 3}
import:
  file: $work/foreign.h5
  fields: [c=/sim/conc, phi=/sim/pot]
  conditions: [U0=/par:0, load=/par:1, ell=/par:2, T=298.15]
  x: /grid/x_um
  scale: [x=1e-6, c=1000]
  units: [c=mol*m^-3, phi=V, U0=V, load=A*m^-2, ell=m, T=K]
  logarithmic: [ell]
  reference: [c=1000]
train: {steps: 30, batch: 64, micro_batches: 4, width: 32, depth: 1, embed: 16, modes: 8, all_modes: 12}
sample: {count: 40, steps: 6}
uq: {count: 60, quantities: ["drop = phi[0] - phi[L]"]}
likelihood: {count: 20, steps: 4}
DECK
scoria 1 import "$work/import.yaml" >"$work/out" 2>&1 || { fail "import on one rank"; cat "$work/out" >&2; }
grep -q '48 conditions x 6 rows of 16 cells; 1 marked as failed: 1 not finite, 0 not in the file' "$work/out" || { fail "what was imported is not told"; cat "$work/out" >&2; }
scoria 3 import "$work/import.yaml" -run_dir "$work/three" >"$work/out" 2>&1 || { fail "import on three ranks"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "imported rows"
import h5py, numpy as np, sys, zlib
work = sys.argv[1]
old, new, three = (h5py.File(f"{work}/{d}/dataset.h5") for d in ("original", "one", "three"))
names = []
new.visit(lambda n: names.append(n))
for n in names:
    if isinstance(new[n], h5py.Dataset):
        assert np.array_equal(new[n][:], three[n][:], equal_nan=n.startswith("fields")), n
lost = int(np.load(work + "/lost.npy")[0])
assert int(new.attrs["realisations"]) == 6
assert new["fields/c"].attrs["units"] == b"mol m^-3" and new["conditions/load"].attrs["units"] == b"A m^-2"
assert new["conditions/ell"].attrs["log"] == 1 and new["conditions/ell"].attrs["lo"] == old["conditions/ell"][:].min()
assert b"foreign.h5, " in new.attrs["source"] and b"CRC32C" in new.attrs["source"]
np.testing.assert_allclose(new["x"][:], old["x"][:], rtol=1e-14)
assert np.all(new["conditions/T"][:] == 298.15)
theta = lambda f, load: np.stack([f["conditions/U0"][:], f["conditions/" + load][:], f["conditions/ell"][:]], 1)
there, here = theta(old, "F_right"), theta(new, "load")
assert np.array_equal(here.reshape(48, 6, 3), np.repeat(here[::6], 6, 0).reshape(48, 6, 3)) and len(np.unique(here[::6], axis=0)) == 48
# every row by its conditions and phi, which is stored as it was (single precision)
key = lambda t, phi: {(tuple(a), tuple(b)): i for i, (a, b) in enumerate(zip(t, phi))}
old_rows = key(there, old["fields/phi"][:])
failed = np.flatnonzero(new["status/done"][:] == 2)
assert len(failed) == 1 and np.all(np.isnan(new["fields/c"][:][failed]))
good = np.flatnonzero(new["status/done"][:] == 1)
rows = [old_rows[tuple(here[i]), tuple(new["fields/phi"][i])] for i in good]
assert sorted(rows + [lost]) == list(range(288))
np.testing.assert_allclose(new["fields/c"][:][good], old["fields/c"][:][rows], rtol=2e-7)   # one rounding to single precision
PY

run() { # RANKS COMMAND ...
  scoria "$1" "${@:2}" >"$work/out" 2>&1 || { fail "$*"; cat "$work/out" >&2; }
}
run 2 import "$work/import.yaml"
grep -q 'dataset.h5 is complete' "$work/out" || fail "a complete import is made again"
run 2 train "$work/import.yaml"
run 2 sample "$work/import.yaml" -sample_at load=12 -sample_U0 0.15
run 3 sample "$work/import.yaml" -sample_at load=12 -sample_U0 0.15 -sample_file samples3.h5
run 2 uq "$work/import.yaml" -uq_map load -uq_map_points 2 -uq_exceed c:1000
run 2 likelihood "$work/import.yaml"
run 2 compare "$work/import.yaml" -compare_sample "$work/one/dataset.h5" -compare_reference "$work/three/dataset.h5"
run 1 report "$work/import.yaml"
for title in 'Two files compared' 'Log densities of given rows'; do
  grep -q "$title" "$work/one/report.html" || fail "the report leaves out: $title"
done
run 1 info "$work/one/dataset.h5"
grep -q 'imported *from foreign.h5' "$work/out" || fail "info does not say where the rows come from"
run 2 run "$work/import.yaml" -run_dir "$work/run"
[ -s "$work/run/report.html" ] || fail "run of an imported deck makes no report"
run 3 compare "$work/import.yaml"                # one/, on other ranks than run/
"$PYTHON" - "$work" <<'PY' || fail "the verdict on rows that were held back"
import h5py, json, numpy as np, sys
one, run = (json.load(open(f"{sys.argv[1]}/{d}/compare.json")) for d in ("one", "run"))
assert one == run, "the verdict depends on the ranks"
held = one["held_out"]
assert held["method"] == "residuals" and held["conditions"] == 12 and held["of_conditions"] == 48 and held["rows"] in (71, 72), held
model = h5py.File(sys.argv[1] + "/one/model.h5")
assert len(model["holdout"]) == 12 and int(model.attrs["train_rows"]) + int(model.attrs["train_validation_rows"]) in (215, 216)
assert model.attrs["adopted"] in (b"network", b"gaussian") and held["model"] == model.attrs["adopted"].decode()
for source in ("model", "gaussian", "floor"):
    assert 0 < one["pooled"][source]["sliced_w"] < 2, one["pooled"]   # 30 steps of training
# tails of some 70 rows: ranks 32 and 16, both sides of the extremes and of the deck's own number
tails = {(t["quantity"], t["side"]): t for t in one["tails"]}
assert {q for q, _ in tails} >= {"min_c", "max_c", "drop"}, sorted(tails)
for t in tails.values():
    assert 0.2 < t["checked"] <= 1 and len(t["ranks"]) == 2 and abs(t["ranks"][1]["probability"] * held["rows"] - 16) < 1e-9, t
PY
"$PYTHON" - "$work/run/report.html" <<'PY' || fail "the report of an import"
import html, re, sys
page = open(sys.argv[1]).read()
page = page[page.index("<main"): page.index('<section id="files"')]   # after which come the deck and its keys
text = html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", page, flags=re.S)))
for word in ("PDE", "poros", "solve", "[1]"):
    assert word not in text, text[max(0, text.index(word) - 200):][:400]
text = re.sub(r"\s+", " ", text)
for words in ("held back from training", "training set: 287 of 288 imported rows at 48 conditions; 1 with values that are not finite",
              "those of 12 conditions held back to compare with", "times the sampling floor"):
    assert words in text, (words, text[:2000])
PY
grep -q 'data again' "$work/out" || { fail "the floor of imported data is not told"; cat "$work/out" >&2; }
grep -q "tails agree down to a probability of" "$work/out" || { fail "tails of residuals are not told"; cat "$work/out" >&2; }
run 2 uq "$work/import.yaml" -uq_file tails.h5
grep -q "tails are not checked" "$work/out" && { fail "uq of residuals' tails"; cat "$work/out" >&2; }
# beside each mean the bias on the conditions that were held back, in the terminal, uq.json and the report as in compare.h5
scoria 1 report "$work/import.yaml" >"$work/report" 2>&1 || fail "report with uq of an import"
"$PYTHON" - "$work/one" "$work/out" <<'PY' || { fail "biases of imported rows"; cat "$work/out" >&2; }
import h5py, html, json, re, sys
out, page = open(sys.argv[2]).read(), html.unescape(open(sys.argv[1] + "/report.html").read())
f = h5py.File(sys.argv[1] + "/compare.h5")
names = f.attrs["worth_quantities"].decode().split(",") + [w.split(" = ")[0] for w in f.attrs["worth_expressions"].decode().split()[:1]]
told = json.load(open(sys.argv[1] + "/tails.json"))["conditions"][0]["quantities"]
assert {"max_c", "drop"} <= set(told) <= set(names), (sorted(told), names)
for name, q in told.items():
    i = names.index(name)
    for key, path, e in (("mean_bias", "bias", 0), ("mean_bias_upper", "bias_upper", 0), ("mean_bias_se", "bias_se", 0), ("sd_bias", "bias", 1)):
        assert abs(q["compared"][key] - f["worth/" + path][i, e]) < 1e-12, (name, key)   # of numbers of order 1, as text
    assert q["compared"]["q975_bias"] is None
    text = f"{q['compared']['mean_bias']:+.2g} (<{q['compared']['mean_bias_upper']:.2g})"
    assert re.search(rf"^    {name} .*  {re.escape(text)}$", out, re.M) and text in page, (name, text)
assert "not checked" not in out and "against the data's, as compare found it" in out
PY
# one line for all tails that compare has merely too few rows of, one for each of those that differ before
"$PYTHON" - "$work/one" "$work/out" <<'PY' || { fail "what uq says of quantiles beyond"; cat "$work/out" >&2; }
import json, re, sys
told = json.load(open(sys.argv[1] + "/tails.json"))
names = {"low": "0.025", "high": "0.975"}
tails = [t for t in json.load(open(sys.argv[1] + "/compare.json"))["tails"] if t["quantity"] in told["conditions"][0]["quantities"]]
short = {(names[t["side"]], t["quantity"]) for t in tails if t["checked"] == t["ranks"][-1]["probability"]}
lines = [w for w in told["warnings"] if "has too few rows" in w]
assert len(short) > 1 and len(lines) == 1 and len(told["warnings"]) == 1 + len(tails) - len(short), (short, told["warnings"])
assert f"WARNING: {lines[0]}\n" in open(sys.argv[2]).read()
said = {(p, name) for p, list in re.findall(r"quantile (\S+) of ([^;]+)", lines[0]) for name in list.split(", ")}
assert said == short and lines[0].startswith("the tail of each agrees with the data's down to "), (said, short)
PY
"$PYTHON" - "$work" <<'PY' || fail "what follows from imported rows"
import h5py, json, numpy as np, sys
a, b = (h5py.File(f"{sys.argv[1]}/one/{n}.h5") for n in ("samples", "samples3"))
assert np.array_equal(a["fields/c"][:], b["fields/c"][:]) and np.all(a["conditions/load"][:] == 12) and np.all(a["conditions/T"][:] == 298.15)
assert np.all(a["fields/c"][:] > 1000)            # ln|c - 1000| knows no other side
uq = json.load(open(sys.argv[1] + "/one/uq.json"))
assert len(uq["conditions"]) == 2
d = h5py.File(sys.argv[1] + "/one/dataset.h5")
m = d["fields/c"][:][d["status/done"][:] == 1]
assert abs(a["fields/c"][:].mean() / m.mean() - 1) < 0.2   # 30 steps of training: of the data's size, no more is asked
PY

# A source that was replaced by one of the same size and date is noticed; the dataset is not called complete before.
cp "$work/foreign.h5" "$work/original.h5"
"$PYTHON" - "$work/foreign.h5" <<'PY'
import h5py, os, sys
before = os.stat(sys.argv[1])
with h5py.File(sys.argv[1], "r+") as f:
    f["sim/pot"][0, 0] += 1
os.utime(sys.argv[1], ns=(before.st_atime_ns, before.st_mtime_ns))
assert os.stat(sys.argv[1]).st_size == before.st_size
PY
expect 3 'imported from foreign.h5, .* the file is foreign.h5, .* now' 2 import "$work/import.yaml"
grep -q 'is complete' "$work/out" && fail "a dataset of a changed file is called complete"
cp "$work/original.h5" "$work/foreign.h5"

# An import that was killed goes on, to the same bytes; not from a file that has changed meanwhile.
mkdir "$work/killed"
cp "$work/one/dataset.h5" "$work/killed/dataset.h5.part"
cp "$work/foreign.h5" "$work/changed.h5"
"$PYTHON" - "$work" <<'PY'
import h5py, sys
with h5py.File(sys.argv[1] + "/killed/dataset.h5.part", "r+") as f:
    f["status/done"][100:] = 0
    f["fields/c"][100:] = 0
    f["fields/phi"][50] = 1      # written, but not what was to be written
with h5py.File(sys.argv[1] + "/changed.h5", "r+") as f:
    f["sim/pot"][0, 0] = 0.5
PY
expect 3 'dataset.h5.part: begun \(by another deck\|from foreign.h5\)' 2 import "$work/import.yaml" -run_dir "$work/killed" -import_file "$work/changed.h5"
mv "$work/foreign.h5" "$work/kept.h5" && cp "$work/changed.h5" "$work/foreign.h5"
expect 3 'dataset.h5.part: begun from foreign.h5, .*, found foreign.h5, ' 2 import "$work/import.yaml" -run_dir "$work/killed"
mv "$work/kept.h5" "$work/foreign.h5"
run 2 import "$work/import.yaml" -run_dir "$work/killed"
grep -q '1 marked as failed: 1 not finite' "$work/out" || { fail "rows that were there are counted wrongly"; cat "$work/out" >&2; }
"$PYTHON" - "$work" <<'PY' || fail "an import that was killed"
import h5py, numpy as np, sys
a, b = (h5py.File(f"{sys.argv[1]}/{d}/dataset.h5") for d in ("one", "killed"))
for n in ("fields/c", "fields/phi", "conditions/load", "status/done", "status/crc", "crc"):
    assert np.array_equal(a[n][:], b[n][:], equal_nan=n.startswith("fields")), n
PY

# Other layouts: channels, groups with a value each, integers; conditions with fewer rows are filled up.
run 2 import "$work/import.yaml" -run_dir "$work/grouped" -import_file "$work/grouped.h5" -import_fields c=/c3,phi=/both:1 \
  -import_conditions load=/load,whole=/whole -import_x /x -import_scale x=1 -import_units c=mol*m^-3 -import_logarithmic load
: >"$work/plain.yaml"
run 2 import "$work/plain.yaml" -run_dir "$work/uneven" -import_file "$work/uneven.h5" -import_fields c=/c -import_conditions load=/load \
  -import_x /x -import_scale x=1 -import_units c=mol*m^-3 -import_ranges load=-1:50 -ensemble_float64 -import_reference c=0
"$PYTHON" - "$work" <<'PY' || fail "other layouts"
import h5py, numpy as np, sys
old, new = (h5py.File(f"{sys.argv[1]}/{d}/dataset.h5") for d in ("original", "grouped"))
assert np.array_equal(new["fields/c"][:], old["fields/c"][:]) and np.array_equal(new["fields/phi"][:], old["fields/phi"][:])
assert np.array_equal(new["conditions/whole"][:], np.repeat(np.arange(48), 6)) and np.array_equal(new["conditions/load"][:], old["conditions/F_right"][:])
uneven = h5py.File(sys.argv[1] + "/uneven/dataset.h5")
done = uneven["status/done"][:]
assert np.array_equal(np.flatnonzero(done == 2), np.arange(284, 288)) and uneven["fields/c"].dtype == "f8"
assert np.array_equal(uneven["fields/c"][:284], old["fields/c"][:284]) and np.all(uneven["conditions/load"][284:] == 47)
assert uneven["conditions/load"].attrs["lo"] == -1 and uneven["conditions/load"].attrs["hi"] == 50
PY

# Without a mapping: what is in the file, and a deck that can be used as it is where nothing is ambiguous.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
with h5py.File(sys.argv[1] + "/plain.h5", "w") as f:
    g = f.create_group("Discharge [run 1]")
    g["Concentration [mol.m-3]"] = np.random.default_rng(1).random((12, 5, 7))
    g["it's"], f["x"], f["t"], f["names"] = np.arange(12.0), np.arange(7.0), np.arange(7.0) + 1, [b"a"]
    g["it's"].attrs["units"] = "A m^-2"
PY
run 2 import -import_file "$work/plain.h5" -run_dir "$work/listed"
for text in "/it's *(12) *A m^-2 *condition" 'which can be used as it is'; do
  grep -q "$text" "$work/out" || { fail "the listing of a file lacks: $text"; cat "$work/out" >&2; }
done
run 1 import "$work/listed/import.yaml" -run_dir "$work/listed"
grep -q '12 conditions x 5 rows of 7 cells' "$work/out" || { fail "the deck of a listing"; cat "$work/out" >&2; }
grep -q "all values are positive: bounds: \[0, .inf\]" "$work/listed/import.yaml" || fail "values above 0 are not told"
grep -qF "run: {dir: '$work/listed'}" "$work/listed/import.yaml" || fail "the deck of a listing has no run directory"
# Six conditions on a grid of six cells along y: the file does not tell which; field c crosses 0.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
with h5py.File(sys.argv[1] + "/equal.h5", "w") as f:
    f["x"], f["y"], f["I"], f["c"] = np.arange(7.0), np.arange(6.0), [3, 1, 2, 5, 4, 6.0], np.random.default_rng(1).normal(size=(6, 5, 6, 7))
PY
run 1 import -import_file "$work/equal.h5" -run_dir "$work/listed2"
for text in "# I: {path: '/I'}   # (6): a condition, or y?" "c: {path: '/c'}   # name its axes, as in order: [condition, realisation, y, x]"; do
  grep -qF "$text" "$work/out" || { fail "the listing of equal lengths lacks: $text"; cat "$work/out" >&2; }
done
if grep -q 'values are positive' "$work/out"; then fail "negative values are said to be positive"; fi
# Two particles of unlike lengths, and a number of the row that is as long as neither: the fields of one lie along an axis of their own.  But not
# where nothing has as many rows along the other.
"$PYTHON" - "$work" <<'PY'
import h5py, numpy as np, sys
with h5py.File(sys.argv[1] + "/two.h5", "w") as f:
    f["a_row"], f["r_n"], f["r_p"], f["load"] = np.arange(24.0), np.arange(5.0), np.arange(7.0), np.arange(24.0)[::-1]
    f["c_n"], f["c_p"], f["phi_p"] = np.ones((24, 5)), np.ones((24, 7)), np.ones((24, 7))
PY
run 1 import -import_file "$work/two.h5" -run_dir "$work/listed5"
for text in "which can be used as it is" "x: {path: '/r_n'}" "    c_n: {path: '/c_n'}" "    c_p: {path: '/c_p', x: '/r_p'}" \
  "    phi_p: {path: '/phi_p', x: '/r_p'}" "    load: {path: '/load'}"; do
  grep -qF "$text" "$work/out" || { fail "the listing of two lengths lacks: $text"; cat "$work/out" >&2; }
done
"$PYTHON" - "$work/two.h5" <<'PY'
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], "r+") as f:
    for name in ("c_p", "phi_p"):
        del f[name]
        f[name] = np.ones((12, 7))
PY
run 1 import -import_file "$work/two.h5" -run_dir "$work/listed6"
for text in "cell centres; the deck takes /r_n:" "x: /r_n, with the fields /c_n" "x: /r_p, with the fields /c_p, /phi_p" "to be completed:" \
  "x: {path: '/r_n'}   # or another" "    c_n: {path: '/c_n'}" "    load: {path: '/load'}"; do
  grep -qF "$text" "$work/out" || { fail "the listing of two lengths lacks: $text"; cat "$work/out" >&2; }
done
run 1 import -import_file "$work/grouped.h5" -run_dir "$work/listed2"
grep -q '/c3 .*field' "$work/out" || { fail "the listing of groups"; cat "$work/out" >&2; }
"$PYTHON" - "$work/equal.h5" <<'PY'
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], "r+") as f:
    f["table"] = np.zeros(4, dtype=[("load", "f8"), ("T", "f8")])
PY
run 1 import -import_file "$work/equal.h5" -run_dir "$work/listed4"
grep -q 'left out: 1 array of several members each, the first /table; write each member' "$work/out" || { fail "a table is passed over in silence"; cat "$work/out" >&2; }
expect 3 'nosuch.h5: cannot be read' 2 import -import_file "$work/nosuch.h5" -run_dir "$work/listed3"
if [ -e "$work/listed3" ]; then fail "a file that is missing leaves a run directory"; fi

cat >"$work/bare.yaml" <<DECK
import: {file: $work/foreign.h5, fields: [c=/sim/conc], conditions: [U0=/par:0], x: /grid/x_um}
DECK
bad() { # PATTERN ARGUMENTS...
  expect 3 "$1" 2 import "$work/bare.yaml" -run_dir "$work/bad" "${@:2}"
  if [ -e "$work/bad/dataset.h5" ] || [ -e "$work/bad/dataset.h5.part" ]; then fail "a refused import leaves a dataset"; fi
}
bad 'nosuch.h5: cannot be read' -import_file "$work/nosuch.h5"
bad 'text.h5: .*not an HDF5 file (it is text' -import_file "$work/text.h5"
printf 'CDF\1\0\0' >"$work/three.nc"
bad 'three.nc: not an HDF5 file (it is netCDF-3, nccopy -k nc4 makes it netCDF-4' -import_file "$work/three.nc"
expect 3 'three.nc: not an HDF5 file (it is netCDF-3' 2 import -import_file "$work/three.nc" -run_dir "$work/listed4"
printf '\0\1\2' >"$work/head.h5"
bad 'head.h5: not an HDF5 file, or truncated before its end' -import_file "$work/head.h5"
bad 'short.h5: ' -import_file "$work/short.h5"
bad 'damaged.h5: ' -import_file "$work/damaged.h5"
bad 'foreign.h5: no array /sim/nothing (scoria import -import_file FILE lists what is there)' -import_fields c=/sim/nothing
bad 'foreign.h5: no array /conk; did you mean /sim/conc?' -import_fields c=/conk
expect 3 'foreign.h5: an HDF5 file, expected a YAML deck; "scoria import -import_file .*foreign.h5" lists what is in it' 2 import "$work/foreign.h5"
bad 'array /names is of texts, expected numbers' -import_fields c=/names
bad '/sim is not an array' -import_fields c=/sim
bad 'array /hollow says it has .* values, more than are in the file' -import_fields c=/hollow
bad 'c: array /sim/conc has the shape (288, 16), expected (rows, 5)' -import_x /grid/short
bad 'c: array /par has the shape (3, 288), expected' -import_fields c=/par
bad 'load: array /grid/short has the shape (5), expected one value for each of 288 rows' -import_conditions load=/grid/short
bad 'load: array /par has the shape (3, 288), expected (288, n)' -import_conditions load=/par:3
bad 'x: array /grid/falling: .* expected increasing' -import_x /grid/falling
bad 'x: array /par has the shape' -import_x /par
bad 'import_fields: found "c", expected name=value' -import_fields c
bad 'import_fields: c: found "sim/conc", expected the path' -import_fields c=sim/conc
bad 'import_conditions: U0: found "abc", expected a number' -import_conditions U0=abc
bad 'import_conditions: found c twice' -import_conditions c=1
bad 'import_conditions: found the name "x"' -import_conditions x=1
bad 'import_units: found "T2", which is no field or condition' -import_units T2=K
bad 'import_scale: c: found "much", expected a number' -import_scale c=much
bad 'import_ranges: U0: found .* but the values go from' -import_ranges U0=0.2:0.3
bad 'import_logarithmic: found "pH"' -import_logarithmic pH
bad 'import_reference: found "eps"' -import_reference eps=1
expect 3 'import_fields is not set' 1 import "$deck" -run_dir "$work/bad" -import_file "$work/foreign.h5" -import_x /x
expect 3 'import_file is not set' 1 import "$deck" -run_dir "$work/bad"
expect 3 'made by another deck (import_reference' 2 import "$work/import.yaml" -import_reference c=900
expect 3 'there is no PDE behind them; import makes' 2 generate "$work/import.yaml" -run_dir "$work/bad"
expect 3 'there is no PDE behind them; there is nothing to solve' 2 solve "$work/import.yaml"
expect 3 'there is no PDE behind them; give -uq_source model' 2 uq "$work/import.yaml" -uq_source pde # beside an answer of the model
expect 3 'sample_at: found "speed", which is no condition' 2 sample "$work/import.yaml" -sample_at speed=3 -sample_file other.h5
expect 3 'generated for another problem (import_file' 2 train "$deck" -run_dir "$work/three"
run 1 train "$work/import.yaml" -run_dir "$work/three" -import_holdout 0 -train_steps 2
expect 3 'model.h5 was trained on all conditions of its dataset: nothing was held back' 2 compare "$work/import.yaml" -run_dir "$work/three"
finish
