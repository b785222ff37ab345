#!/usr/bin/env bash
# Least privilege: a run writes in its run directory and nowhere else (what MPI keeps for itself while it runs apart); the names in a deck reach no
# shell; the report shows text as text.
set -uo pipefail
# shellcheck source=tests/faults/faults.sh
. "$(dirname "$0")/faults.sh"

# A run directory whose name would do harm in a shell, in a script of gnuplot or in a page, were it not taken as a name.
name="a \$(touch owned) 'b' \"c\"; touch owned & <script>alert(1)<\\x2fscript> \`touch owned\` | é #%s%n"
fault_deck "$deck"
mkdir "$work/here"
cd "$work/here" || exit 1
scoria 2 run "$deck" -run_dir "$name" </dev/null >"$work/out" 2>"$work/err" || { fail "a strange run directory"; cat "$work/out" "$work/err" >&2; }
scoria 1 uq "$deck" -run_dir "$name" </dev/null >"$work/out" 2>"$work/err" || { fail "uq in a strange run directory"; cat "$work/out" "$work/err" >&2; }
scoria 1 info "$name/dataset.h5" </dev/null >"$work/out" 2>"$work/err" || { fail "info in a strange run directory"; cat "$work/out" "$work/err" >&2; }
[ "$(ls)" = "$name" ] || { fail "something else was made:"; ls -la >&2; }
find "$work" -name 'owned*' | grep . && fail "a name reached a shell"
for file in dataset.h5 model.h5 samples.h5 compare.h5 uq.h5 report.html; do
  [ -s "$name/$file" ] || fail "no $file in a strange run directory"
done
if command -v gnuplot >/dev/null; then [ -s "$name/figures/bands.svg" ] || fail "no figure in a strange run directory"; fi
grep -q '<script' "$name/report.html" && fail "the report has a script in it"
grep -q '&lt;script&gt;alert(1)' "$name/report.html" || fail "the report does not show the name as text"
"$PYTHON" - "$name/log.jsonl" <<'PY' || fail "log.jsonl is not JSON"
import json, sys
for line in open(sys.argv[1]):
    json.loads(line)
PY
cd "$work" || exit 1

# Every call that makes, changes, renames or removes a file, by the kernel's word.
if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
  echo "skipped: what is written where needs strace"
  finish
  exit
fi
mkdir "$work/temporary"
TMPDIR=$work/temporary strace -f -qq -s 4096 -e trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,chown,lchown,fchownat,mknod,mknodat,utimensat,setxattr,chdir,execve \
  -o "$work/calls" "$MPIEXEC" -n 2 "$SCORIA" run "$deck" -run_dir "$work/run" </dev/null >"$work/out" 2>"$work/err" || { fail "a run under strace"; cat "$work/out" "$work/err" >&2; }
# Allowed besides: TMPDIR, /dev/shm (MPI's shared memory), the terminals and what has no contents.
"$PYTHON" - "$work/calls" "$work" "$work/started" >"$work/written" <<'PY' || fail "the calls cannot be read"
import os, re, sys
directory, paths, started, unfinished = {}, set(), set(), {}
for line in open(sys.argv[1], errors="replace"):
    process, call = line.split(None, 1)
    # A call that another process's call came between is told in two lines, its result in the second.
    if call.rstrip().endswith("<unfinished ...>"):
        unfinished[process] = call.rstrip().removesuffix("<unfinished ...>")
        continue
    if call.startswith("<... "):
        call = unfinished.pop(process, "") + call.split(" resumed>", 1)[-1]
    names = re.findall(r'"((?:[^"\\]|\\.)*)"', call)
    if " = -1 E" in call or not names:
        continue
    if call.startswith("chdir("):
        directory[process] = names[0]
    elif call.startswith("execve("):
        started.add(names[0])
    elif call.startswith("open") and not re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", call):
        continue
    else:
        paths.update(os.path.normpath(os.path.join(directory.get(process, sys.argv[2]), name)) for name in names)
print("\n".join(sorted(paths)))
print("\n".join(sorted(started)), file=open(sys.argv[3], "w"))
PY
grep -q "^$work/run/dataset.h5$" "$work/written" || fail "strace did not see the dataset"
if grep -vE "^($work/run(/|$)|$work/temporary(/|$)|/dev/(shm/|null$|tty$|ptmx$|pts/)|/proc/)" "$work/written"; then fail "written outside the run directory"; fi
# What is left in the temporary directory when all is done.
left=$(find "$work/temporary" -type f | head -3)
[ -z "$left" ] || fail "left in the temporary directory: $left"
# The programs that were started: ours, MPI's, gnuplot; no shell by us.
grep -q '/scoria$' "$work/started" || fail "strace did not see the program start"
grep -vE '/(mpirun|mpiexec|orterun|prterun|orted|gnuplot[^/]*|scoria)$' "$work/started" && fail "another program was started"
finish
