#!/usr/bin/env bash
# uq and likelihood of whole fields, of the model and of the PDE: the same answer on any number of ranks and after a stop; cells have their
# places in the file; lateral means are those of the same draws as profiles; what cannot be is refused before any work.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/run"
small=(-ensemble_cells "8,6,4" -ensemble_lateral "3e-4,2e-4" -porosity_anisotropy "4,2" -ensemble_conditions 24 -ensemble_realisations 4)
whole=("${small[@]}" -ensemble_whole_fields true -train_steps 0 -train_modes 6 -train_degree_mean 1 -train_degree_scale 1 -sample_source best)
asked=(-uq_count 4500 -uq_exceed "c > 1450, mean(c > 1200) > 0.6" -uq_quantities "c[0], c[0, 1e-4, 1.5e-4], uneven = sd(phi)")
run() { # RANKS COMMAND ...
  local ranks=$1
  shift
  scoria "$ranks" "$1" "$deck" "${whole[@]}" "${@:2}" >"$work/out" 2>&1 || { fail "$*: exit $?"; cat "$work/out" >&2; }
}

run 3 generate
run 2 train
for ranks in 1 3; do run $ranks uq "${asked[@]}" -uq_file "ranks$ranks.h5"; done
expect 75 'samples of condition 1 of 1 are kept' 2 uq "$deck" "${whole[@]}" "${asked[@]}" -uq_file stopped.h5 -run_max_hours 1e-9
run 1 uq "${asked[@]}" -uq_file stopped.h5
grep -q 'resuming at condition 1' "$work/out" || { fail "a start after a stop"; cat "$work/out" >&2; }
run 2 uq -uq_count 60 -uq_source pde -uq_quantities "c[0]" -uq_file pde.h5 -uq_map F_right -uq_map_points 2
run 3 uq -uq_count 60 -uq_source pde -uq_quantities "c[0]" -uq_file pairs.h5 -uq_map F_right -uq_map_points 2 -ensemble_group_size 2
run 2 uq -uq_count 60 -uq_check 4 -uq_file checked.h5 -uq_sobol 20 -uq_sobol_draws 40
scoria 2 uq "$deck" "${small[@]}" -run_dir "$work/profiles" -uq_count 60 -uq_source pde -uq_quantities "c[0]" -uq_map F_right -uq_map_points 2 >"$work/out" 2>&1 ||
  { fail "profiles"; cat "$work/out" >&2; }

scoria 2 solve "$deck" "${small[@]}" -run_dir "$work/profiles" -sample_count 2 >"$work/out" 2>&1 || { fail "solve"; cat "$work/out" >&2; }

"$PYTHON" - "$work" <<'PY' || fail "what the files hold"
import json, sys, h5py, numpy as np
work = sys.argv[1]
def answer(name):
    a = json.load(open(f"{work}/{name}.json"))
    a.pop("cost")
    return a
one, three, stopped, pde, pairs, checked = (answer("run/" + n) for n in ("ranks1", "ranks3", "stopped", "pde", "pairs", "checked"))
profiles = answer("profiles/uq")
assert one == three == stopped
files = [h5py.File(f"{work}/run/{n}.h5") for n in ("ranks1", "ranks3", "stopped")]
for name in ("fields/c/mean", "fields/phi/quantile", "exceed/0/probability"):
    assert all(f[name][()].tobytes() == files[0][name][()].tobytes() for f in files), name
f = files[0]
assert f["fields/c/sd"].shape == (1, 4, 6, 8) and f["fields/phi/quantile"].shape == (1, 7, 4, 6, 8) and f["exceed/0/probability"].shape == (1, 4, 6, 8)
assert [list(f["fields/c/mean"].dims[a].values())[0].name for a in (1, 2, 3)] == ["/z", "/y", "/x"] and f["z"].shape == (4,) and "covariance" not in f
q = one["conditions"][0]["quantities"]
assert {"min_c", "max_c", "min_phi", "max_phi", "low_c", "high_c", "x_max_c", "phi_collector", "c[0]", "c[0, 1e-4, 1.5e-4]", "uneven"} <= set(q)
# a cell's extremes over all fields are the fields', and its spread is that of the lateral mean and more
assert np.isclose(f["fields/c/max"][()].max(), q["max_c"]["max"], rtol=1e-14, atol=0) and np.isclose(f["fields/phi/min"][()].min(), q["min_phi"]["min"], rtol=1e-14, atol=0)
assert f["fields/c/sd"][0, :, :, 0].min() > q["c[0]"]["sd"] > 0 and q["low_c"]["mean"] > q["min_c"]["mean"] and q["high_c"]["mean"] < q["max_c"]["mean"]
somewhere, cell = f["exceed/0/somewhere_probability"][0], f["exceed/0/probability"][0]
assert somewhere >= cell.max() > 0 and one["conditions"][0]["exceed"][0]["probability"] == somewhere
assert one["conditions"][0]["exceed"][0]["event"] == "c > 1450 somewhere"
# the PDE's, at the same realisations as profiles: one law of the lateral means; two ranks a solve to the solver's tolerance
for a, b, c in zip(pde["conditions"], profiles["conditions"], pairs["conditions"]):
    for name in ("c[0]", "phi_collector"):
        for what in ("mean", "sd"):
            x, y, z = (k["quantities"][name][what] for k in (a, b, c))
            assert abs(x - y) < 1e-7 * abs(y) and abs(x - z) < 1e-5 * abs(x), (name, what, x, y, z)
    assert a["quantities"]["max_c"]["mean"] > b["quantities"]["max_c"]["mean"]
