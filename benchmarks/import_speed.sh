#!/usr/bin/env bash
# Import beside a plain copy of the same file: seconds of both in turn, the file in memory, results on the same disk and forced there, as
# import does it, and the ratio of their bandwidths, median of ROUNDS.  The import is the whole command: its start, reading and sorting the
# rows, writing them, reading them back, CRC32C of source and result.  What the start of a parallel program takes whatever it does (an import
# of 1 MB) is told, and the ratio without it.  Some seconds pass before each: a virtual machine may give its host back at once the memory that
# the files before have left, and a command that begins right then is spared getting it again.
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
launch=()
if [ "$ranks" -gt 1 ]; then launch=(mpirun -n "$ranks"); fi
python3 - "$work" "$megabytes" <<'PY'
import h5py, numpy as np, sys
cells, each = 256, 64
rng = np.random.default_rng(1)
block = rng.standard_normal((each, cells), dtype="f4")
for name, megabytes in {"source": float(sys.argv[2]), "small": 1}.items():
    conditions = int(megabytes * 1e6 / (4 * cells * each))
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as f:
        c = f.create_dataset("c", (conditions * each, cells), "f4")
        for k in range(conditions):
            c[k * each:(k + 1) * each] = 1000 + block + np.float32(k)
        f["a"] = np.repeat(np.arange(conditions, dtype="f8"), each)
        f["x"] = (np.arange(cells) + 0.5) * 1e-6
        f["x"].attrs["units"] = "m"
PY
seconds() { # COMMAND ...
  local start
  sleep 3
  start=$(date +%s.%N)
  "$@" >"$work/out" 2>&1 || fail "$* failed; see $work/out"
  python3 -c "import sys, time; print(time.time() - float(sys.argv[1]))" "$start"
}
seconds_of_import() { # NAME
  rm -rf "$work/run"
  printf "import: {file: '%s', fields: [c=/c], conditions: [a=/a], x: /x}\n" "$work/$1.h5" >"$work/deck.yaml"
  seconds "${launch[@]}" "$SCORIA_BUILD/scoria" import "$work/deck.yaml" -run_dir "$work/run"
}
cat "$work/source.h5" >/dev/null
: >"$work/times"
for ((round = 0; round < rounds; round++)); do
  rm -rf "$work/run" "$work/copy.h5"
  copy=$(seconds dd if="$work/source.h5" of="$work/copy.h5" bs=4M conv=fsync)
  rm -f "$work/copy.h5"
  import=$(seconds_of_import source)
  start=$(seconds_of_import small)
  say "copy $copy s, import $import s, of 1 MB $start s"
  echo "$copy $import $start" >>"$work/times"
done
python3 - "$work/times" "$work/source.h5" <<'PY'
import os, statistics, sys
times = [[float(w) for w in line.split()] for line in open(sys.argv[1])]
size = os.path.getsize(sys.argv[2]) / 1e9
copy, whole, start = (statistics.median(t[i] for t in times) for i in (0, 1, 2))
ratio, without = (statistics.median(t[0] / (t[1] - without * t[2]) for t in times) for without in (0, 1))
print(f"{size:.3f} GB: copy {size / copy:.2f} GB/s, import {size / whole:.2f} GB/s, {100 * ratio:.0f} % (of each round, median)")
print(f"without the start of {start:.2f} s: {size / (whole - start):.2f} GB/s, {100 * without:.0f} %")
PY
