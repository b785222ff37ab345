#!/usr/bin/env bash
# The long set, one command: run_long.sh [KILLS=500] [SEED].  Random kills (and signals) at random times of one rank, all ranks or mpirun, over chains of
# generate, train and sample on random numbers of ranks, every chain compared byte by byte in the end; then every step of test_kills and
# test_errors, of test_grow and test_disk, test_signals and test_privilege; beside them, on a core of its own, every byte of test_flips.
# FAULT_ONLY=kills stops after the first.  LONG_STRIDE=4 LONG_FIRST=0 takes every fourth step only: four runs, with LONG_FIRST 0 to 3, take them all.
# Prints a table for README.md.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
wanted=${1:-500}
RANDOM=${2:-$$}
stride=${LONG_STRIDE:-1}
began=$SECONDS
fault_deck "$deck"
# Long enough that most kills meet the command at its work: 6400 solves, 400 steps, 6000 samples.
more=(-ensemble_conditions 100 -ensemble_realisations 64 -train_steps 400 -train_batch 64 -train_width 32 -sample_count 6000 -run_checkpoint_minutes 0.0005)

table() { echo "| $(date -u +%F) | $1 | $2 | $3 | $4 |"; }

# run_test NAME STRIDE: one of the quick set at every STRIDE-th step, its row of the table into $work/NAME.row.
run_test() {
  local start=$SECONDS bad every=every
  FAULT_STRIDE=$2 FAULT_FIRST=${LONG_FIRST:-0} bash "$(dirname "$0")/test_$1.sh" >"$work/$1.long" 2>&1 || true
  bad=$(grep -c '^FAILED' "$work/$1.long")
  grep -A12 '^FAILED' "$work/$1.long" | head -100 >&2
  tail -1 "$work/$1.long" | grep -q 'checks \(passed\|failed\)$' || { bad=$((bad + 1)) && tail -3 "$work/$1.long" >&2; }
  [ "$2" -eq 1 ] || every="every ${2}th, from ${LONG_FIRST:-0} on"
  table "test_$1.sh, $every step" "$(grep -E '^[0-9]+ (kills|faults)|^(dataset|model|checkpoint) of' "$work/$1.long" | tr '\n' ';' | sed 's/;$//; s/;/; /g')" \
    $((SECONDS - start)) "$bad" >"$work/$1.row"
  echo "$bad" >"$work/$1.bad"
}

if [ "${FAULT_ONLY:-}" != kills ]; then
  run_test flips 1 &
  flips=$!
fi

reference=$work/reference
declare -A span
for command in generate train sample; do
  start=$(date +%s%N)
  scoria 2 "$command" "$deck" -run_dir "$reference" "${more[@]}" </dev/null >"$work/out" 2>&1 || { fail "the reference: $command"; cat "$work/out" >&2; finish; }
  span[$command]=$((($(date +%s%N) - start) / 1000000)) # ms
done

kills=0 chains=0 late=0 stuck=0
declare -A met

# Waits for the end of mpirun PID.  One that has no rank left and yet does not end, for ten seconds, hangs in its own finalisation
# (libpmix 4.2.2 does, when a rank dies while it connects): it is killed, and counted.
wait_end() { # PID DIR
  local idle=0
  while kill -0 "$1" 2>/dev/null; do
    if pgrep -f -- "^$SCORIA .*-run_dir $2 " >/dev/null; then idle=0; else idle=$((idle + 1)); fi
    if [ "$idle" -ge 100 ]; then
      stuck=$((stuck + 1))
      pkill -KILL -P "$1"
      break
    fi
    sleep 0.1
  done
}

# Strikes one start of COMMAND in DIR after a random time; true when the command has ended well.
strike() { # COMMAND DIR
  local command=$1 dir=$2 ranks=$((RANDOM % 3 + 1)) target wait_ms pid code=0 ours
  local targets=(rank rank all mpirun usr1)
  target=${targets[RANDOM % 5]}
  wait_ms=$((RANDOM * 13 % (span[$command] * 5 / 4) + 1))
  timeout 300 "$MPIEXEC" -n "$ranks" "$SCORIA" "$command" "$deck" -run_dir "$dir" "${more[@]}" </dev/null >"$work/out" 2>&1 &
  pid=$!
  sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
  mapfile -t ours < <(pgrep -P "$(pgrep -P "$pid" | head -1)" -x scoria 2>/dev/null | sort -n)
  if kill -0 "$pid" 2>/dev/null; then
    case $target in
      rank) [ "${#ours[@]}" -eq 0 ] || kill -KILL "${ours[RANDOM % ${#ours[@]}]}" 2>/dev/null ;;
      all) [ "${#ours[@]}" -eq 0 ] || kill -KILL "${ours[@]}" 2>/dev/null ;;
      mpirun) kill -KILL "$(pgrep -P "$pid" | head -1)" 2>/dev/null ;;
      usr1) kill -USR1 "$(pgrep -P "$pid" | head -1)" 2>/dev/null ;;
    esac
  fi
  wait_end "$pid" "$dir"
  { wait "$pid" || code=$?; } 2>/dev/null
  # Ranks that were starting when mpirun died may hold no lock yet, and go on for a moment.
  for ((n_wait = 0; n_wait < 300; n_wait++)); do
    pgrep -f -- "-run_dir $dir" >/dev/null || break
    sleep 0.1
  done
  wait_free "$dir"
  right "$dir" "$command" "$command, $target after $wait_ms ms"
  if [ "$code" -eq 0 ]; then
    late=$((late + 1))
    return 0
  fi
  kills=$((kills + 1))
  met[$command]=$((${met[$command]:-0} + 1))
  case $code in
    75 | 137 | 138) ;; # stopped in good order; killed; USR1 before anybody listened
    141) ;;            # mpirun wrote to a rank that was dead, and died of SIGPIPE itself
    139) # mpirun again, in PMIx_server_finalize of libpmix 4.2.2, when ranks die while it ends
      grep -q 'PMIx_server_finalize' "$work/out" || { fail "$command, $target after $wait_ms ms: exit $code" && cat "$work/out" >&2; }
      ;;
    124) fail "$command, $target after $wait_ms ms: hangs" ;;
    *) fail "$command, $target after $wait_ms ms: exit $code" && cat "$work/out" >&2 ;;
  esac
  return 1
}

while [ "$kills" -lt "$wanted" ]; do
  dir=$work/chain
  rm -rf "$dir"
  mkdir "$dir"
  for command in generate train sample; do
    # some strikes, then the end in peace
    for ((n = RANDOM % 5 + 1; n > 0; n--)); do strike "$command" "$dir" && break; done
    again $((RANDOM % 3 + 1)) "$command" "$dir" "chain $chains" "${more[@]}"
  done
  chains=$((chains + 1))
  if [ $((chains % 5)) -eq 0 ]; then echo "$kills of $wanted kills, $chains chains, $failures failures, $((SECONDS - began)) s"; fi
done

echo
table "random kills (generate ${met[generate]:-0}, train ${met[train]:-0}, sample ${met[sample]:-0})" "$kills kills in $chains chains; mpirun hung by itself $stuck times" $((SECONDS - began)) "$failures"
[ "${FAULT_ONLY:-}" != kills ] || { finish; exit; }

for test in kills errors grow disk signals privilege; do
  run_test "$test" "$stride"
  cat "$work/$test.row"
done
wait "$flips"
cat "$work/flips.row"
for test in flips kills errors grow disk signals privilege; do failures=$((failures + $(cat "$work/$test.bad"))); done
finish
