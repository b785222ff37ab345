#!/usr/bin/env bash
# manifest.json: every result of a run directory with its length and CRC-32C, the same on any number of ranks; `info DIRECTORY` finds
# what has changed, is missing or is cut, and nothing else.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
scoria 3 run "$deck" </dev/null >"$work/out" 2>&1 || { fail "run: exit $?"; cat "$work/out" >&2; }

# Lengths and sums as an independent CRC-32C has them (tests/crc32c.py).
"$PYTHON" - "$work/run" <<'PY' || fail "the manifest is not what the files are"
import json, os, sys
from crc32c import crc32c
where = sys.argv[1]
files = json.load(open(where + "/manifest.json"))["files"]
made = {"dataset.h5": "generate", "model.h5": "train", "samples.h5": "sample", "compare.h5": "compare",
        "compare.json": "compare", "report.html": "report"}
assert {k: v["command"] for k, v in files.items()} == made, files
for name, entry in files.items():
    data = open(os.path.join(where, name), "rb").read()
    assert entry["bytes"] == len(data) and entry["crc32c"] == "%08x" % crc32c(data), (name, entry)
PY

# croissant.json describes the files of the manifest, and their arrays as h5py finds them; the array of a field is where its source says.
described() { # DIR
  "$PYTHON" - "$1" <<'PY' || fail "croissant.json is not what the files of $1 are"
import json, os, re, sys
from urllib.parse import unquote
import h5py
where = sys.argv[1]
listed = json.load(open(where + "/manifest.json"))["files"]
about = json.load(open(where + "/croissant.json"))
assert about["@type"] == "sc:Dataset" and about["conformsTo"] == "http://mlcommons.org/croissant/1.1" and about["isLiveDataset"] is True
assert about["name"] == os.path.basename(where) and about["description"], about
files = {unquote(f["contentUrl"]): f for f in about["distribution"]}
ids = {f["@id"]: name for name, f in files.items()}
assert len(ids) == len(files) == len(about["distribution"]) and all(re.fullmatch("[\\w.~/-]+", i) for i in ids), ids
assert set(files) == set(listed) | {"manifest.json"}, files.keys()
for name, entry in listed.items():
    assert files[name]["name"] == name and files[name]["contentSize"] == "%d B" % entry["bytes"], files[name]
    assert files[name]["description"].endswith("CRC-32C " + entry["crc32c"]), files[name]
    assert (files[name]["encodingFormat"] == "application/x-hdf5") == name.endswith(".h5"), files[name]
kinds = {"u1": "cr:UInt8", "i4": "cr:Int32", "u4": "cr:UInt32", "i8": "cr:Int64", "u8": "cr:UInt64", "f4": "cr:Float32", "f8": "cr:Float64"}
found, sets = set(), set()
for records in about["recordSet"]:
    assert records["@id"] not in sets, records["@id"]
    sets.add(records["@id"])
    lengths = set()
    for field in records["field"]:
        name, path = ids[field["source"]["fileObject"]["@id"]], field["source"]["extract"]["column"]
        array = h5py.File(os.path.join(where, name), "r")[path]
        assert field["dataType"] == kinds[array.dtype.str[1:]], field
        shape = tuple(map(int, field["arrayShape"].split(","))) if field.get("isArray") else ()
        assert shape == array.shape[1:], (field, array.shape)
        unit = array.attrs["units"].decode() or "1"
        assert field["unitText"] == unit and field["description"] == "%s [%s]" % (array.attrs["description"].decode(), unit), field
        lengths.add(array.shape[0])
        found.add((name, path))
    assert len(lengths) == 1, (records["@id"], lengths)
there = set()
for name in listed:
    if name.endswith(".h5"):
        h5py.File(os.path.join(where, name), "r").visititems(lambda path, o: there.add((name, "/" + path))
            if isinstance(o, h5py.Dataset) and "units" in o.attrs and ("axes" in o.attrs or "CLASS" in o.attrs) else None)
assert found == there, found ^ there
assert {("dataset.h5", "/fields/c"), ("dataset.h5", "/conditions/U0"), ("samples.h5", "/fields/phi"), ("dataset.h5", "/x")} <= found
PY
  # The format's own validator, where it is installed (PyPI: mlcroissant); MLCROISSANT may say where.
  local validator=${MLCROISSANT:-mlcroissant}
  command -v "$validator" >/dev/null || return 0
  "$validator" validate --jsonld "$1/croissant.json" >"$work/out" 2>&1 || { fail "mlcroissant of $1"; cat "$work/out" >&2; }
}
described "$work/run"

as_listed() { # DIR RANKS [FILES]
  scoria "$2" info "$1" >"$work/out" 2>&1 || { fail "info $1: exit $?"; cat "$work/out" >&2; }
  [ "$(grep -c 'as listed$' "$work/out")" -eq "${3:-6}" ] || { fail "info $1: not ${3:-6} files as listed"; cat "$work/out" >&2; }
}
as_listed "$work/run" 1
cp -r "$work/run" "$work/copy" # other times of change
as_listed "$work/copy" 2

# A byte that changes behind the program's back, the time of change with it or not; no later command makes it good.
spoil() { # FILE [quietly]
  "$PYTHON" - "$@" <<'PY'
import os, sys
st = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as f:
    f.seek(-9, 2)
    b = f.read(1)
    f.seek(-9, 2)
    f.write(bytes([b[0] ^ 1]))
if len(sys.argv) > 2:
    os.utime(sys.argv[1], ns=(st.st_atime_ns, st.st_mtime_ns))
PY
}
spoil "$work/copy/compare.json" quietly
expect 3 'copy: compare.json differs: its CRC-32C is [0-9a-f]*, expected [0-9a-f]*$' 2 info "$work/copy"
[ "$(grep -c 'as listed$' "$work/out")" -eq 5 ] || fail "one byte: not five other files as listed"
cp -rp "$work/run" "$work/later"
spoil "$work/later/model.h5"
scoria 1 report "$deck" -run_dir "$work/later" </dev/null >"$work/out" 2>&1 || fail "report: exit $?"
expect 3 'later: model.h5 differs' 1 info "$work/later"
grep -q 'report.html.*report *as listed' "$work/out" || { fail "a new report is not listed"; cat "$work/out" >&2; }