check = checked["conditions"][0]["quantities"]["max_phi"]["check"]
assert check["solves"] == 4 and check["low95"] < check["bias"] < check["high95"]
assert checked["sobol"]["quantities"]["max_c"]["indices"]
PY

# How far out events and quantities were held against the PDE, hot spots and shares of the volume among them.
run 2 compare "${asked[@]}" -compare_conditions 2 -compare_count 60 -compare_directions 8
run 3 uq "${asked[@]}" -uq_count 200 -uq_file tails.h5 -uq_quantiles 0.1,0.9
# (places that do not vary have no bias in SDs)
grep -v '^    x_m.* 0  .*not checked$' "$work/out" | grep -q 'not checked' && { fail "tails of whole fields are not checked"; cat "$work/out" >&2; }
run 1 uq "${asked[@]}" -uq_count 200 -uq_file rare.h5 -uq_quantiles 0.001 -uq_exceed "c > 1500 everywhere, mean(c > 1199) > 0.6"
grep -q 'not checked by compare: tails of mean(c > 1199)' "$work/out" || { fail "an event that compare has not seen"; cat "$work/out" >&2; }
# The cheapest source that is right: the model where its checked bias permits it, never where it does not.
auto=("${asked[@]}" -uq_source auto -uq_count 500 -uq_pilot 100 -uq_tolerance_of means -uq_tolerance_for "max_c,uneven")
run 2 uq "${auto[@]}" -uq_tolerance 0.9 -uq_file auto.h5
grep -q 'use source model' "$work/out" || { fail "a model of whole fields is not taken"; cat "$work/out" >&2; }
grep -q 'source gaussian .*not taken: the model is the Gaussian' "$work/out" || { fail "the Gaussian twice"; cat "$work/out" >&2; }
run 1 uq "${auto[@]}" -uq_tolerance 0.01 -uq_file exact.h5
grep -q 'source model .*not taken: its bias in .*, up to .* SD by compare, exceeds the tolerance' "$work/out" || { fail "a biased model"; cat "$work/out" >&2; }
"$PYTHON" - "$work/run" <<'PY' || fail "tails of whole fields"
import json, sys
tails = {(t["quantity"], t["side"]): t["checked"] for t in json.load(open(f"{sys.argv[1]}/compare.json"))["tails"]}
told, rare = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("tails", "rare"))
at, beyond = told["conditions"][0], rare["conditions"][0]
for name in ("max_c", "low_phi", "uneven", "c[0, 1e-4, 1.5e-4]"):
    assert at["quantities"][name]["checked"] == {side: tails[name, side] for side in ("low", "high")}, name
def side(p):  # the tail of a number that lies above a threshold with probability p
    return "high" if p <= .5 else "low"
for event, name in zip(at["exceed"], ("max_c", "mean(c > 1200)")):
    assert event["checked"] == tails[name, side(event["probability"])], event
assert beyond["exceed"][0]["checked"] == tails["min_c", side(beyond["exceed"][0]["probability"])]
auto, exact = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("auto", "exact"))
bias = {w["source"]: w for w in auto["auto"]["ways"]}["model"]["bias"]
worth = {q["name"]: q["estimates"][0]["bias_upper"] for q in json.load(open(f"{sys.argv[1]}/compare.json"))["worth"]["quantities"]}
assert auto["source"] == "model" and bias == max(worth["max_c"], worth["uneven"]) < 0.9 and exact["source"] in ("pde", "multilevel")
of_max = ("quantile 0.001 of max_c: the lower tail ", "the tail of each agrees with the PDE's down to ")  # alone, or among those alike
assert any(w.startswith(of_max) and "max_c" in w for w in rare["warnings"]), rare["warnings"]
PY

