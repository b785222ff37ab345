#!/usr/bin/env bash
# The scripts: clean under shellcheck, usable from any directory and with blanks in paths, and honest about what is missing.
# Programs that they start (cmake, mpirun, sbatch) are replaced by ones that write down how they were called.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

scripts=("$SCORIA_SOURCE"/jobs/*.sh "$SCORIA_SOURCE"/jobs/*.sbatch "$SCORIA_SOURCE"/jobs/site.env "$SCORIA_SOURCE/tests/run.sh"
  "$SCORIA_SOURCE"/tests/lib.sh "$SCORIA_SOURCE"/tests/*/*.sh "$SCORIA_SOURCE/.ci/run")
for script in "${scripts[@]}"; do
  bash -n "$script" || fail "$script does not parse"
done
if command -v shellcheck >/dev/null 2>&1; then
  (cd "$SCORIA_SOURCE" && shellcheck -x -s bash "${scripts[@]}") || fail "shellcheck"
else
  echo "shellcheck is not installed: that check is left out"
fi

# A clone with a blank in its path, and stand-ins that write down their arguments, one call a line.
clone="$work/a clone"
mkdir -p "$clone/build" "$work/bin" "$work/elsewhere"
cp -r "$SCORIA_SOURCE/jobs" "$SCORIA_SOURCE/input" "$clone/"
calls=$work/calls
stand_in() { # NAME BODY
  printf '#!/usr/bin/env bash\n{ printf "%%s" "%s"; printf " <%%s>" "$@"; echo; } >>"%s"\n%s\n' "$1" "$calls" "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
stand_in cmake ''
# shellcheck disable=SC2016
stand_in mpirun 'exit "${MPIRUN_CODE:-0}"'
# shellcheck disable=SC2016
stand_in sbatch 'echo "$((100 + $(grep -c ^sbatch "'"$calls"'")));cluster"'
# shellcheck disable=SC2016
stand_in nproc 'echo "${OMP_NUM_THREADS:-8}"' # as the real one, which believes OMP_NUM_THREADS
stand_in lscpu 'printf "# Core,Socket\n0,0\n0,0\n1,0\n1,0\n0,1\n0,1\n1,1\n1,1\n"'
printf '#!/bin/sh\n' >"$clone/build/scoria"
chmod +x "$clone/build/scoria"

called() { # PATTERN: a call that matches
  grep -q -- "$1" "$calls" || {
    fail "expected a call like: $1"
    cat "$calls" >&2
  }
}

# Runs a script of the clone from another directory with the stand-ins in front.
from_elsewhere() {
  : >"$calls"
  (cd "$work/elsewhere" && unset SCORIA_SOURCE SCORIA_BUILD && PATH="$work/bin:$PATH" "$@") >"$work/out" 2>&1
}

# quickstart: builds, runs the deck with what it was given, tells where the report is.
from_elsewhere env SCORIA_RANKS=3 bash "$clone/jobs/quickstart.sh" -train_steps 7 || fail "quickstart.sh: $(cat "$work/out")"
called '^mpirun <-n> <3> <.*a clone/build/scoria> <run> <input/quickstart.yaml> <-train_steps> <7>$'
called '^cmake <-S> <.*a clone> <-B> <.*a clone/build> <-DCMAKE_BUILD_TYPE=Release>'
grep -q "^report: $clone/runs/quickstart/report.html$" "$work/out" || fail "quickstart.sh names no report: $(cat "$work/out")"
from_elsewhere env -u SCORIA_RANKS OMP_NUM_THREADS=1 bash "$clone/jobs/quickstart.sh" -run_dir /tmp/x/../y || fail "quickstart.sh -run_dir"
called '^mpirun <-n> <4>' # two sockets of two cores of two threads
grep -q "^report: /tmp/y/report.html$" "$work/out" || fail "quickstart.sh -run_dir names another report: $(cat "$work/out")"
# A signal that has ended the program is named; another failure is the program's own line alone.
from_elsewhere env SCORIA_RANKS=1 MPIRUN_CODE=137 bash "$clone/jobs/quickstart.sh"
[ $? -eq 137 ] || fail "quickstart.sh, killed: not the program's exit code"
grep -q '^quickstart.sh: ended by the signal KILL, ' "$work/out" || fail "quickstart.sh, killed: $(cat "$work/out")"
from_elsewhere env SCORIA_RANKS=1 MPIRUN_CODE=3 bash "$clone/jobs/quickstart.sh"
[ $? -eq 3 ] || fail "quickstart.sh, exit 3: not the program's exit code"
if grep -q 'signal' "$work/out"; then fail "quickstart.sh, exit 3: $(cat "$work/out")"; fi
# A quota leaves less than there is: the least of the control group and those above it (version 2; version 1 where it has its own root).
mkdir -p "$work/v2" "$work/v1/cpu"
echo "250000 100000" >"$work/v2/cpu.max"
echo 150000 >"$work/v1/cpu/cpu.cfs_quota_us"
echo 100000 >"$work/v1/cpu/cpu.cfs_period_us"
quota() { # ROOT CGROUPS: what environment.sh makes of them
  # shellcheck disable=SC2016
  env -u OMP_NUM_THREADS PATH="$work/bin:$PATH" SCORIA_CGROUP_ROOT="$1" SCORIA_CGROUP_LIST=<(printf '%s\n' "$2") \
    bash -c '. "$1/jobs/environment.sh"; physical_cores' - "$clone"
}
[ "$(quota "$work/v2" 0::/)" = 2 ] || fail "a quota of 2.5 cores (version 2) leaves $(quota "$work/v2" 0::/)"
[ "$(quota "$work/v2" 0::/job/step)" = 2 ] || fail "a quota of the group above leaves $(quota "$work/v2" 0::/job/step)"
[ "$(quota "$work/v1" 3:cpu,cpuacct:/job)" = 1 ] || fail "a quota of 1.5 cores (version 1) leaves $(quota "$work/v1" 3:cpu,cpuacct:/job)"
mkdir -p "$work/v2/job"
echo "100000 100000" >"$work/v2/job/cpu.max"
[ "$(quota "$work/v2" 0::/job/step)" = 1 ] || fail "the least quota is not taken: $(quota "$work/v2" 0::/job/step)"
echo "max 100000" >"$work/v2/cpu.max"
[ "$(quota "$work/v2" 0::/)" = 4 ] || fail "no quota leaves $(quota "$work/v2" 0::/), expected 4 cores"
echo "900000 100000" >"$work/v2/cpu.max"
[ "$(quota "$work/v2" 0::/)" = 4 ] || fail "a quota beyond the cores leaves $(quota "$work/v2" 0::/)"
from_elsewhere env MPIRUN_CODE=75 bash "$clone/jobs/quickstart.sh"
code=$?
[ "$code" -eq 75 ] || fail "quickstart.sh: exit $code where the program's was 75"

# pipeline: three jobs, each after the one before, on absolute paths.
cp "$clone/input/quickstart.yaml" "$work/elsewhere/my deck.yaml"
from_elsewhere bash "$clone/jobs/pipeline.sh" "my deck.yaml" "my run" -train_steps 9 || fail "pipeline.sh: $(cat "$work/out")"
[ "$(grep -c '^sbatch' "$calls")" -eq 3 ] || fail "pipeline.sh: not three jobs"
tail_of_call="<$work/elsewhere/my deck.yaml> <$work/elsewhere/my run> <-train_steps> <9>"
called "a clone/jobs/generate.sbatch> $tail_of_call\$"
called "<--dependency=afterok:101> .*jobs/train.sbatch> $tail_of_call\$"
called "<--dependency=afterok:102> .*jobs/sample.sbatch> $tail_of_call\$"
grep -q '^sample   103$' "$work/out" || fail "pipeline.sh names no job ids: $(cat "$work/out")"
# In shards: an array, a merge after it, and the others after that.
from_elsewhere env SCORIA_SHARDS=8 bash "$clone/jobs/pipeline.sh" "my deck.yaml" "my run" -train_steps 9 || fail "pipeline.sh: $(cat "$work/out")"
[ "$(grep -c '^sbatch' "$calls")" -eq 4 ] || fail "pipeline.sh in shards: not four jobs"
called "<--array=1-8> .*a clone/jobs/generate_array.sbatch> <8> $tail_of_call\$"
called "<--dependency=afterok:101> .*jobs/merge.sbatch> $tail_of_call\$"
called "<--dependency=afterok:102> .*jobs/train.sbatch> $tail_of_call\$"
called "<--dependency=afterok:103> .*jobs/sample.sbatch> $tail_of_call\$"
# A Slurm that refuses a job, or gives no id: what comes after it is not submitted.
# shellcheck disable=SC2016
stand_in sbatch 'case "$*" in *train.sbatch*) '"exit \${SBATCH_CODE:-0}"' ;; *) echo 101 ;; esac'
for code in 1 0; do
  if from_elsewhere env SBATCH_CODE=$code bash "$clone/jobs/pipeline.sh" "my deck.yaml" "my run"; then fail "pipeline.sh goes on without a job"; fi
  grep -q 'pipeline.sh: train could not be submitted' "$work/out" || fail "pipeline.sh does not say which job was refused: $(cat "$work/out")"
  [ "$(grep -c '^sbatch' "$calls")" -eq 2 ] || fail "pipeline.sh submits what was to wait for a refused job"
done
: >"$calls"
from_elsewhere env SCORIA_SHARDS=some bash "$clone/jobs/pipeline.sh" "my deck.yaml" "my run" && fail "pipeline.sh takes some shards"
[ ! -s "$calls" ] || fail "pipeline.sh submits some shards"
from_elsewhere bash "$clone/jobs/pipeline.sh" nosuch.yaml run && fail "pipeline.sh takes a deck that is not there"
[ ! -s "$calls" ] || fail "pipeline.sh submits with a deck that is not there"

# The batch scripts themselves, as Slurm starts them: a copy elsewhere, from the directory of submission.
cp "$clone/jobs/sample.sbatch" "$work/elsewhere/slurm_script"
from_elsewhere env SLURM_SUBMIT_DIR="$clone" bash slurm_script "my deck.yaml" "my run" -sample_count 5 ||
  fail "sample.sbatch: $(cat "$work/out")"
for command in sample compare report; do
  called "^mpirun <.*a clone/build/scoria> <$command> <my deck.yaml> <-run_dir> <my run> <-sample_count> <5>\$"
done
from_elsewhere env SLURM_SUBMIT_DIR="$clone" bash "$clone/jobs/train.sbatch" && fail "train.sbatch starts without a deck"
from_elsewhere env SLURM_SUBMIT_DIR="$clone" SLURM_ARRAY_TASK_ID=3 bash "$clone/jobs/generate_array.sbatch" 8 "my deck.yaml" "my run" -run_seed 5 ||
  fail "generate_array.sbatch: $(cat "$work/out")"
called "^mpirun <.*a clone/build/scoria> <generate> <my deck.yaml> <-run_dir> <my run> <-run_seed> <5> <-run_shard> <3,8>\$"
from_elsewhere env -u SLURM_ARRAY_TASK_ID SLURM_SUBMIT_DIR="$clone" bash "$clone/jobs/generate_array.sbatch" 8 "my deck.yaml" "my run" &&
  fail "generate_array.sbatch starts outside of an array"
# Stopped in good order: back into the queue, unless that has happened too often.
stand_in scontrol ''
stand_in sleep ''
from_elsewhere env SLURM_SUBMIT_DIR="$clone" SLURM_JOB_ID=42 MPIRUN_CODE=75 bash "$clone/jobs/train.sbatch" "my deck.yaml" "my run"
code=$?
[ "$code" -eq 75 ] || fail "train.sbatch: exit $code where the program's was 75"
called '^scontrol <requeue> <42>$'
from_elsewhere env SLURM_SUBMIT_DIR="$clone" SLURM_JOB_ID=42 SLURM_RESTART_COUNT=20 MPIRUN_CODE=75 bash "$clone/jobs/train.sbatch" "my deck.yaml" "my run"
if grep -q scontrol "$calls"; then fail "train.sbatch requeues for ever"; fi
grep -q 'restarted 20 times already' "$work/out" || fail "train.sbatch does not say why it gives up: $(cat "$work/out")"
# A warning while the program runs is handed on to it, and waited for.
# shellcheck disable=SC2016
stand_in mpirun 'trap "echo warned >>'"$calls"'; exit 75" USR1; for i in $(seq 200); do /bin/sleep 0.05; done'
: >"$calls"
(cd "$work/elsewhere" && unset SCORIA_SOURCE SCORIA_BUILD && PATH="$work/bin:$PATH" SLURM_SUBMIT_DIR="$clone" SLURM_JOB_ID=42 \
  exec bash "$clone/jobs/train.sbatch" "my deck.yaml" "my run") >"$work/out" 2>&1 &
job=$!
for _ in $(seq 200); do
  if grep -q '^mpirun' "$calls"; then break; fi
  /bin/sleep 0.05
done
/bin/sleep 0.3
kill -USR1 "$job"
wait "$job"
code=$?
[ "$code" -eq 75 ] || fail "train.sbatch: exit $code after the warning, expected 75: $(cat "$work/out")"
called '^warned$'
called '^scontrol <requeue> <42>$'
rm "$work/bin/sleep"
# shellcheck disable=SC2016
stand_in mpirun 'exit "${MPIRUN_CODE:-0}"'

mv "$clone/build/scoria" "$clone/build/gone"
from_elsewhere env SLURM_SUBMIT_DIR="$clone" bash "$clone/jobs/train.sbatch" "my deck.yaml" "my run" &&
  fail "train.sbatch starts without the program"
grep -q 'build it first' "$work/out" || fail "train.sbatch does not say what is missing: $(cat "$work/out")"

# install_packages: names what is missing where it cannot be installed; where it can, updates first and installs all at once.
mkdir "$work/bare"
for tool in bash env id sed sort cat dirname python3; do
  ln -s "$(command -v "$tool")" "$work/bare/$tool"
done
PATH="$work/bare" bash "$SCORIA_SOURCE/jobs/install_packages.sh" tests >"$work/out" 2>&1
code=$?
[ "$code" -eq 1 ] || fail "install_packages.sh: exit $code without apt, expected 1"
packages="cmake libpetsc-real-dev libhdf5-openmpi-dev librandom123-dev libcmocka-dev"
for package in $packages; do
  grep -qw -- "$package" "$work/out" || fail "install_packages.sh does not name $package: $(cat "$work/out")"
done
stand_in apt-get ''
# shellcheck disable=SC2016
stand_in sudo '[ "$1" = -n ] && shift; "$@"'
mv "$work/bin/apt-get" "$work/bin/sudo" "$work/bare/"
: >"$calls"
PATH="$work/bare" bash "$SCORIA_SOURCE/jobs/install_packages.sh" tests >"$work/out" 2>&1 ||
  fail "install_packages.sh with apt: $(cat "$work/out")"
grep '^apt-get' "$calls" >"$work/apt"
head -n 1 "$work/apt" | grep -q '<update>' || fail "install_packages.sh installs without an update"
tail -n 1 "$work/apt" | grep -q '<install> <-y> .*<--no-install-recommends>' || fail "install_packages.sh: $(cat "$work/apt")"
for package in $packages; do
  tail -n 1 "$work/apt" | grep -q "<$package>" || fail "install_packages.sh does not install $package"
done
finish
