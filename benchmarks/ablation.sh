#!/usr/bin/env bash
# What each choice of the score model is worth: one row per variant, on the showcase electrode at a reduced size (262,144 solves,
# 2,000 optimiser steps), against 8 held-out conditions of 10,000 PDE fields.  Writes WORK/ablation.md; about an hour and a half on two cores.
# A row that is already in WORK is not made again, so that an interrupted table continues.
#
#   benchmarks/ablation.sh WORK [PATTERN]      only the rows whose name matches PATTERN (an extended regular expression)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/ablation.sh WORK [PATTERN]"; fi
mkdir -p "$1"
work=$(realpath "$1")
pattern=${2:-.}
ranks=${SCORIA_RANKS:-$(physical_cores)}
deck=$SCORIA_SOURCE/input/electrode.yaml
size=(-ensemble_conditions 2048 -ensemble_realisations 128)
common=(-train_steps 2000 -train_batch 1024 -train_micro_batches 8 -compare_conditions 8 -compare_count 10000)

# scoria COMMAND RUN_DIR [-key value ...]
run_scoria() {
  mpirun -n "$ranks" "$SCORIA_BUILD/scoria" "$1" "$deck" -run_dir "$2" "${size[@]}" "${common[@]}" "${@:3}" \
    >"$2/$1.out" 2>&1 || fail "$1 failed; see $2/$1.out"
}

# The dataset of a number of conditions, made once: data CONDITIONS.
data() {
  local dir=$work/data$1
  mkdir -p "$dir"
  [ -e "$dir/dataset.h5" ] || run_scoria generate "$dir"
}

# row NAME [-key value ...]: trains, compares.
row() {
  local name=$1 dir started
  [[ $name =~ $pattern ]] || return 0
  dir=$work/$name
  if [ ! -e "$dir/compare.json" ]; then
    data "${size[1]}"
    mkdir -p "$dir"
    ln -f "$work/data${size[1]}/dataset.h5" "$dir/dataset.h5"
    started=$SECONDS
    run_scoria train "$dir" "${@:2}"
    printf '%s\n' $((SECONDS - started)) >"$dir/seconds"
    run_scoria compare "$dir" "${@:2}"
  fi
  names+=("$name")
  say "$name: done"
}

# sampler NAME [-key value ...]: compares the default model with another sampler.
sampler() {
  local name=$1 dir=$work/$1
  [[ $name =~ $pattern ]] || return 0
  [ -e "$work/default/model.h5" ] || fail "the sampler rows need the row default"
  if [ ! -e "$dir/compare.json" ]; then
    mkdir -p "$dir"
    ln -f "$work/default/model.h5" "$dir/model.h5"
    printf -- '-\n' >"$dir/seconds"
    run_scoria compare "$dir" "${@:2}"
  fi
  names+=("$name")
  say "$name: done"
}

names=()
row default

# Without whitening, in the coordinates of the usual recipe: noise must reach further in both directions, and of the samplers this one
# serves best there (64 steps are no better).
plain=(-train_whitening false -train_P_mean 0.5 -train_P_std 1.6)
global=(-train_twin false -train_logarithm false -train_degree_mean 0 -train_degree_scale 0)
far=(-sample_sampler dpmpp2m -sample_steps 18 -sample_sigma_max 300)

row network-cnn1d -train_network cnn1d
row network-cnn1d-depth-4 -train_network cnn1d -train_depth 4
row plain-modes "${plain[@]}" "${far[@]}"
row plain-cnn1d "${plain[@]}" "${far[@]}" -train_network cnn1d
row plain-cnn1d-depth-4 "${plain[@]}" "${far[@]}" -train_network cnn1d -train_depth 4
row plain-global-cnn1d-depth-4 "${plain[@]}" "${far[@]}" "${global[@]}" -train_network cnn1d -train_depth 4
row width-128 -train_width 128
row width-256 -train_width 256
row depth-2 -train_depth 2
row depth-4 -train_depth 4
for modes in 4 8 16 24 40; do row "modes-$modes" -train_modes "$modes"; done

row without-twin -train_twin false
row without-logarithm -train_logarithm false
row without-both -train_twin false -train_logarithm false
row scales-of-degree-1 -train_degree_scale 1
row global-normaliser "${global[@]}"

for steps in 500 8000; do row "steps-$steps" -train_steps "$steps"; done
for conditions in 128 512 8192; do
  size=(-ensemble_conditions "$conditions" -ensemble_realisations 128)
  row "rows-$((conditions * 128))"
done
size=(-ensemble_conditions 2048 -ensemble_realisations 128)

for kind in abm ab2 dpmpp2m; do
  for steps in 4 8 16 32; do sampler "$kind-$steps" -sample_sampler "$kind" -sample_steps "$steps"; done
done
for steps in 4 9 18 32; do sampler "heun-$steps" -sample_sampler heun -sample_steps "$steps"; done
for steps in 32 128; do sampler "em-$steps" -sample_sampler em -sample_steps "$steps"; done
for steps in 16 64; do sampler "pc-$steps" -sample_sampler pc -sample_steps "$steps"; done

python3 - "$work" "${names[@]}" >"$work/ablation.md" <<'PY'
import json, os, re, sys
work, names = sys.argv[1], sys.argv[2:]
print("| variant | mean / SD | SD | band | W / floor | worst W / floor | evaluations | MFLOP per field | us per field | training rows | training, s |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
def megaflops(name):  # of an evaluation; a sampler's row is of the default model
    trained = f"{work}/{name}/train.out"
    with open(trained if os.path.exists(trained) else f"{work}/default/train.out") as f:
        return float(re.search(r"([0-9.]+) MFLOP per evaluation", f.read())[1])
def rows(name):
    with open(f"{work}/{name}/deck.yaml") as f:
        ensemble = re.search(r"^ensemble:\n((?:  .*\n)*)", f.read(), re.M)[1]
    return int(re.search("conditions: (\\d+)", ensemble)[1]) * int(re.search("realisations: (\\d+)", ensemble)[1])
def line(name, m, ratio, worst, cost, seconds):
    print(f"| {name} | {m['mean_error']:.4f} | {100 * m['sd_error']:.1f} % | {100 * m['band_error']:.1f} % | {ratio:.2f} | {worst:.2f} "
          f"| {cost} | {seconds}")
floor = gaussian = None
for name in names:
    c = json.load(open(f"{work}/{name}/compare.json"))
    pooled, cost = c["pooled"], c["cost"]
    w = pooled["floor"]["sliced_w"]
    worst = {s: max(k[s]["sliced_w"] for k in c["conditions"]) / w for s in ("model", "gaussian", "floor")}
    line(name, pooled["model"], pooled["model"]["sliced_w"] / w, worst["model"],
         f"{cost['network_evaluations']} | {cost['network_evaluations'] * megaflops(name):.1f} | {1e6 * cost['seconds_model']:.0f} | {rows(name)}",
         open(f"{work}/{name}/seconds").read().strip() + " |")
    if name == "default":
        floor = (pooled["floor"], 1.0, worst["floor"], f"- | - | {1e6 * cost['seconds_pde']:.0f} | -", "- |")
        gaussian = (pooled["gaussian"], pooled["gaussian"]["sliced_w"] / w, worst["gaussian"],
                    f"0 | 0 | {1e6 * cost['seconds_gaussian']:.1f} | {rows(name)}", "- |")
for name, what in (("conditional Gaussian alone", gaussian), ("PDE again (floor)", floor)):
    if what: line(name, *what)
PY
say "wrote $work/ablation.md"
