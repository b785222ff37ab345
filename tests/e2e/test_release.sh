#!/usr/bin/env bash
# Files of the first release, as its own program wrote them, are still read, and its interrupted runs resumed, or refused by name: a
# dataset, a model, the part file of a dataset with one of its 40 rows, the checkpoints of a training (step 1 of 30) and of a uq (1024
# of 8000 samples).
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

tar -xzf "$(dirname "$0")/release-0.1.tar.gz" -C "$work" || fail "release-0.1.tar.gz cannot be unpacked"
deck=$work/deck.yaml
for run in sample train uq fresh; do
  mkdir -p "$work/$run"
  cp "$work/dataset.h5" "$work/$run/"
  [ "$run" = train ] || cp "$work/model.h5" "$work/$run/"
done

run() { # COMMAND DIRECTORY OPTIONS...
  local command=$1 directory=$2
  shift 2
  scoria 2 "$command" "$deck" -run_dir "$work/$directory" "$@" >"$work/out" 2>&1 || {
    fail "$command in $directory"
    cat "$work/out" >&2
  }
}
run generate generate
grep -q '"event":"resume"' "$work/generate/log.jsonl" || fail "the part file of a dataset was not resumed"
# The preparation sums in another order than the release's, so that its whitened rows differ in their last bits: refused by name.
expect 3 'train.ckpt: of a training on other rows than dataset.h5 holds' 2 train "$deck" -run_dir "$work/train"
run uq uq -uq_count 8000
grep -q 'uq.ckpt: .*1024' "$work/out" || { fail "the checkpoint of a uq was not resumed"; cat "$work/out" >&2; }
run uq fresh -uq_count 8000
for command in sample likelihood compare; do run "$command" sample; done
run generate sample # complete, by the deck that is stored in it
grep -q 'dataset.h5 is complete' "$work/out" || fail "the dataset is not taken as complete"
run train sample
grep -q 'model.h5 is complete' "$work/out" || fail "the model is not taken as complete"

"$PYTHON" - "$work" <<'PY' || fail "a resumed run of the first release ends elsewhere"
import sys, numpy as np
from arrays import arrays_of
def arrays(path):
    return {name: a for name, a in arrays_of(f"{sys.argv[1]}/{path}").items() if a.dtype.kind == "f"}
def near(a, b, tolerance):
    a, b = arrays(a), arrays(b)
    assert a.keys() == b.keys() and len(a) > 3
    for key in a:
        if "residual" not in key:  # the solver's last bits
            scale = np.nanmax(np.abs(a[key]), initial=1e-300)
            assert np.allclose(a[key], b[key], rtol=0, atol=tolerance * scale, equal_nan=True), key
near("dataset.h5", "generate/dataset.h5", 1e-6)  # stored in single precision; the solver's tolerance is finer
near("fresh/uq.h5", "uq/uq.h5", 1e-3)  # of 8000 samples, 1024 were drawn by the release's machine
PY
finish
