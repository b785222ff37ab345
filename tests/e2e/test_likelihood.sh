#!/usr/bin/env bash
# likelihood: the same values on any number of ranks, of the conditions that training left out, of samples, and of a file in which the
# conditions stand beside other rows' fields; every process and the stochastic samplers through the command line; bad input.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
run=$work/run
tiny_deck "$deck" "$run"
run() { # RANKS COMMAND ...: must succeed
  scoria "$@" >"$work/out" 2>&1 || {
    fail "scoria $*"
    cat "$work/out" >&2
  }
}
run 2 generate "$deck"
run 2 train "$deck" -train_steps 300

ask=(-train_steps 300 -likelihood_steps 8)
for ranks in 1 2 3; do run "$ranks" likelihood "$deck" "${ask[@]}" -likelihood_output "held$ranks.h5"; done
grep -q 'gain .* bits per learned mode (8)' "$work/out" || fail "no table on standard output"
run 2 likelihood "$deck" "${ask[@]}" -likelihood_probes 40 -likelihood_output probes.h5
run 2 sample "$deck" -train_steps 300
run 1 likelihood "$deck" "${ask[@]}" -likelihood_file "$run/samples.h5" -likelihood_output samples_likelihood.h5

# Fields beside the conditions of others, sums made good.
"$PYTHON" - "$run/dataset.h5" "$work/shuffled.h5" <<'PY' || fail "shuffling"
import shutil, sys
import h5py, numpy as np
from crc32c import crc32c
shutil.copy(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "r+") as f:
    names = ["U0", "F_right", "ell"]
    row = lambda i: b"".join(f["conditions"][n][i].tobytes() for n in names) + b"".join(f["fields"][n][i].tobytes() for n in ("c", "phi", "eps"))
    assert crc32c(row(5)) == f["crc"][5]
    for n in names:
        f["conditions"][n][:] = np.roll(f["conditions"][n][:], 24 * 6)
    f["crc"][:] = [crc32c(row(i)) for i in range(len(f["crc"]))]
PY
for file in "$run/dataset.h5" "$work/shuffled.h5"; do
  run 2 likelihood "$deck" "${ask[@]}" -likelihood_count 144 -likelihood_file "$file" -likelihood_output "of_$(basename "$file")"
done

"$PYTHON" - "$run" <<'PY' || fail "likelihoods"
import sys
import h5py, numpy as np
from arrays import arrays_of
run = sys.argv[1] + "/"
def arrays(name):
    return arrays_of(run + name)
one = arrays("held1.h5")
assert len(one) == 8
with h5py.File(run + "held1.h5") as f: # every array lies along /row
    for name in one:
        assert name == "row" or f[name].dims[0][0] == f["row"], name
for ranks in "23":
    other = arrays(f"held{ranks}.h5")
    assert all(one[k].tobytes() == other[k].tobytes() for k in one), ranks
# two conditions of 48 are left out, six rows each
assert one["row"].size == 12 and len(set(one["row"] // 6)) == 2 and np.all(np.isfinite(one["log_density"]))
data = h5py.File(run + "dataset.h5")
assert np.array_equal(one["conditions/ell"], data["conditions/ell"][:][one["row"].astype(int)])
# a sharper estimate of the same: 40 probes of a trace that the network makes
probes = arrays("probes.h5")
assert np.array_equal(probes["log_density_gaussian"], one["log_density_gaussian"])
gap = np.abs(probes["log_density"] - one["log_density"])
assert 0 < gap.max() < 2, gap
# samples of the model: under their own law 12 coordinates have -6 (1 + ln 2 pi) - gain, give or take sqrt(6/40) three times and what
# 300 steps of training make
s = arrays("samples_likelihood.h5")
assert s["row"].size == 40 and abs(s["log_density"].mean() + 6 * (1 + np.log(2 * np.pi))) < 2
right, wrong = (arrays(f"of_{n}.h5") for n in ("dataset", "shuffled"))
assert right["row"].size == 144 and np.array_equal(right["row"], wrong["row"])
density = [a["log_density"] - a["log_volume"] for a in (right, wrong)]
assert np.mean(density[0]) > np.median(density[1]) + 5, (np.mean(density[0]), np.median(density[1]))
PY

# Other processes in training and in sampling.
for process in vp ve; do
  mkdir "$work/$process"
  cp "$run/dataset.h5" "$work/$process/"
  run 2 train "$deck" -train_process "$process" -run_dir "$work/$process"
  run 1 sample "$deck" -train_process "$process" -run_dir "$work/$process" -sample_sampler pc
  run 2 sample "$deck" -train_process "$process" -run_dir "$work/$process" -sample_sampler heun -sample_process edm -sample_file edm.h5
done

expect 3 'dataset_of_nobody.h5: ' 2 likelihood "$deck" "${ask[@]}" -likelihood_file dataset_of_nobody.h5 -likelihood_output x.h5
expect 3 'model.h5: .*dataset' 1 likelihood "$deck" "${ask[@]}" -likelihood_file "$run/model.h5" -likelihood_output x.h5
expect 3 'model.h5 was trained on other rows (run_seed is 77' 2 likelihood "$deck" "${ask[@]}" -run_seed 77 -likelihood_output x.h5
expect 3 'held1.h5: made by another deck (likelihood_steps is 9' 2 likelihood "$deck" "${ask[@]}" -likelihood_steps 9 -likelihood_output held1.h5
expect 3 'likelihood: steps: found "0"' 1 likelihood "$deck" -likelihood_steps 0
finish
