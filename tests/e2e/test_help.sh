#!/usr/bin/env bash
# Help: of a command its own keys, of all every key once; the page for man is one that man takes; bash completes what there is.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

keys() { # ARGUMENTS...: the keys that help lists
  "$SCORIA" "$@" </dev/null 2>"$work/error" | sed -n 's/^  -\([a-zA-Z0-9_]*\) .*/\1/p' | sort
}
keys -help all >"$work/all"
[ "$(wc -l <"$work/all")" -gt 150 ] || fail "-help all lists $(wc -l <"$work/all") keys"
[ -z "$(uniq -d "$work/all")" ] || fail "-help all lists twice: $(uniq -d "$work/all")"
# PETSc's options know no capitals: two problems' q_left and Q_left would be one key.
[ -z "$(sort -f "$work/all" | uniq -di)" ] || fail "keys that differ in capitals alone: $(sort -f "$work/all" | uniq -di)"
keys run -help | diff -q - "$work/all" >/dev/null || fail "run -help does not list every key"
"$SCORIA" help >"$work/usage" 2>&1 || fail "help: exit $?"
commands=$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/usage")
[ "$(wc -w <<<"$commands")" -ge 14 ] || fail "help lists the commands $commands"
for command in $commands; do
  for asked in "$command -help" "$command --help" "help $command" "$command deck.yaml -h"; do
    # shellcheck disable=SC2086
    "$SCORIA" $asked </dev/null >"$work/out" 2>&1 || fail "$asked: exit $?"
    grep -q "^usage: .*scoria $command " "$work/out" || fail "$asked: $(head -n 3 "$work/out")"
  done
done
sections() { keys "$1" -help | sed 's/_.*//' | sort -u | tr '\n' ' '; }
[ "$(sections import)" = "import io petsc run strict " ] || fail "import -help lists $(sections import)"
[ "$(sections uq)" = "io petsc run sample strict uq " ] || fail "uq -help lists $(sections uq)"
[ "$(sections generate)" = "conditions electrode ensemble heat io petsc porosity run strict " ] || fail "generate -help lists $(sections generate)"
"$SCORIA" uq -help | grep -A 1 -e '-uq_source ' | grep 'one of: model pde multilevel auto; default model' >/dev/null || fail "uq -help says no choices"
if "$SCORIA" -help all | grep 'integer.*[0-9]e+0' >/dev/null; then fail "an integer with an exponent"; fi

# Once, on however many ranks; nothing asked for is a usage error.
for asked in "uq -help" --version -version; do
  # shellcheck disable=SC2086
  scoria 2 $asked </dev/null >"$work/out" 2>&1 || fail "$asked on 2 ranks: exit $?"
  # shellcheck disable=SC2086
  "$SCORIA" $asked | cmp -s - "$work/out" || fail "$asked on 2 ranks prints something else"
done
expect 2 'no command given' 2
expect 2 'unknown command "nosuch"; scoria help lists' 2 nosuch -help
expect 2 'unknown command "infr" (did you mean infer?); scoria help lists' 2 infr -help
"$SCORIA" -help petsc </dev/null >"$work/out" 2>&1 || fail "-help petsc: exit $?"
grep -q -e '-snes_monitor\|-log_view\|-malloc' "$work/out" || fail "-help petsc: $(head -n 3 "$work/out")"

# The page for man.
"$SCORIA" --man >"$work/scoria.1" || fail "--man: exit $?"
sed -n 's/^\.B \\-\([a-zA-Z0-9_]*\)$/\1/p' "$work/scoria.1" | sort | diff - "$work/all" >"$work/out" || fail "keys of the page for man: $(head -n 5 "$work/out")"
if command -v groff >/dev/null; then
  groff -man -ww -z "$work/scoria.1" >"$work/out" 2>&1 || fail "groff: exit $?"
  if [ -s "$work/out" ]; then fail "groff: $(head -n 3 "$work/out")"; fi
fi

# Completion, as bash does it.
"$SCORIA" --completion >"$work/completion" || fail "--completion: exit $?"
complete_words() { # WORDS...: of which the last is completed
  bash -c '. "$1"; shift; COMP_WORDS=(scoria "$@"); COMP_CWORD=$#; _scoria; printf "%s " "${COMPREPLY[@]}"' - "$work/completion" "$@"
}
completes() { # EXPECTED WORDS...
  local expected=$1 found
  shift
  found=$(complete_words "$@" 2>&1)
  [ "$found" = "$expected" ] || fail "completion of $*: found $found, expected $expected"
}
completes "compare " com
completes "model pde multilevel auto " uq deck.yaml -uq_source ""
completes "-uq_sobol -uq_sobol_draws " uq deck.yaml -uq_sob
completes " " uq deck.yaml -train_st
completes "-train_steps " train deck.yaml -train_step
completes "true false " run deck.yaml -strict ""
finish
