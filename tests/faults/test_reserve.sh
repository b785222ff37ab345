#!/usr/bin/env bash
# A file system that cannot reserve space (ext2, NFS 3, older Lustre): told once, the dataset is the same, and is made with as many writes as
# elsewhere, not with one in every block, as posix_fallocate's stand-in makes them.  Where not even as much is free, that is told as a full disk.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"
fault_deck "$deck"
make_reference generate

# At most so many writes to the file: every one of them stands for a column of a batch, or a piece of HDF5's own.
count_calls generate 2 0 write
plain=$number
for error in EOPNOTSUPP ENOSYS; do
  prepare "$work/run" generate
  rm -f "$work/log"
  injected 2 "SCORIA_FAULT_KIND=allocate SCORIA_FAULT_AT=1 SCORIA_FAULT_DO=$error+ SCORIA_FAULT_LOG=$work/log" generate "$work/run"
  [ "$code" -eq 0 ] || { fail "$error: exit $code"; cat "$work/out" "$work/err" >&2; }
  [ "$(grep -c 'WARNING: .*cannot reserve space' "$work/out")" -eq 1 ] || { fail "$error: expected one warning"; cat "$work/out" >&2; }
  right "$work/run" generate "$error"
  [ "$(grep -c ' allocate ' "$work/log")" -ge 2 ] || fail "$error: nothing was to be reserved"
  writes=$(grep -c ' write ' "$work/log")
  [ "$writes" -le $((plain + 8)) ] || fail "$error: $writes writes, where space can be reserved $plain"
done

mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$work"' EXIT
mkdir "$work/disk"
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=64k tmpfs "$work/disk" 2>/dev/null; then
  echo "skipped: a full disk needs the right to mount a tmpfs"
else
  mounted=$work/disk
  injected 2 "SCORIA_FAULT_KIND=allocate SCORIA_FAULT_AT=1 SCORIA_FAULT_DO=EOPNOTSUPP+" generate "$work/disk/run"
  [ "$code" -eq 4 ] || fail "not enough is free: exit $code"
  grep -q '^scoria: .*dataset.h5: it needs .* MB on disk' "$work/err" || { fail "not enough is free: another line"; cat "$work/err" >&2; }
  [ ! -e "$work/disk/run/dataset.h5.part" ] || fail "not enough is free: a part file is left"
  umount "$work/disk"
  mounted=
fi

# The real thing, where it can be mounted.
if [ "$(id -u)" -eq 0 ] && command -v mkfs.ext2 >/dev/null && truncate -s 32M "$work/ext2" && mkfs.ext2 -q "$work/ext2" &&
  mount -o loop "$work/ext2" "$work/disk" 2>/dev/null; then
  mounted=$work/disk
  scoria 2 generate "$deck" -run_dir "$work/disk/run" </dev/null >"$work/out" 2>"$work/err" || { fail "ext2"; cat "$work/out" "$work/err" >&2; }
  [ "$(grep -c 'WARNING: .*cannot reserve space' "$work/out")" -eq 1 ] || { fail "ext2: expected one warning"; cat "$work/out" >&2; }
  right "$work/disk/run" generate ext2
  umount "$work/disk"
  mounted=
else
  echo "skipped: an ext2 needs mkfs.ext2, and the right to mount it"
fi
finish
