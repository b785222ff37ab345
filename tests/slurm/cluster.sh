# shellcheck shell=bash
# shellcheck disable=SC2154
# A Slurm of its own on this machine: munged, slurmctld and two slurmd (n1, n2) with configuration, state and logs under $work, stopped
# when the test ends, however it ends.  Sourced after tests/lib.sh; says why and exits with 77 where it cannot be.

skip() {
  echo "SKIPPED: $*"
  exit 77
}

[ "$(id -u)" -eq 0 ] || skip "a Slurm of one's own needs root"
for tool in munged mungekey slurmctld slurmd sbatch squeue scontrol sinfo; do
  command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed (Debian: slurm-wlm, munge)"
done
# One that has ended and that nobody has waited for yet, as in a container, does not count.
pgrep -x --runstates D,R,S,T slurmctld >/dev/null && skip "a slurmctld is running here already"

cluster=$work/cluster
export SLURM_CONF=$cluster/slurm.conf
munge_socket=$cluster/munge.socket
FAULT_TOOLS=${FAULT_TOOLS:-$SCORIA_SOURCE/build/tests} # same_arrays

# What runs in this cluster, daemons, job steps and ranks, stopped ones too: they have its configuration in their environment.
members() {
  grep -lsz "^SLURM_CONF=$SLURM_CONF\$" /proc/[0-9]*/environ | cut -d / -f 3 | grep -vx "$$"
}

stop_cluster() {
  scancel --quiet --signal=KILL --user=root >/dev/null 2>&1
  for daemon in slurmctld n1 n2 munged; do
    [ -s "$cluster/$daemon.pid" ] && kill "$(cat "$cluster/$daemon.pid")" 2>/dev/null
  done
  for _ in $(seq 50); do
    pgrep -f "$work/" >/dev/null || break
    sleep 0.1
  done
  for process in $(members); do kill -KILL "$process" 2>/dev/null; done
  [ -n "${SCORIA_KEEP:-}" ] || rm -rf "$work"
}

# Ports from the process id, so that two checkouts can test at once.
port=$((20000 + $$ % 20000))

start_node() {
  slurmd -f "$SLURM_CONF" -N "$1"
}

# A requeued job starts again only when the credential of its last start has expired: after 5 s here, 120 s as a rule.
start_cluster() {
  local host
  host=$(hostname -s)
  mkdir -p "$cluster/state"
  trap stop_cluster EXIT
  mungekey --create --keyfile "$cluster/munge.key"
  munged --force --key-file="$cluster/munge.key" --socket="$munge_socket" --pid-file="$cluster/munged.pid" \
    --log-file="$cluster/munged.log" --seed-file="$cluster/munge.seed" >/dev/null 2>&1 || skip "munged does not start: $(tail -n 1 "$cluster/munged.log" 2>/dev/null)"
  cat >"$SLURM_CONF" <<CONF
ClusterName=scoria
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$munge_socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=1
KillWait=5
JobRequeue=1
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=300
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$cluster/state
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdSpoolDir=$cluster/spool-%n
SlurmdPidFile=$cluster/%n.pid
SlurmdLogFile=$cluster/%n.log
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 3)) CPUs=2
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
  slurmctld -f "$SLURM_CONF" || skip "slurmctld does not start"
  for node in n1 n2; do
    mkdir -p "$cluster/spool-$node"
    start_node "$node" || skip "slurmd does not start: $(tail -n 1 "$cluster/$node.log")"
  done
  for _ in $(seq 150); do
    [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && return
    sleep 0.2
  done
  skip "the nodes do not become idle: $(sinfo 2>&1 | tail -n 1)"
}

# A clone whose jobs ask for what these nodes have; two fake nodes share a host, so Open MPI is kept from using shared memory between them.
make_clone() {
  clone=$work/clone
  mkdir -p "$clone/build"
  cp -r "$SCORIA_SOURCE/jobs" "$clone/"
  ln -s "$SCORIA" "$clone/build/scoria"
  sed -i 's/--nodes=[0-9]*/--nodes=1/; s/--ntasks-per-node=[0-9]*/--ntasks-per-node=2/; s/--time=.*/--time=00:20:00/' "$clone"/jobs/*.sbatch
  echo 'export OMPI_MCA_btl=self,tcp OMPI_MCA_pml=ob1' >>"$clone/jobs/site.env"
  export SCORIA_BUILD=$clone/build
}

# submit_job OUTPUT [sbatch option ...] SCRIPT [argument ...]: the job's id.
submit_job() {
  local output=$1
  shift
  (cd "$clone" && env -u SCORIA_SOURCE sbatch --parsable --output="$output" "$@")
}

same_arrays() { # A B: every array of two files holds the same bytes
  "$FAULT_TOOLS/same_arrays" "$@"
}

# The steps that a training of the deck on RUN_DIR/dataset.h5 makes in so many seconds as things are: how loaded the machine is, is not known.
steps_of() { # SECONDS DECK RUN_DIR [-key value ...]
  local seconds=$1 deck=$2 dir=$3 steps=1500 began
  shift 3
  began=${EPOCHREALTIME/[.,]/}
  scoria 2 train "$deck" -run_dir "$dir" "$@" -train_steps "$steps" </dev/null >"$work/out" 2>&1 || fail "the training that is timed"
  echo $((steps * 1000000 * seconds / (${EPOCHREALTIME/[.,]/} - began)))
}

# A value of a job as scontrol shows it.
job_value() { # JOB NAME
  scontrol show job "$1" 2>/dev/null | sed -n "s/.*\\b$2=\([^ ]*\).*/\1/p"
}

# The state of a job: PENDING, RUNNING, COMPLETED, FAILED, ...
state_of() {
  job_value "$1" JobState
}

# CTest ends a test that is late with KILL, after which nobody would stop the daemons: it is to end on its own before.
time_left() {
  echo $((1500 > SECONDS ? 1500 - SECONDS : 1))
}

# wait_for JOB SECONDS STATE ...: until the job is in one of the states.
wait_for() {
  local job=$1 seconds=$2 state
  shift 2
  for _ in $(seq $((5 * seconds))); do
    state=$(state_of "$job")
    for wanted in "$@"; do
      [ "$state" = "$wanted" ] && return 0
    done
    [ "$(time_left)" -gt 1 ] || { fail "job $job is $state when the time of the test is up"; finish; }
    sleep 0.2
  done
  fail "job $job is $state after $seconds s, expected $*"
  return 1
}