truncate -s 100 "$work/copy/samples.h5"
mv "$work/copy/model.h5" "$work/copy/elsewhere"
rm "$work/copy/compare.h5"
mkdir "$work/copy/compare.h5"
expect 3 'copy: model.h5 is missing' 2 info "$work/copy"
grep -q 'compare.h5 .* cannot be read: ' "$work/out" || { fail "what is no file"; cat "$work/out" >&2; }
grep -q 'samples.h5 .* has 100 bytes, expected [0-9]*$' "$work/out" || { fail "a cut file"; cat "$work/out" >&2; }

# A manifest that nobody can read is told, and made anew; a directory without one is none of ours.
echo '{' >"$work/run/manifest.json"
expect 3 "run: it is a directory without a readable manifest.json" 1 info "$work/run"
scoria 2 report "$deck" </dev/null >"$work/out" 2>&1 || fail "report after a damaged manifest: exit $?"
grep -q 'WARNING: .*manifest.json cannot be read' "$work/out" || { fail "no warning"; cat "$work/out" >&2; }
as_listed "$work/run" 2 1
scoria 2 run "$deck" </dev/null >"$work/out" 2>&1 || fail "run after a damaged manifest: exit $?"
as_listed "$work/run" 1

# A text of a run directory is said to be what it is; of the same name elsewhere it is anybody's.
scoria 2 info "$work/run/compare.json" >"$work/out" 2>&1 || fail "info of a text: exit $?"
grep -q "^holds  *compare: measures and cost" "$work/out" || { fail "what compare.json holds"; cat "$work/out" >&2; }
mkdir "$work/mine"
cp "$work/run/compare.json" "$work/mine"
expect 3 'mine/compare.json: not an HDF5 file' 1 info "$work/mine/compare.json"

# A command that ends badly over what its finished file says has finished the file; a user's own files are nobody's.
cp "$work/run/dataset.h5" "$work/run/mine.h5"
scoria 2 sample "$deck" -sample_file "rough one.h5" -sample_steps 1 </dev/null >"$work/out" 2>&1 || fail "sample once more"
scoria 2 compare "$deck" -compare_sample "$work/run/rough one.h5" -compare_reference "$work/run/samples.h5" -compare_limit 1e-9 \
  </dev/null >"$work/out" 2>&1
[ $? -eq 6 ] || { fail "compare beyond its limit"; cat "$work/out" >&2; }
as_listed "$work/run" 1 8

# A start that was killed while it wrote the list has left the part and the list before it: the next one makes it good, of what its own command has made
# since that list, and of nothing else.
cp -rp "$work/run" "$work/cut"
rm "$work/cut/samples.h5"
scoria 2 sample "$deck" -run_dir "$work/cut" -sample_U0 0.2 </dev/null >"$work/out" 2>&1 || { fail "other samples"; cat "$work/out" >&2; }
cp -p "$work/run/manifest.json" "$work/cut/manifest.json"
expect 3 'cut: samples.h5 \(differs\|has\)' 1 info "$work/cut"
scoria 1 sample "$deck" -run_dir "$work/cut" -sample_U0 0.2 </dev/null >"$work/out" 2>&1 || { fail "samples that are there"; cat "$work/out" >&2; }
expect 3 'cut: samples.h5 \(differs\|has\)' 1 info "$work/cut" # nothing says that the list was being written
printf '{"format": "scor' >"$work/cut/manifest.json.part"
spoil "$work/cut/model.h5"
scoria 2 sample "$deck" -run_dir "$work/cut" -sample_U0 0.2 </dev/null >"$work/out" 2>&1 || { fail "the start after the one that was killed"; cat "$work/out" >&2; }
[ ! -e "$work/cut/manifest.json.part" ] || fail "manifest.json.part is left"
expect 3 'cut: model.h5 differs' 1 info "$work/cut"
grep -q 'samples.h5 .*as listed' "$work/out" || { fail "samples.h5 is listed as it was"; cat "$work/out" >&2; }

# What a user adds to the description stays; one that nobody can read is told, and made anew.
"$PYTHON" - "$work/run/croissant.json" <<'PY'
import json, sys
about = json.load(open(sys.argv[1]))
about.update(license="CC-BY-4.0", description="mine", distribution=[])
json.dump(about, open(sys.argv[1], "w"))
PY
scoria 2 report "$deck" </dev/null >"$work/out" 2>&1 || fail "report after an addition to croissant.json"
described "$work/run"
grep -q '"license":[[:space:]]*"CC-BY-4.0"' "$work/run/croissant.json" || fail "the licence has gone"
grep -q '"description":[[:space:]]*"mine"' "$work/run/croissant.json" || fail "the user's description has gone"
echo '[1' >"$work/run/croissant.json"
scoria 1 report "$deck" </dev/null >"$work/out" 2>&1 || fail "report after a damaged croissant.json"
grep -q 'WARNING: .*croissant.json cannot be read' "$work/out" || { fail "no warning of croissant.json"; cat "$work/out" >&2; }
described "$work/run"
mkdir "$work/empty"
expect 3 'empty: it is a directory without a readable manifest.json' 2 info "$work/empty"
finish
