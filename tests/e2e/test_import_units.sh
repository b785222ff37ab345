#!/usr/bin/env bash
# import: units of the file beside the deck's.  Those of one quantity are converted (by udunits2, where scoria was built with it), others
# refused in one line that names both; what has no unit in the file is said, on the terminal and in the report.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$work" <<'PY' || { fail "the inputs"; finish; }
import sys, h5py, numpy as np
rng = np.random.default_rng(7)
with h5py.File(sys.argv[1] + "/data.h5", "w") as f:
    def put(name, data, unit=None):
        f[name] = data
        if unit is not None:
            f[name].attrs["units"] = unit
    load = np.repeat(np.linspace(1, 2, 12), 8)
    c = 1 + 0.1 * load[:, None] + 0.01 * rng.standard_normal((96, 10))
    put("x", np.linspace(5, 95, 10), "um")
    put("bare_x", np.linspace(5, 95, 10) * 1e-6)
    put("c", c, "mol/l")
    put("same", c, "mol.m-3")
    put("bare", c)
    put("coulomb", c, "C")
    put("own", c, "nodal units")
    put("T", 20 + 10 * load, "degC")
    put("warm", 20 + c, "degC")
    put("load", load, "mA cm-2")
    put("plain", load)
    put("place [um]", np.linspace(5, 95, 10))
    put("conc [mol.m-3]", 1000 * c)
    put("other [mol.m-3]", c, "mol/l")
    put("load [-]", load)
PY
deck=$work/deck.yaml
cat >"$deck" <<DECK
run: {dir: $work/run, seed: 1}
import: {file: $work/data.h5, x: /x}
ensemble: {float64: true}
DECK
import() { # NAME ARGUMENTS...: into a directory of its own, and what it says into $work/out
  scoria 1 import "$deck" -run_dir "$work/$1" "${@:2}" >"$work/out" 2>&1 || { fail "import $1"; cat "$work/out" >&2; }
}
says() {
  grep -q -- "$1" "$work/out" || { fail "not said: $1"; cat "$work/out" >&2; }
}

# Without its table of units udunits2 is as if it were not there.
without_library() { export UDUNITS2_XML_PATH=/nonexistent/udunits2.xml; }
with_library() { unset UDUNITS2_XML_PATH; }

# One unit in several spellings is one, with the library and without it.
for unit in 'mol m^-3' mol.m-3 mol/m3 'mol m**-3' 'mol m⁻³'; do
  for library in without_library with_library; do
    $library
    rm -rf "$work/same"
    import same -import_fields "{c: {path: /same, units: '$unit'}}" -import_conditions '{load: {path: /load, units: mA*cm^-2}}'
  done
done

# No unit where ours has one, and none of a length.
import bare -import_x /bare_x -import_fields '{c: {path: /bare, units: mol m^-3}}' -import_conditions '{load: /plain}'
says 'c: no unit in the file; taken as mol m^-3, by the deck'
says 'WARNING: x: no unit in the file and none in the deck; its numbers stand as they are'
if grep -q 'load: .*unit' "$work/out"; then fail "a condition without any unit is told: $(cat "$work/out")"; fi
scoria 1 report "$deck" -run_dir "$work/bare" >"$work/out" 2>&1 || { fail "report"; cat "$work/out" >&2; }
grep -q '<li>c: no unit in the file; taken as mol m^-3, by the deck</li>' "$work/bare/report.html" || fail "the report does not say which quantity has no unit"

# Later commands with places in it: numbers of the file, which is warned of; what reads as metres, and what has a unit, is refused.
bare=$work/bare.yaml
cat >"$bare" <<DECK
run: {dir: $work/bare, seed: 1}
import: {file: $work/data.h5, x: /bare_x, fields: {c: {path: /bare, units: mol m^-3}}, conditions: {load: /plain}}
ensemble: {float64: true}
train: {steps: 0}
uq: {count: 200, load: 1.5}
sample: {load: 1.5}
DECK
for words in train 'uq -uq_probes c:0' 'uq -uq_file places.h5 -uq_probes c:5e-5' info; do
  read -ra word <<<"$words"
  if [ "${word[0]}" = info ]; then
    scoria 1 info "$work/bare/dataset.h5" >"$work/out" 2>&1 || { fail "info"; cat "$work/out" >&2; }
    says 'x from 5e-06 to 9.5e-05,'
  else
    scoria 1 "${word[0]}" "$bare" "${word[@]:1}" >"$work/out" 2>&1 || { fail "$words"; cat "$work/out" >&2; }
  fi
  case "$words" in
  *c:5e-5) says 'WARNING: places are taken in the numbers of the imported file: nothing said what unit' ;;
  *c:0) if grep -q 'WARNING: places' "$work/out"; then fail "a warning of the place 0"; fi ;;
  esac
done
without_unit() { # PATTERN COMMAND ARGUMENTS...
  expect 3 "$1" 1 "$2" "$bare" -uq_file other.h5 "${@:3}"
}
without_unit 'uq: places are given, and nothing said what unit x' uq -uq_probes c:5e-5 -strict
without_unit '"c:4e-9", a place in metres; nothing said what unit x' uq -uq_probes c:4e-9
without_unit '"c\[50 um\]": found a place with a unit, but nothing said what' uq -uq_quantities 'c[50 um]'
without_unit 'found a place with a unit, but nothing said what' infer -sensors_at c:50um -sensors_value 1.1 -sensors_sd 0.01

