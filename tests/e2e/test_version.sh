#!/usr/bin/env bash
# The version stands in one place: --version, every file's provenance and CITATION.cff say the same; the revision is known in a
# clone and in an archive, and not taken from somebody else's repository.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

version=$(sed -n 's/^project(scoria VERSION \([0-9.]*\) .*/\1/p' "$SCORIA_SOURCE/CMakeLists.txt")
[ -n "$version" ] || fail "CMakeLists.txt names no version"
grep -qx "version: $version" "$SCORIA_SOURCE/CITATION.cff" || fail "CITATION.cff is not of version $version"
grep -q '^cff-version: 1.2.0$' "$SCORIA_SOURCE/CITATION.cff" || fail "CITATION.cff has no format"
for asked in --version version; do
  "$SCORIA" "$asked" >"$work/out" 2>&1 || fail "scoria $asked: exit $?"
  head -n 1 "$work/out" | grep -q "^scoria $version (revision [^ ]*, [A-Za-z]*)\$" || fail "scoria $asked: $(cat "$work/out")"
  sed -n 2p "$work/out" | grep -q '^PETSc [0-9.]*, HDF5 [0-9.]*, .*[0-9]' || fail "scoria $asked: $(cat "$work/out")"
done

revision() { # SOURCE: as a build there would have it
  cmake -DSOURCE="$1" -DHEADER="$work/header.h" -DVERSION=1 -DBUILD_TYPE=x -P "$1/src/cmake/Revision.cmake" >"$work/out" 2>&1 ||
    fail "Revision.cmake: $(cat "$work/out")"
  sed -n 's/^#define SCORIA_GIT_REVISION "\(.*\)"$/\1/p' "$work/header.h"
}
if ! git -C "$SCORIA_SOURCE" rev-parse HEAD >/dev/null 2>&1; then
  echo "not a clone: the revision is not looked at"
  finish
  exit
fi
head=$(git -C "$SCORIA_SOURCE" rev-parse --short HEAD)
case $(revision "$SCORIA_SOURCE") in
*"$head"*) ;;
*) fail "the revision of a clone is $(revision "$SCORIA_SOURCE"), expected $head" ;;
esac
mkdir "$work/other" "$work/other/archive" "$work/other/copy"
git -C "$work/other" init -q
git -C "$work/other" -c user.name=x -c user.email=x@y commit -q --allow-empty -m x
git -C "$SCORIA_SOURCE" archive HEAD src/cmake | tar -x -C "$work/other/archive"
[ "$(revision "$work/other/archive")" = "$head" ] || fail "the revision of an archive is $(revision "$work/other/archive"), expected $head"
mkdir "$work/other/copy/src"
cp -r "$SCORIA_SOURCE/src/cmake" "$work/other/copy/src/"
[ "$(revision "$work/other/copy")" = unknown ] || fail "the revision of a copy is $(revision "$work/other/copy"), expected unknown"
finish
