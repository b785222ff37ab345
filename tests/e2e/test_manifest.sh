#!/usr/bin/env bash
# manifest.json: every result of a run directory with its length and CRC-32C, the same on any number of ranks; `info DIRECTORY` finds
# what has changed, is missing or is cut, and nothing else.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
scoria 3 run "$deck" </dev/null >"$work/out" 2>&1 || { fail "run: exit $?"; cat "$work/out" >&2; }

# Lengths and sums as an independent CRC-32C has them (bit by bit, from its polynomial).
"$PYTHON" - "$work/run" <<'PY' || fail "the manifest is not what the files are"
import json, os, sys
table = []
for i in range(256):
    for _ in range(8):
        i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
    table.append(i)
def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = (c >> 8) ^ table[(c ^ b) & 255]
    return c ^ 0xFFFFFFFF
where = sys.argv[1]
files = json.load(open(where + "/manifest.json"))["files"]
made = {"dataset.h5": "generate", "model.h5": "train", "train.jsonl": "train", "samples.h5": "sample", "compare.h5": "compare",
        "compare.json": "compare", "report.html": "report"}
assert {k: v["command"] for k, v in files.items()} == made, files
for name, entry in files.items():
    data = open(os.path.join(where, name), "rb").read()
    assert entry["bytes"] == len(data) and entry["crc32c"] == "%08x" % crc32c(data), (name, entry)
PY

as_listed() { # DIR RANKS
  scoria "$2" info "$1" >"$work/out" 2>&1 || { fail "info $1: exit $?"; cat "$work/out" >&2; }
  [ "$(grep -c 'as listed$' "$work/out")" -eq 7 ] || { fail "info $1: not 7 files as listed"; cat "$work/out" >&2; }
}
as_listed "$work/run" 1
cp -r "$work/run" "$work/copy" # other times of change
as_listed "$work/copy" 2

# A byte that changes behind the program's back, the time of change with it or not, and what the next command makes of it.
spoil() { # FILE
  "$PYTHON" - "$1" <<'PY'
import os, sys
st = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as f:
    f.seek(-9, 2)
    b = f.read(1)
    f.seek(-9, 2)
    f.write(bytes([b[0] ^ 1]))
os.utime(sys.argv[1], ns=(st.st_atime_ns, st.st_mtime_ns))
PY
}
spoil "$work/copy/train.jsonl"
expect 3 'copy: train.jsonl differs: its CRC-32C is [0-9a-f]*, expected [0-9a-f]*$' 2 info "$work/copy"
[ "$(grep -c 'as listed$' "$work/out")" -eq 6 ] || fail "one byte: not six other files as listed"
cp -rp "$work/run" "$work/later"
spoil "$work/later/train.jsonl"
scoria 1 report "$deck" -run_dir "$work/later" </dev/null >"$work/out" 2>&1 || fail "report: exit $?"
expect 3 'later: train.jsonl differs' 1 info "$work/later"
grep -q 'report.html.*report *as listed' "$work/out" || { fail "a new report is not listed"; cat "$work/out" >&2; }

truncate -s 100 "$work/copy/samples.h5"
mv "$work/copy/model.h5" "$work/copy/elsewhere"
expect 3 'copy: model.h5 is missing' 1 info "$work/copy"
grep -q 'samples.h5 .* has 100 bytes, expected [0-9]*$' "$work/out" || { fail "a cut file"; cat "$work/out" >&2; }

# A manifest that nobody can read is told, and made anew; a directory without one is none of ours.
echo '{' >"$work/run/manifest.json"
expect 3 "run: it is a directory without a readable manifest.json" 1 info "$work/run"
scoria 2 report "$deck" </dev/null >"$work/out" 2>&1 || fail "report after a damaged manifest: exit $?"
grep -q 'WARNING: .*manifest.json cannot be read' "$work/out" || { fail "no warning"; cat "$work/out" >&2; }
as_listed "$work/run" 2
mkdir "$work/empty"
expect 3 'empty: it is a directory without a readable manifest.json' 2 info "$work/empty"
finish
