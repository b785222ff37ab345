#!/usr/bin/env bash
# compare of two dataset files: nothing between a file and itself, the floor between two ensembles of one law, more between two laws; the
# same on any number of ranks; what cannot be compared is told.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
run=$work/run
tiny_deck "$deck" "$run"
# 600 solves at one condition each: another seed, the same law; a wider porosity, another law; other cells; another condition.
point=(-solve_count 600 -electrode_U0 0.15 -electrode_F_right 12 -porosity_ell 1e-5)
make() { # NAME [-key value ...]
  scoria 2 solve "$deck" -run_dir "$work/$1" "${point[@]}" "${@:2}" >"$work/out" 2>&1 || {
    fail "solve $1"
    cat "$work/out" >&2
  }
}
sed -i '/^conditions/d' "$deck"
make one
make other -run_seed 4
make wide -run_seed 5 -porosity_sigma 1.6
make fine -ensemble_cells 24
make flat -porosity_sigma 0
make elsewhere -electrode_F_right 13

against() { # SAMPLE REFERENCE RANKS NAME
  scoria "$3" compare "$deck" -run_dir "$run" -compare_sample "$work/$1/solve.h5" -compare_reference "$work/$2/solve.h5" \
    -compare_output "$4.json" >"$work/out" 2>&1 || {
    fail "compare $1 with $2"
    cat "$work/out" >&2
  }
}
against one one 1 self
grep -q 'a distance of 0 says nothing of their laws' "$work/out" || { fail "rows that are the reference's own"; cat "$work/out" >&2; }
against other one 1 other1
grep -q 'says nothing' "$work/out" && { fail "rows of another seed are taken for the reference's own"; cat "$work/out" >&2; }
against other one 3 other3
against wide one 2 wide
cmp -s "$run/other1.json" "$run/other3.json" || fail "the comparison depends on the ranks"
grep -q '600 rows\|300 rows of the sample' "$work/out" || { fail "the table does not say how many rows"; cat "$work/out" >&2; }
"$PYTHON" - "$run" <<'PY' || fail "measures of two files"
import json, sys
self_, other, wide = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("self", "other1", "wide"))
assert set(self_["made_from"].values()) == {other["made_from"]["reference"]}  # one file with itself
assert other["made_from"]["sample"] != other["made_from"]["reference"]
for c in (self_, other, wide):
    assert len(c["conditions"]) == 1 and c["conditions"][0]["rows"] == 300 and "gaussian" not in c["pooled"] and "cost" not in c
assert self_["sliced_w"] == 0 and self_["mean_error"] == 0 and self_["energy_p"] == 1 and self_["sliced_w_floor"] > 0
# two ensembles of one law: of the floor's own size (both fluctuate by half of it), and not rejected at 1 %
assert 0.3 < other["sliced_w"] / other["sliced_w_floor"] < 3 and other["energy_p"] > 0.01
# sigma 1 against 1.6 in the logit: the spread of c is about half again as large
assert wide["sd_bias"] > 0.2 and wide["energy_p"] <= 0.01 and wide["sliced_w"] > 2 * wide["sliced_w_floor"]
PY
files() { # SAMPLE REFERENCE: as arguments
  echo "-compare_sample" "$work/$1/solve.h5" "-compare_reference" "$work/$2/solve.h5"
}
# shellcheck disable=SC2046
{
  expect 6 'wide/solve.h5: its sliced Wasserstein distance .* times the floor, compare_limit allows 3' 2 compare "$deck" -run_dir "$run" $(files wide one) -compare_output limited.json -compare_limit 3
  [ -s "$run/limited.json" ] || fail "what is beyond the limit is not written"
  scoria 2 compare "$deck" -run_dir "$run" $(files other one) -compare_output allowed.json -compare_limit 3 >"$work/out" 2>&1 || fail "within compare_limit, and refused"
  expect 3 'self.json: it exists already' 2 compare "$deck" -run_dir "$run" $(files one one) -compare_output self.json
  # found by the one rank that measures the condition: the others hear of it
  expect 3 'does not vary' 3 compare "$deck" -run_dir "$run" $(files flat flat)
  expect 3 'has 24 cells' 2 compare "$deck" -run_dir "$run" $(files fine one)
  expect 3 'no condition is in both' 2 compare "$deck" -run_dir "$run" $(files elsewhere one)
  expect 3 'nosuch.h5: cannot be read' 2 compare "$deck" -run_dir "$run" -compare_sample "$work/nosuch.h5" -compare_reference "$work/one/solve.h5"
  expect 3 'compare_reference is not set' 2 compare "$deck" -run_dir "$run" -compare_sample "$work/one/solve.h5"
}

# Whole fields: hot spots, lateral means and spectra besides; another grid is told.
plane=(-ensemble_whole_fields true -ensemble_cells "6,10" -ensemble_lateral 2e-4 -porosity_anisotropy "4,4" -solve_count 400)
make plane "${plane[@]}"
make plane2 "${plane[@]}" -run_seed 4
make plane3 "${plane[@]}" -run_seed 5 -porosity_sigma 1.6
against plane plane 2 whole-self
against plane2 plane 1 whole-other
against plane2 plane 3 whole-other3
against plane3 plane 2 whole-wide
grep -q '^  max  c  *[0-9.]*  *[0-9.]*$' "$work/out" || { fail "the table says nothing of hot spots"; cat "$work/out" >&2; }
cmp -s "$run/whole-other.json" "$run/whole-other3.json" || fail "the comparison of whole fields depends on the ranks"
"$PYTHON" - "$run" <<'PY' || fail "measures of whole fields"
import json, sys
self_, other, wide = (json.load(open(f"{sys.argv[1]}/whole-{n}.json")) for n in ("self", "other", "wide"))
for c in (self_, other, wide):
    whole = c["whole_fields"]
    assert set(whole["fields"]) == {"c", "phi"} and len(whole["wave_numbers"]) == 5 and whole["wave_numbers"][0] == 1 / 2e-4
    for f in whole["fields"].values():
        assert set(f) == {"spectrum", "max", "min", "high", "low", "x_max", "x_min"} and len(f["max"]["conditions"]) == 1
        assert f["max"]["conditions"][0]["reference"]["q99_low95"] <= f["max"]["conditions"][0]["reference"]["q99"]
assert self_["sliced_w"] == 0 and all(f[h]["sample"]["w1"] == 0 for f in self_["whole_fields"]["fields"].values() for h in ("max", "low", "x_min"))
assert self_["whole_fields"]["lateral_means"]["sample"]["w1"] == 0 and self_["whole_fields"]["fields"]["phi"]["spectrum"]["sample"]["error"] == 0
# of one law: of the floor's own size; of another: beyond it
for name in ("c", "phi"):
    for c, low, high in ((other, 0.3, 3), (wide, 3, 1e9)):
        f = c["whole_fields"]["fields"][name]["min" if name == "phi" else "max"]
        assert low < f["sample"]["w1"] / f["floor"]["w1"] < high, (name, f)
assert 0.3 < other["sliced_w"] / other["sliced_w_floor"] < 3 and wide["sliced_w"] > 2 * wide["sliced_w_floor"]
PY
# shellcheck disable=SC2046
expect 3 'has 6 x 10 cells, .* has 16 cells' 2 compare "$deck" -run_dir "$run" $(files plane one)
finish