for ranks in 1 2; do run $ranks likelihood -likelihood_output "densities$ranks.h5"; done
grep -q 'what a row has beside the modes' "$work/out" || { fail "likelihood does not say what it leaves out"; cat "$work/out" >&2; }
run 2 likelihood -likelihood_output volumes.h5 -likelihood_count 4 -likelihood_volume always
"$PYTHON" - "$work/run" <<'PY' || fail "densities of whole fields"
import sys, h5py, numpy as np
one, two, volumes = (h5py.File(f"{sys.argv[1]}/{n}.h5") for n in ("densities1", "densities2", "volumes"))
p = one["log_density"][:]
assert p.tobytes() == two["log_density"][:].tobytes() and np.isfinite(p).all() and "log_volume" not in one
assert (p == one["log_density_gaussian"][:]).all() and np.isfinite(volumes["log_volume"][:]).all() and volumes["log_volume"].shape == (4,)
PY


# What two sensors of little noise read is what the fields given it have there.
sensors=(-sensors_at "c:1e-5:1e-4:1.5e-4,c:6e-5:2.4e-4:0.1e-4" -sensors_value "1400,1150" -sensors_sd 2 -infer_count 400 -infer_keep 10)
for ranks in 1 2; do run $ranks infer "${sensors[@]}" -infer_file "given$ranks.h5"; done
expect 75 'the inference restarts from the beginning' 2 infer "$deck" "${whole[@]}" "${sensors[@]}" -infer_file again.h5 -run_max_hours 1e-9
run 2 infer "${sensors[@]}" -infer_file again.h5
# Stopped among the fields of its particles: they are not drawn again, and end in the same bits on any ranks.
many=("${sensors[@]}" -infer_count 6000)
run 2 infer "${many[@]}" -infer_file many.h5
last_options infer "$deck" "${whole[@]}" "${many[@]}" -infer_file pieces.h5
for ((i = 0; i < 10; i++)); do # until one start is met between its first checkpoint of fields and its end
  rm -f "$work/run/pieces."*
  "$SCORIA" "${kept_options[@]}" -run_checkpoint_minutes 1e-9 </dev/null >"$work/out" 2>&1 &
  while [ ! -e "$work/run/pieces.h5.fields.ckpt" ] && kill -0 $! 2>/dev/null; do sleep .005; done
  kill -USR1 $! 2>/dev/null
  code=0
  wait $! || code=$?
  [ "$code" -ne 75 ] || break
