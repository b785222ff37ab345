#!/usr/bin/env bash
# Disks as they are: a file system that is full at each stage of a run, a limit on file size, directories that cannot be written, files that
# are empty or left from before.  Exit 4 (or 3) and one line; the same command ends well once there is room.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
make_reference run

mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$work"' EXIT

# one_line CODE ... : the exit code was one of these, and there is one line of ours that names a file of the run directory.
one_line() { # WHAT GOT CODE ...
  local what=$1 got=$2
  shift 2
  [[ " $* " == *" $got "* ]] || { fail "$what: exit $got, expected $*"; cat "$work/out" "$work/err" >&2; }
  if [ "$(grep -c '^scoria: ' "$work/err")" -ne 1 ] || ! grep -q "^scoria: .*/" "$work/err" || grep -q 'PETSC ERROR\|Segmentation\|HDF5-DIAG\|signal' "$work/err"; then
    fail "$what: expected one line that names the file"
    cat "$work/err" >&2
  fi
}

start() { # COMMAND DIR [-key value ...]: exit code in $code
  local command=$1 dir=$2
  shift 2
  code=0
  timeout 100 "$MPIEXEC" -n 2 "$SCORIA" "$command" "$deck" -run_dir "$dir" "$@" </dev/null >"$work/out" 2>"$work/err" || code=$?
}

all_right() { # DIR WHAT
  local command
  for command in generate train sample compare; do right "$1" "$command" "$2"; done
}

# Full disks: a tmpfs with some kB more than what is there already, so that it is full at one step or another of each command.  With room
# made, the same command ends well.
full_disk() { # COMMAND kB ...
  local command=$1 more used
  shift
  for more in "$@"; do
    used=$(du -sk "$work/disk" | cut -f1)
    mount -o remount,size=$((used + more))k "$work/disk"
    start "$command" "$work/disk/run"
    if [ "$code" -ne 0 ]; then
      one_line "$command, $more kB free" "$code" 4
      told+="$command, $more kB: $(sed -n 's/^scoria: //p' "$work/err" | sed "s|$work/disk/run/||g" | cut -c1-110)"$'\n'
    fi
    all_right "$work/disk/run" "$command, $more kB free"
  done
  mount -o remount,size=100m "$work/disk"
  start "$command" "$work/disk/run"
  [ "$code" -eq 0 ] || { fail "$command, with room: exit $code"; cat "$work/out" "$work/err" >&2; }
  all_right "$work/disk/run" "$command, with room"
  find "$work/disk/run" -name '*.part' -o -name '*.new' -o -name '*.next' -o -name '*.ckpt*' | grep . && fail "$command, with room: left behind"
}

if [ "$(id -u)" -ne 0 ] || ! { mkdir -p "$work/disk" && mount -t tmpfs -o size=64k tmpfs "$work/disk" 2>/dev/null; }; then
  echo "skipped: full disks need the right to mount a tmpfs"
else
  mounted=$work/disk
  told=
  if [ "${FAULT_STRIDE:-0}" -eq 1 ]; then
    full_disk generate 4 8 12 16 20 400 1040 1060 1100
    full_disk train 4 8 12 20 40 60 80 100 120 140
    full_disk sample 4 8 400 1060 1100
    full_disk compare 4 8 12 20 40 60 80
    full_disk report 4 20 60 100 200 300 400
  else
    full_disk generate 12 1040
    full_disk train 12 80
    full_disk sample 400
    full_disk compare 12
    full_disk report 100
  fi
  printf '%s' "$told"
  for command in generate train sample compare report; do
    grep -q "^$command, " <<<"$told" || fail "the disk was never full in $command"
  done
  umount "$work/disk"
  mounted=
fi

# A limit on file size, here of 32 MB (MPI's shared memory takes files of 4 MB, Open MPI 5's of 16): a file that would be larger, or cannot
# grow, is told as any other failure, and is not the death of the job.
limited() { # DIR [-key value ...]
  local dir=$1
  shift
  code=0
  timeout 100 "$MPIEXEC" -n 2 bash -c 'ulimit -f 32768; exec "$@"' - "$SCORIA" generate "$deck" -run_dir "$dir" "$@" </dev/null >"$work/out" 2>"$work/err" || code=$?
}
limited "$work/run" -ensemble_cells 12000 -ensemble_conditions 64
one_line "a dataset larger than the limit" "$code" 4
rm -rf "$work/run"
mkdir "$work/run"
truncate -s 33554400 "$work/run/log.jsonl"
limited "$work/run"
one_line "log.jsonl at the limit" "$code" 4
right "$work/run" generate "log.jsonl at the limit"

# A directory that cannot be written: mounted for reading where we may, else by its mode.
mkdir -p "$work/readonly"
cp "$work/reference/dataset.h5" "$work/readonly"
locked=
if [ "$(id -u)" -ne 0 ]; then
  chmod a-w "$work/readonly" && locked=mode
elif mount --bind "$work/readonly" "$work/readonly" 2>/dev/null && mount -o remount,ro,bind "$work/readonly" 2>/dev/null; then
  mounted=$work/readonly
  locked=mount
fi
if [ -n "$locked" ]; then
  start run "$work/readonly"
  one_line "a directory that cannot be written" "$code" 4
  start run "$work/readonly/deeper"
  one_line "below a directory that cannot be written" "$code" 4
  # files there can be read from elsewhere
  start compare "$work/elsewhere" -compare_sample "$work/readonly/dataset.h5" -compare_reference "$work/readonly/dataset.h5"
  [ "$code" -eq 0 ] || { fail "reading from a directory that cannot be written: exit $code"; cat "$work/out" "$work/err" >&2; }
  if [ "$locked" = mount ]; then umount "$work/readonly"; else chmod u+w "$work/readonly"; fi
  mounted=
else
  echo "skipped: no directory could be made unwritable"
fi

# Left from before: empty, cut or foreign files under every name the commands write or read.
for name in dataset.h5.part dataset.h5.new dataset.h5 train.ckpt train.ckpt.next train.ckpt.next.part train.jsonl.part model.h5.part model.h5 \
  samples.h5.part samples.h5 compare.h5.part compare.h5 compare.json.part; do
  for stale in empty cut text; do
    rm -rf "$work/run"
    mkdir -p "$work/run"
    case $stale in
      empty) : >"$work/run/$name" ;;
      cut) head -c 9000 "$work/reference/dataset.h5" >"$work/run/$name" ;;
      text) echo 'not what it should be' >"$work/run/$name" ;;
    esac
    [ "${FAULT_STRIDE:-0}" -eq 1 ] || [[ $stale-$name =~ ^(empty-dataset.h5.part|cut-dataset.h5|text-train.ckpt|empty-model.h5.part)$ ]] || continue
    before=$(cksum <"$work/run/$name")
    start run "$work/run"
    if [ "$code" -eq 0 ]; then
      all_right "$work/run" "$stale $name"
    else
      one_line "$stale $name" "$code" 3
      grep -q "$work/run/$name" "$work/err" || fail "$stale $name: the line names another file"
      [ "$(cksum <"$work/run/$name")" = "$before" ] || fail "$stale $name: it was refused, and changed"
    fi
  done
done
finish
