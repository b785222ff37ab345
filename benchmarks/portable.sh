#!/usr/bin/env bash
# A build for any processor of this kind (SCORIA_NATIVE=OFF) against one for this processor: the same bits of dataset, model and samples, and
# the ratio of their rates, medians over rounds in which they take turns.
#
#   benchmarks/portable.sh DIR [ROUNDS]
#
# DIR is where both builds go, or are brought up to date.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../jobs/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/environment.sh"

if [ "$#" -lt 1 ]; then fail "usage: benchmarks/portable.sh DIR [ROUNDS]"; fi
dir=$(realpath -m "$1")
rounds=${2:-7}
SCORIA_BUILD=$dir/native configure_and_build -DCMAKE_BUILD_TYPE=Release -DSCORIA_TESTS=OFF -DSCORIA_NATIVE=ON
SCORIA_BUILD=$dir/portable configure_and_build -DCMAKE_BUILD_TYPE=Release -DSCORIA_TESTS=OFF -DSCORIA_NATIVE=OFF
cd "$dir"

# One run directory for both in turn, since its name is in every file's deck; dates are in attributes of the root, which are not compared.
for build in native portable; do
  rm -rf same "$build.files"
  for command in generate train sample; do
    "$dir/$build/scoria" "$command" "$SCORIA_SOURCE/input/quickstart.yaml" -run_dir same -ensemble_conditions 64 -ensemble_realisations 8 \
      -train_steps 50 -sample_count 200 >"$build.log"
  done
  mv same "$build.files"
done
for file in dataset model samples; do
  if h5diff -q --exclude-attribute / "native.files/$file.h5" "portable.files/$file.h5"; then
    say "$file.h5: the same bits"
  else
    fail "$file.h5 differs"
  fi
done

# measure BUILD: a line for every rate, name and number.
measure() {
  local build=$1
  "$dir/$build/benchmarks/bench_train" -seconds 1 | awk '$1 == "modes" || $1 == "cnn1d" {print "training, " $1 "\t" $5}'
  "$dir/$build/benchmarks/bench_sample" | awk '$1 == "abm" {print "sampling\t" $2} $1 == "conditional" {print "Gaussian alone\t" $3}'
  "$dir/$build/benchmarks/bench_sample" -bfloat16 true | awk '$1 == "abm" {print "sampling, bfloat16\t" $2}'
  "$dir/$build/benchmarks/bench_solver" | awk '/solves\/s/ {print "solves\t" $NF}'
}
: >rates
for ((round = 0; round < rounds; round++)); do
  for build in native portable; do
    measure "$build" | sed "s/^/$build\t/" >>rates
  done
done

median() { # of the lines that come in
  sort -g | awk '{x[NR] = $1} END {print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2}'
}
say "rate | native | portable | portable / native, round by round: median (least, most)"
cut -f 2 rates | awk '!seen[$0]++' | while read -r name; do
  for build in native portable; do
    awk -F '\t' -v b="$build" -v n="$name" '$1 == b && $2 == n {print $3}' rates >"$build.rate"
  done
  paste native.rate portable.rate | awk '{print $2 / $1}' | sort -g >ratio
  say "$name | $(median <native.rate) | $(median <portable.rate) | $(median <ratio) ($(head -n 1 ratio), $(tail -n 1 ratio))"
done
