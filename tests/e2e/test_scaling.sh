#!/usr/bin/env bash
# A scaling study in three commands: the table of invented logs, whose numbers are known; what is refused; and a study of a tiny deck on one
# and two ranks without Slurm.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
SCORIA_BUILD=$(dirname "$SCORIA")
export SCORIA_BUILD
scaling() { # SCRIPT [argument ...]
  bash "$SCORIA_SOURCE/jobs/$1.sh" "${@:2}"
}

# cell CSV COMMAND PHASE KIND RANKS COLUMN
cell() {
  awk -F , -v command="$2" -v phase="$3" -v kind="$4" -v ranks="$5" -v wanted="$6" \
    'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $2 == command && $3 == phase && $5 == kind && $6 == ranks { print $at[wanted] }' "$1"
}
is() { # EXPECTED CSV COMMAND PHASE KIND RANKS COLUMN
  local found
  found=$(cell "${@:2}")
  # Six digits are printed.
  awk -v a="$1" -v b="$found" 'BEGIN { exit !(b != "" && (a - b) ^ 2 <= (1e-5 * a) ^ 2) }' || fail "${*:3}: found '$found', expected $1"
}

# An invented study: 4 ranks on 2 nodes take 3 s where one takes 8; 100 steps of an allreduce of 800 bytes.
invent() { # DIR RANKS NODES REPETITION SOLVE ALLREDUCE
  local run=$1/ranks-$2/rep-$4 all="\"ranks\":$2,\"nodes\":$3"
  mkdir -p "$run"
  cat >"$run/log.jsonl" <<LOG
{"time":"t","event":"start","command":"generate","ranks":$2}
{"time":"t","event":"dealing","round_rows":100,"first_rows":10,"known_rows":4,"chunk_rows":256,"chunk_seconds":0.02,"round_chunks":4,"load":0.1}
{"time":"t","event":"phase","of":"generate","phase":"deal","model":"deal","roof":"none",$all,"seconds":0.001,"mean":0.001,"least":0.001,"calls":100,"items":800,"unit":"rows","bytes":0,"flops":0}
{"time":"t","event":"phase","of":"generate","phase":"solve","model":"parallel","roof":"double",$all,"seconds":$5,"mean":$5,"least":$5,"calls":800,"items":800,"unit":"rows","bytes":0,"flops":4e9}
{"time":"t","event":"phase","of":"generate","phase":"elapsed","model":"sum","roof":"none",$all,"seconds":$5,"mean":$5,"least":$5,"calls":$2,"items":0,"unit":"commands","bytes":0,"flops":0}
{"time":"t","event":"phase","of":"train","phase":"step","model":"parallel","roof":"single",$all,"seconds":2,"mean":2,"least":2,"calls":$((100 * $2)),"items":25600,"unit":"rows","bytes":0,"flops":1e9}
{"time":"t","event":"phase","of":"train","phase":"allreduce","model":"allreduce","roof":"none",$all,"seconds":$6,"mean":$6,"least":$6,"calls":$((100 * $2)),"items":100,"unit":"steps","bytes":$((80000 * $2)),"flops":0}
{"time":"t","event":"phase","of":"train","phase":"elapsed","model":"sum","roof":"none",$all,"seconds":4,"mean":4,"least":4,"calls":$2,"items":0,"unit":"commands","bytes":0,"flops":0}
LOG
  echo "{\"event\":\"machine\",\"ranks\":$2,\"triad\":1e10,\"single\":$((2 * $2))e9,\"double\":$2e9,\"latency\":1e-3,\"bandwidth\":1e6,\"ticket\":1e-6,\"write\":1e9,\"read\":1e9}" >"$1/ranks-$2/machine.jsonl"
  touch "$run/done"
}
made=$work/made
mkdir "$made"
printf 'kind strong\nmicro 8\n' >"$made/study.txt"
for repetition in 1 2 3; do
  invent "$made" 1 1 "$repetition" "$((6 + repetition))" 1
  invent "$made" 4 2 "$repetition" 3 2
