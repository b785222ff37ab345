#!/usr/bin/env bash
# A strong scaling study under a real Slurm: a job for one rank and one for two, whose ends leave a table of both.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/slurm/cluster.sh
. "$(dirname "$0")/cluster.sh"
start_cluster
make_clone
ln -s "$(dirname "$SCORIA")/benchmarks" "$clone/build/benchmarks"
deck=$work/deck.yaml
study=$work/study
tiny_deck "$deck" "$work/unused"

(cd "$clone" && env -u SCORIA_SOURCE SCORIA_REPETITIONS=2 SCORIA_COMMANDS="generate train" bash jobs/scaling.sh strong "$deck" "$study" 1 2 -train_steps 20) \
  >"$work/out" 2>&1 || fail "scaling.sh: $(cat "$work/out")"
read -r one two <<<"$(sed -n 's/^[12] ranks: job \([0-9]*\)$/\1/p' "$work/out" | tr '\n' ' ')"
[ -n "${two:-}" ] || fail "scaling.sh submitted no two jobs: $(cat "$work/out")"
for job in "$one" "$two"; do
  wait_for "$job" 200 COMPLETED FAILED CANCELLED TIMEOUT
  [ "$(state_of "$job")" = COMPLETED ] || { fail "job $job: $(state_of "$job")"; tail -n 5 "$study"/ranks-*/job-"$job".out >&2; }
done
for ranks in 1 2; do
  for phase in generate,solve train,step train,allreduce train,elapsed; do
    grep -q "^strong,$phase,[a-z]*,measured,$ranks,1,2," "$study/scaling.csv" || fail "scaling.csv: no two repetitions of $phase on $ranks ranks"
  done
  grep -q "\"ranks\":$ranks,\"triad\":[1-9]" "$study/ranks-$ranks/machine.jsonl" || fail "the machine was not measured on $ranks ranks"
done
finish
