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

# A command that ends badly over what its finished file says has finished the file; a user's own files are nobody's.
cp "$work/run/dataset.h5" "$work/run/mine.h5"
scoria 2 sample "$deck" -sample_file rough.h5 -sample_steps 1 </dev/null >"$work/out" 2>&1 || fail "sample once more"
scoria 2 compare "$deck" -compare_sample "$work/run/rough.h5" -compare_reference "$work/run/samples.h5" -compare_limit 1e-9 \
  </dev/null >"$work/out" 2>&1
[ $? -eq 6 ] || { fail "compare beyond its limit"; cat "$work/out" >&2; }
as_listed "$work/run" 1 8
mkdir "$work/empty"
expect 3 'empty: it is a directory without a readable manifest.json' 2 info "$work/empty"
finish