done
rm "$made/ranks-1/rep-3/done" # one that was interrupted does not count
scaling scaling_collect "$made" >"$work/out" || fail "scaling_collect.sh: $(cat "$work/out")"
csv=$made/scaling.csv
is 7.5 "$csv" generate solve measured 1 seconds              # of 7 and 8
is "$(awk 'BEGIN { print 1 / 7.5 }')" "$csv" generate solve measured 1 spread
is 1.25 "$csv" generate solve measured 4 efficiency          # 2.5 times the rate on 2 nodes
is "$(awk 'BEGIN { print 800 / 3 }')" "$csv" generate solve measured 4 items_per_second
is "$(awk 'BEGIN { print 400 / 3 }')" "$csv" generate solve measured 4 items_per_second_per_node
is "$(awk 'BEGIN { print 1 / 3 }')" "$csv" generate solve measured 4 roofline_share # 4e9 flop at 4e9 flop/s take 1 s of 3
is "$(awk 'BEGIN { print 7.5 / 4 }')" "$csv" generate solve measured 4 predicted_seconds
is "$(awk 'BEGIN { print 7.5 / 1024 * 1.28 }')" "$csv" generate solve predicted 1024 predicted_seconds # 800 rows: the time of one
# Two rounds of 100 rows a rank, begun by 4 draws of 1 us each; half a solve of waiting at the end of each and of the command.
is "$(awk 'BEGIN { print 2 * 4e-6 + 3 * 7.5 / 800 / 2 }')" "$csv" generate deal measured 4 predicted_seconds
is .25 "$csv" train step predicted 8 predicted_seconds
is .25 "$csv" train step predicted 1024 predicted_seconds    # 8 micro-batches
# What one rank takes for itself, and 100 allreduces: 3 ceil(log2 16) latencies, 2 * 15/16 * 800 bytes.
is "$(awk 'BEGIN { print 1 + 100 * (12 * 1e-3 + 2 * 15 / 16 * 800 / 1e6) }')" "$csv" train allreduce predicted 16 predicted_seconds
[ -z "$(cell "$csv" generate solve predicted 32768 predicted_seconds)" ] || fail "more ranks than 16,384 are predicted"
SCORIA_LATENCY=1e-2 SCORIA_PREDICT=16 scaling scaling_collect "$made" >"$work/out" || fail "scaling_collect.sh with a latency: $(cat "$work/out")"
is "$(awk 'BEGIN { print 1 + 100 * (12 * 1e-2 + 2 * 15 / 16 * 800 / 1e6) }')" "$csv" train allreduce predicted 16 predicted_seconds
[ -z "$(cell "$csv" generate solve predicted 32 predicted_seconds)" ] || fail "more ranks than SCORIA_PREDICT are predicted"
grep -q '^| solve | 4 | 2 | 3 | 0.0 % | 267 rows | 133 | 125.0 % | 33.3 % | gemm |' "$made/scaling.md" || fail "scaling.md: $(cat "$made/scaling.md")"

# What is refused, in one line.
refused() { # PATTERN SCRIPT [argument ...]
  local pattern=$1
  shift
  if scaling "$@" >"$work/out" 2>&1; then fail "$*: was not refused"; fi
  grep -q -- "$pattern" "$work/out" || fail "$*: expected '$pattern', found: $(cat "$work/out")"
}
deck=$work/deck.yaml
tiny_deck "$deck" "$work/unused"
refused 'found sideways, expected strong or weak' scaling sideways "$deck" "$work/x" 1
refused 'no such deck' scaling strong "$work/none.yaml" "$work/x" 1
refused 'found two, expected a number of ranks' scaling strong "$deck" "$work/x" 1 two
refused 'no number of ranks' scaling strong "$deck" "$work/x" -train_steps 3
refused 'train_stebs' scaling strong "$deck" "$work/x" 1 -train_stebs 3
refused 'fewer than the 128 ranks' scaling strong "$deck" "$work/y" 128
refused 'holds a study already' scaling strong "$deck" "$made" 1
refused 'a study is begun by' scaling_collect "$work"
refused 'scaling_collect.sh .* makes it' scaling_plot "$work"

# A weak study on one and two ranks: twice the rows on two.
SCORIA_SUBMIT=no SCORIA_REPETITIONS=1 SCORIA_COMMANDS="generate train sample uq" timeout 300 bash "$SCORIA_SOURCE/jobs/scaling.sh" weak "$deck" "$work/weak" 1 2 \
  -uq_count 2048 >"$work/out" 2>&1 || fail "scaling.sh weak: $(cat "$work/out")"
csv=$work/weak/scaling.csv
is 288 "$csv" generate solve measured 1 items
is 576 "$csv" generate solve measured 2 items
is 1920 "$csv" train step measured 1 items
is 3840 "$csv" train step measured 2 items
is 30 "$csv" train allreduce measured 2 items
is 80 "$csv" sample sample measured 2 items
is 4096 "$csv" uq sample measured 2 items
is 4718592 "$csv" generate solve predicted 16384 items
for phase in draw solve deal exchange write read elapsed; do
  [ -n "$(cell "$csv" generate "$phase" measured 2 seconds)" ] || fail "generate: no row of $phase"
done
[ ! -e "$work/weak/ranks-2/rep-1/dataset.h5" ] || fail "the dataset of a repetition that is done is still there"
if command -v gnuplot >/dev/null 2>&1; then
  for figure in seconds efficiency; do
    [ -s "$work/weak/scaling_$figure.svg" ] || fail "scaling_$figure.svg was not drawn"
  done
fi
finish