done
grep -q 'fields of the \(prior\|posterior\) are kept' "$work/out" || { fail "infer was not stopped among fields"; cat "$work/out" >&2; }
run 3 infer "${many[@]}" -infer_file pieces.h5
grep -q 'pieces.h5.fields.ckpt: resuming at field [1-9][0-9]* of 6000' "$work/out" || { fail "infer did not resume among fields"; cat "$work/out" >&2; }
ls "$work/run"/*.ckpt* 2>/dev/null && fail "infer left a checkpoint"
"$PYTHON" - "$work/run" <<'PY' || fail "fields of particles in pieces"
import sys
from arrays import arrays_of
one, other = (arrays_of(f"{sys.argv[1]}/{name}.h5") for name in ("many", "pieces"))
assert one.keys() == other.keys() and len(one) > 20
for key in one:
    assert one[key].tobytes() == other[key].tobytes(), key
PY
printf 'c 1e-5 1e-4 1.5e-4 1400 2\nc 6e-5 2.4e-4 0.1e-4 1150 2\n' >"$work/readings"
run 1 infer -sensors_file "$work/readings" -infer_count 400 -infer_keep 10
"$PYTHON" - "$work/run" <<'PY' || fail "infer of whole fields"
import json, sys, h5py, numpy as np
files = [h5py.File(f"{sys.argv[1]}/{n}.h5") for n in ("given1", "given2", "again", "posterior")]
f, names = files[0], []
f.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" else None)
assert all(g[n][()].tobytes() == f[n][()].tobytes() for g in files for n in names) and "sensors/z" in names
mean = f["fields/c/mean"]
assert mean.shape == (4, 6, 8) and f["fields/phi/quantile"].shape == (7, 4, 6, 8) and f["particles/c"].shape == (10, 4, 6, 8)
assert [list(d.values())[0].name for d in mean.dims] == ["/z", "/y", "/x"]
# 0.4 is four standard errors of a mean of 400 of noise 2; kept fields have the readings within 5 of their noise
assert (abs(f["sensors/mean"][:] - f["sensors/value"][:]) < 0.4 + 0.1 * f["sensors/sd"][:]).all() and (abs(f["sensors/posterior_sd"][:] / 2 - 1) < 0.15).all()
# the first sensor is in the middle of z, between the cells about y = 1e-4: x = 1e-5 by hand
x, y, z = (f[a][:] for a in "xyz")
along = np.array([[np.interp(1e-5, x, line) for line in plane] for plane in f["particles/c"][:].reshape(-1, 6, 8)]).reshape(10, 4, 6)
read = [np.interp(1.5e-4, z, [np.interp(1e-4, y, row) for row in one]) for one in along]
assert (abs(np.array(read) - 1400) < 5 * 2).all()
assert f["fields/c/sd"][:].min() > 0 and f["quantities/max_c/sd"][0] < f["prior/quantities/max_c/sd"][0]
assert [s["z"] for s in json.load(open(f"{sys.argv[1]}/given1.json"))["sensors"]] == [1.5e-4, 0.1e-4]
PY

bad() { # PATTERN ...: infer refuses
  expect 3 "$1" 2 infer "$deck" "${whole[@]}" "${sensors[@]}" -infer_file bad.h5 "${@:2}"
}
bad 'found "c:1e-5:1e-4", expected field:x:y:z' -sensors_at "c:1e-5:1e-4,c:6e-5:0:0"
printf 'c 1e-5 1400 2\n' >"$work/readings"
expect 3 'line 1: found 4 words, expected a field and five numbers: field x y z value sd' 2 infer "$deck" "${whole[@]}" -sensors_file "$work/readings" -infer_file bad.h5
bad 'reading 2: found z = 0.01 m, allowed 0 to 0.0002 m' -sensors_at "c:1e-5:1e-4:0,c:6e-5:0:0.01"
bad 'of whole fields in the basis lateral all are known' -infer_conditions all
mkdir "$work/network"
cp "$work/run/dataset.h5" "$work/network" || fail "a second run directory"
run 2 train -run_dir "$work/network" -train_steps 4
bad 'found whole fields of a network in the basis lateral, expected those of the conditional Gaussian' -run_dir "$work/network" -train_steps 4 -sample_source network
run 2 infer "${sensors[@]}" -run_dir "$work/network" -train_steps 4 -sample_source network -infer_prior gaussian

run 2 report
# The page has maps of the fields before and after the readings.
if command -v gnuplot >/dev/null 2>&1 && [ ! -s "$work/run/figures/posterior.svg" ]; then fail "no figure of a posterior"; fi
"$PYTHON" - "$work/run" <<'PY' || fail "maps of a posterior"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1] + "/posterior.h5")
k = np.abs(f["z"][:] - 1.5e-4).argmin()  # the plane of the first reading
for i, (name, scale) in enumerate((("c", 1), ("phi", 1e3))):
    before, after = (f[g + "fields/" + name + "/mean"][k].ravel() * scale for g in ("prior/", ""))
    left = (f["fields/" + name + "/sd"][k] / f["prior/fields/" + name + "/sd"][k]).ravel()
    for column, expected in zip(np.loadtxt(f"{sys.argv[1]}/figures/data/posterior{i + 1}.dat").T[2:], (before, after, left)):
        assert np.allclose(column, expected, rtol=1e-3, atol=0), name
sensors = np.loadtxt(sys.argv[1] + "/figures/data/posterior_sensors.dat")
assert np.allclose(sensors, [[10, 100, 0, 1], [60, 240, 0, 0]], rtol=1e-5, atol=0), sensors
PY
expect 3 'run_memory: found 0.01 GB, but statistics of whole fields of 384 values at 1 conditions ([0-9.e-]* GB for each) take [0-9.]* GB of a rank' 2 uq "$deck" "${whole[@]}" -uq_file small.h5 -run_memory 0.01
expect 3 'run_memory: found 0.2 GB, but sums of whole fields of 384 values by [2-9] fidelities (a pilot of 50000 draws: [0-9.e-]* GB) take [0-9.]* GB of a rank' 2 uq "$deck" "${whole[@]}" -uq_file small.h5 -uq_source multilevel -uq_budget 1 -uq_pilot 50000 -run_memory 0.2
expect 3 'run_memory: found 1e-06 GB, but volumes of whole fields take [0-9.e-]* GB of a rank' 2 likelihood "$deck" "${whole[@]}" -likelihood_output bad.h5 -likelihood_volume always -run_memory 1e-6
expect 3 'has 8 x 1 x 1 cells, the model was trained on 8 x 6 x 4' 2 likelihood "$deck" "${whole[@]}" -likelihood_output bad.h5 -likelihood_file "$work/profiles/solve.h5"
expect 3 'too few places in brackets' 2 uq "$deck" "${whole[@]}" -uq_file bad.h5 -uq_quantities "c[0, 1e-4]"
expect 3 'expected a number from 0 to 0.0003 m along y' 2 uq "$deck" "${whole[@]}" -uq_file bad.h5 -uq_quantities "c[0, 1, 1e-4]"
finish
