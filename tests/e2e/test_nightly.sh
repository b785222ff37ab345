#!/usr/bin/env bash
# jobs/nightly.sbatch, run by hand: the first night is good; the second, equal, takes its place; one of another law is refused and
# nothing that was good changes; an interrupted one is continued; old nights are removed only where the site says so.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

clone=$work/clone
mkdir -p "$clone/build"
cp -r "$SCORIA_SOURCE/jobs" "$clone/"
ln -s "$SCORIA" "$clone/build/scoria"
printf 'SCORIA_LAUNCHER=("%s" -n 2)\n' "$MPIEXEC" >>"$clone/jobs/site.env"
deck=$work/deck.yaml
nights="$work/the nights"
tiny_deck "$deck" "$work/unused"
more=(-ensemble_conditions 12 -ensemble_realisations 40)

night() { # CODE [-key value ...]
  local code=$1 got=0
  shift
  env -u SLURM_JOB_ID SCORIA_SOURCE="$clone" SCORIA_BUILD="$clone/build" bash "$clone/jobs/nightly.sbatch" "$deck" "$nights" "${more[@]}" "$@" \
    >"$work/out" 2>&1 || got=$?
  [ "$got" -eq "$code" ] || { fail "nightly.sbatch $*: exit $got, expected $code"; cat "$work/out" >&2; }
}
good() {
  readlink "$nights/good"
}

night 0
first=$(good)
[ -s "$nights/good/dataset.h5" ] || fail "the first night left no dataset"
# A clock that says, once more, the second that the first night is named by.
mkdir "$work/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\nif [ "$1" = +%%F-%%H%%M%%S ] && [ ! -e %q ]; then touch %q; echo %q; else exec /bin/date "$@"; fi\n' \
  "$work/asked" "$work/asked" "${first#night-}" >"$work/bin/date"
chmod +x "$work/bin/date"
PATH=$work/bin:$PATH night 0
[ -e "$work/asked" ] || fail "the night did not ask the clock that is wrong"
[ ! -e "$nights/$first/new" ] || fail "the second night was moved into the first"
second=$(good)
[ "$first" != "$second" ] || fail "the second night did not take its place"
[ -s "$nights/$first/dataset.h5" ] || fail "the first night is gone"
[ -s "$nights/good/against_good.json" ] || fail "the second night was not compared"

# A wider porosity is another law.
night 6 -porosity_sigma 2.5
[ "$(good)" = "$second" ] || fail "a refused night took the place of the good one"
ls "$nights"/refused-*/dataset.h5 >/dev/null 2>&1 || fail "the refused night is not kept"
grep -q 'REFUSED' "$work/out" || fail "the refusal is not said"
[ ! -e "$nights/new" ] || fail "the refused night would be continued"

# Interrupted: 75, and the next start goes on with it.
mkdir -p "$nights/new" && touch "$nights/new/STOP"
night 75
if ! { [ "$(good)" = "$second" ] && [ ! -e "$nights/new/dataset.h5" ]; }; then fail "an interrupted night is good"; fi
rm -f "$nights/new/STOP"
echo 'SCORIA_NIGHTLY_KEEP=2' >>"$clone/jobs/site.env"
night 0
if ! { [ "$(good)" != "$second" ] && [ ! -e "$nights/new" ]; }; then fail "the interrupted night was not continued"; fi
if ! { [ ! -e "$nights/$first" ] && [ -e "$nights/$second/dataset.h5" ]; }; then fail "two nights were to be kept"; fi
finish