# A unit in brackets at the end of a name, where no attribute says it.
import named -import_x '{path: "/place [um]"}' -import_fields '{c: {path: "/conc [mol.m-3]", units: mol m^-3}, d: {path: "/conc [mol.m-3]"}, e: {path: "/other [mol.m-3]"}}' \
  -import_conditions '{load: {path: "/load [-]"}}'
says 'x: from um to m, by the file.s array name'
says 'd: in mol.m-3, by the file.s array name'
says 'e: in mol/l, by the file.s attribute units'
if grep -q 'load: ' "$work/out"; then fail "brackets that are no unit: $(cat "$work/out")"; fi
"$PYTHON" - "$work" <<'PY' || fail "units by names"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1] + "/named/dataset.h5")
assert np.allclose(f["x"][:], np.linspace(5, 95, 10) * 1e-6, rtol=1e-14, atol=0)   # rounding of a product
assert [f["fields/" + n].attrs["units"] for n in "cde"] == [b"mol m^-3", b"mol.m-3", b"mol/l"]
PY

# What cannot be the same.
refused() { # PATTERN ARGUMENTS...
  expect 3 "$1" 1 import "$deck" -run_dir "$work/refused" "${@:2}"
  if [ -e "$work/refused/dataset.h5" ]; then fail "a refused import leaves a dataset"; fi
}
with=(-import_conditions '{load: /load}')
refused 'c: in "C" by the file, in "K" by the deck, which .*give the deck.s scale and offset.*degC the degree Celsius' -import_fields '{c: {path: /coulomb, units: K}}' "${with[@]}"
refused 'c: in "nodal units" by the file, in "m" by the deck' -import_fields '{c: {path: /own, units: m}}' "${with[@]}"
refused 'x: in "um" by the file, in "mm" by the deck' -import_fields c=/c "${with[@]}" -import_x '{path: /x, units: mm}'
# Places in metres are none where nothing says what x is in, but for 0; nor where the file's unit is no length.
for places in '-sensors_at c:5e-5' '-uq_probes c:5e-5' '-uq_quantities c[5e-5]' "-sensors_file $work/places"; do
  read -ra words <<<"$places"
  refused "x: no unit in the file or the deck, and ${words[0]#-} gives places in m: expected units in import.x, {path: /bare_x, units: um}, or m" \
    -import_fields c=/c "${with[@]}" -import_x /bare_x "${words[@]}"
done
import zero -import_x /bare_x -import_fields c=/c "${with[@]}" -sensors_at c:0
import said -import_x '{path: /bare_x, units: m}' -import_fields c=/c "${with[@]}" -sensors_at c:5e-5
without_library
refused 'c: in "mol/l" by the file, in "mol m^-3" by the deck, which are spelled differently' -import_fields '{c: {path: /c, units: mol m^-3}}' "${with[@]}"
with_library
import own -import_fields '{c: {path: /own, units: m, scale: 1}}' "${with[@]}" # the deck knows better

# Conversions.
import converted -import_fields '{c: {path: /same, units: mol m^-3}}' "${with[@]}" -import_x '{path: /x, scale: 1e-6}'
cp "$work/out" "$work/plain"
if scoria 1 import "$deck" -run_dir "$work/si" -import_fields '{c: {path: /c, units: mol m^-3}}' \
  -import_conditions '{load: {path: /load, units: A m^-2, range: [5, 25]}, T: {path: /T, units: K}}' >"$work/out" 2>&1; then
  says 'c: from mol/l to mol m^-3, by the file.s attribute units: times 1000, plus 0'
  says 'T: from degC to K, by the file.s attribute units: times 1, plus 273.15'
  says 'load: from mA cm-2 to A m^-2, by the file.s attribute units: times 10, plus 0'
  says 'x: from um to m'
  "$PYTHON" - "$work" <<'PY' || fail "converted values"
import sys, h5py, numpy as np
raw, f = h5py.File(sys.argv[1] + "/data.h5"), h5py.File(sys.argv[1] + "/si/dataset.h5")
near = lambda a, b: np.allclose(a, b, rtol=1e-14 * 8, atol=0) # a product and a sum in double precision
assert near(np.sort(f["fields/c"][:, 0]), np.sort(raw["c"][:, 0] * 1000)) and f["fields/c"].attrs["units"] == b"mol m^-3"
assert near(np.unique(f["conditions/T"]), np.unique(raw["T"][:] + 273.15)) and f["conditions/T"].attrs["units"] == b"K"
assert near(np.unique(f["conditions/load"]), np.unique(raw["load"][:] * 10)) and f["conditions/load"].attrs["lo"] == 5
assert near(f["x"][:], raw["x"][:] * 1e-6)
PY
  # Of a scale whose zero is a convention it is no bound.
  scoria 1 import -import_file "$work/data.h5" -run_dir "$work/listed" >"$work/out" 2>&1 || { fail "a listing"; cat "$work/out" >&2; }
  says "own: {path: '/own'} *# all values are positive: bounds"
  says "warm: {path: '/warm'}\$"
elif grep -q 'there is no udunits2 to convert by' "$work/out"; then
  echo "built without udunits2: conversions are refused"
else
  fail "conversions"
  cat "$work/out" >&2
fi
finish
