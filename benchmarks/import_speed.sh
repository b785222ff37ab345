#!/usr/bin/env bash
# Import beside a plain copy of the same file: seconds of both in turn, the file in memory, results on the same disk and forced there, as
# import does it, and the ratio of their bandwidths, median of ROUNDS.  The import is the whole command: its start, reading and sorting the
# rows, writing them, CRC32C of source and result.
#
#   benchmarks/import_speed.sh WORK [MEGABYTES [ROUNDS]]      default: 512 5
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/import_speed.sh WORK [MEGABYTES [ROUNDS]]"; fi
mkdir -p "$1"
work=$(realpath "$1")
megabytes=${2:-512}
rounds=${3:-5}
ranks=${SCORIA_RANKS:-1}
python3 - "$work/source.h5" "$megabytes" <<'PY'
import h5py, numpy as np, sys
cells, each = 256, 64
conditions = int(float(sys.argv[2]) * 1e6 / (4 * cells * each))
rng = np.random.default_rng(1)
block = rng.standard_normal((each, cells), dtype="f4")
with h5py.File(sys.argv[1], "w") as f:
    c = f.create_dataset("c", (conditions * each, cells), "f4")
    for k in range(conditions):
        c[k * each:(k + 1) * each] = 1000 + block + np.float32(k)
    f["a"] = np.repeat(np.arange(conditions, dtype="f8"), each)
    f["x"] = (np.arange(cells) + 0.5) * 1e-6
    f["x"].attrs["units"] = "m"
PY
cat >"$work/deck.yaml" <<DECK
import: {file: '$work/source.h5', fields: [c=/c], conditions: [a=/a], x: /x}
DECK
seconds() { # COMMAND ...
  local start
  start=$(date +%s.%N)
  "$@" >"$work/out" 2>&1 || fail "$* failed; see $work/out"
  python3 -c "import sys, time; print(time.time() - float(sys.argv[1]))" "$start"
}
cat "$work/source.h5" >/dev/null
: >"$work/times"
for ((round = 0; round < rounds; round++)); do
  rm -rf "$work/run" "$work/copy.h5"
  copy=$(seconds dd if="$work/source.h5" of="$work/copy.h5" bs=4M conv=fsync)
  rm -f "$work/copy.h5"
  import=$(seconds mpirun -n "$ranks" "$SCORIA_BUILD/scoria" import "$work/deck.yaml" -run_dir "$work/run")
  say "copy $copy s, import $import s"
  echo "$copy $import" >>"$work/times"
done
python3 - "$work/times" "$work/source.h5" <<'PY'
import os, statistics, sys
times = [[float(w) for w in line.split()] for line in open(sys.argv[1])]
size = os.path.getsize(sys.argv[2]) / 1e9
copy, whole = (statistics.median(t[i] for t in times) for i in (0, 1))
ratio = statistics.median(t[0] / t[1] for t in times)
print(f"{size:.3f} GB: copy {size / copy:.2f} GB/s, import {size / whole:.2f} GB/s, {100 * ratio:.0f} % (of each round, median)")
PY
