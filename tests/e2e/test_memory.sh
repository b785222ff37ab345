#!/usr/bin/env bash
# What a rank holds grows with rows by its share of them alone: the most bytes that PETSc's allocator has given to one rank, for few rows and for
# many, on one rank and on three.  Whoever keeps something of all rows on every rank grows by more than a third.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"

# peak RANKS COMMAND ...: the most bytes of any rank at a time, in $most.
peak() {
  scoria "$1" "$2" "$deck" "${@:3}" -malloc_view </dev/null >"$work/out" 2>&1 || { fail "${*:2}"; grep -v '^\[' "$work/out" >&2; }
  most=$(sed -n 's/.*Maximum memory PetscMalloc()ed \([^ ]*\) .*/\1/p' "$work/out" | sort -g | tail -1)
}
# grows_by_share WHAT FEW MANY: `run RANKS SIZE` is measured.  .45: a third, and what does not depend on rows but on how they are cut.
grows_by_share() {
  local growth=()
  for ranks in 1 3; do
    run "$ranks" "$2"
    local few=$most
    run "$ranks" "$3"
    growth+=("$(awk -v a="$few" -v b="$most" 'BEGIN { printf "%.0f", b - a }')")
  done
  echo "$1: $2 to $3 rows: ${growth[0]} bytes on one rank, ${growth[1]} on each of three"
  awk -v one="${growth[0]}" -v three="${growth[1]}" 'BEGIN { exit !(three < .45 * one) }' || fail "$1: memory of a rank does not fall with ranks"
}

# solve of given profiles.
for n in 60 1800; do
  "$PYTHON" - "$work/eps$n.h5" "$n" <<'PY'
import sys, h5py, numpy
n = int(sys.argv[2])
with h5py.File(sys.argv[1], "w") as f:
    f["/fields/eps"] = .3 + .05 * numpy.random.default_rng(1).random((n, 16))
    f["/conditions/U0"] = numpy.linspace(.1, .2, n)
PY
done
run() {
  rm -rf "$work/solve"
  peak "$1" solve -run_dir "$work/solve" -porosity_file "$work/eps$2.h5"
}
grows_by_share solve 60 1800

# import of shuffled rows, some of whose conditions have one row less than others, and others differ by round-off.
for n in 300 9000; do
  "$PYTHON" - "$work/rows$n.h5" "$n" <<'PY'
import sys, h5py, numpy
n, rng = int(sys.argv[2]), numpy.random.default_rng(1)
a = rng.permutation(numpy.repeat(.1 + .3 * rng.random(n // 6), 6))[n // 60 :]
b = numpy.round(4 * a) / 4
with h5py.File(sys.argv[1], "w") as f:
    f["/a"] = a * (1 + 1e-15 * rng.integers(-2, 3, a.size))
    f["/b"] = b
    f["/u"] = numpy.sin(3 * a)[:, None] + .1 * rng.standard_normal((a.size, 8))
    f["/x"] = numpy.linspace(0, 1, 8)
PY
done
cat >"$work/import.yaml" <<'DECK'
import: {fields: {u: /u}, conditions: {a: /a, b: /b}, x: /x}
DECK
deck=$work/import.yaml
run() {
  rm -rf "$work/import$1"
  peak "$1" import -run_dir "$work/import$1" -import_file "$work/rows$2.h5"
}
grows_by_share import 300 9000
"${FAULT_TOOLS:-$SCORIA_SOURCE/build/tests}/same_arrays" "$work/import1/dataset.h5" "$work/import3/dataset.h5" >"$work/out" ||
  { fail "import: other arrays on three ranks"; cat "$work/out" >&2; }
finish
