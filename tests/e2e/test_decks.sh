#!/usr/bin/env bash
# The deck of a run directory is that of what is in it: deck.yaml and the report say what results were made under, whatever deck a later
# command has; a command that is refused or only reads changes nothing of it.  Readers of YAML other than ours find every key.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml run=$work/run
tiny_deck "$deck" "$run"
key() { # FILE SECTION KEY: its value
  awk -v section="$2" -v key="$3:" '/^[^ ]/ { now = $1 } now == section ":" && $1 == key { print $2 }' "$1"
}
is() { # EXPECTED SECTION KEY: in deck.yaml
  [ "$(key "$run/deck.yaml" "$2" "$3")" = "$1" ] || fail "deck.yaml: $2: $3: found '$(key "$run/deck.yaml" "$2" "$3")', expected $1"
}
do_it() { # COMMAND ARGUMENTS...: that ends well
  scoria 2 "$1" "$deck" "${@:2}" >"$work/out" 2>&1 || { fail "$*"; cat "$work/out" >&2; }
}

# A command that fails in its checks, or only reads, leaves no deck.
expect 3 'dataset.h5' 2 train "$deck"
do_it report
if [ -e "$run/deck.yaml" ]; then fail "report and a refused command write deck.yaml"; fi

do_it generate
is 30 train steps
is 6 ensemble realisations
do_it train -train_steps 7 -ensemble_conditions 99 # how many conditions the dataset says itself
is 7 train steps
is 48 ensemble conditions
do_it sample -sample_count 11
do_it compare -train_steps 99
is 7 train steps
is 11 sample count

cp "$run/deck.yaml" "$work/before"
expect 3 'made by another deck (train_steps is 9 here and 7 there' 2 train "$deck" -train_steps 9
expect 3 'sample: U0: found 9 V' 2 sample "$deck" -sample_U0 9 -sample_file other.h5
do_it generate -train_steps 55 # which is complete
do_it report -train_steps 55 -compare_count 61
cmp -s "$run/deck.yaml" "$work/before" || fail "a command that made nothing has changed deck.yaml: $(diff "$run/deck.yaml" "$work/before")"
grep -q 'this deck is not that of the results, .*train_steps is 55 here and 7 there' "$work/out" || { fail "another deck's report says nothing"; cat "$work/out" >&2; }
"$PYTHON" - "$run" <<'PY' || fail "the page shows another deck"
import html, re, sys
page = html.unescape(open(sys.argv[1] + "/report.html").read())
shown = re.search(r"Every key, as YAML</summary>\s*<pre>(.*?)</pre>", page, re.S).group(1)
assert shown == open(sys.argv[1] + "/deck.yaml").read()
assert "other keys than the deck of this page" not in page
PY

# The deck that made it all finds it all complete.
scoria 2 run "$run/deck.yaml" >"$work/out" 2>&1 || { fail "run with deck.yaml"; cat "$work/out" >&2; }
[ "$(grep -c ' is complete' "$work/out")" -eq 4 ] || { fail "run with deck.yaml makes something anew"; cat "$work/out" >&2; }

# Answers under other keys in the same directory: the page says which, with the answer.
do_it uq -uq_count 300 -uq_quantiles 0.1,0.9
is 300 uq count
do_it uq -uq_count 500 -sample_source gaussian -uq_file other.h5
is 300 uq count
is "'uq.h5'" uq file
do_it report
"$PYTHON" - "$run" <<'PY' || fail "the page does not say which keys an answer was made under"
import html, re, sys
page = html.unescape(open(sys.argv[1] + "/report.html").read())
notes = re.findall(r'<code>([a-z.0-9]*)</code> was made under other keys than the deck of this page: (.*?)</p>', page)
assert [name for name, _ in notes].count("other.h5") == 2 and {name for name, _ in notes} == {"other.h5"}, notes
assert "uq_count is 300 here and 500 there" in notes[0][1], notes
assert "sample_source is network here and gaussian there" in notes[0][1], notes
PY

# Many results of other names leave room for those that decide.
for i in $(seq 10 49); do ln "$run/other.h5" "$run/a$i.h5"; done
rm "$run/deck.yaml"
do_it generate
is 7 train steps
is 300 uq count
rm "$run"/a??.h5

# A result that was taken away again is not in the page, which the manifest still lists.
grep -q '<h3>In <code>other.h5</code></h3>' "$run/report.html" || fail "a result under another name is not in the page"
mv "$run/other.h5" "$work/other.h5"
do_it report
if grep -q '<h3>In <code>other.h5</code></h3>' "$run/report.html"; then fail "a result that is gone is in the page"; fi

# A stop in good order has passed the checks.
mkdir "$work/stopped" && touch "$work/stopped/STOP"
scoria 2 generate "$deck" -run_dir "$work/stopped" >"$work/out" 2>&1
code=$?
[ "$code" -eq 75 ] || { fail "STOP: exit $code"; cat "$work/out" >&2; }
[ "$(key "$work/stopped/deck.yaml" ensemble conditions)" = 48 ] || fail "a command that was stopped leaves no deck.yaml"

# YAML as others read it; "deck" prints what the commands would read.
"$SCORIA" deck "$deck" -train_steps 7 >"$work/printed.yaml" || fail "scoria deck"
# Its keys are held against each other, as the commands would, and what is idle is a comment; nothing is made.
expect 3 'conditions_porosity_mean: found 0.05, allowed inside the bounds of the porosity' 2 deck "$deck" -conditions_porosity_mean 0.05,0.3
expect 3 'ensemble_lateral: found 2 numbers, expected 0, one for each lateral axis' 1 deck "$deck" -ensemble_lateral 1e-3,2e-3
expect 3 'uq: exceed: "cc" is not understood at "cc" (did you mean "c"?)' 1 deck "$deck" -uq_exceed "cc < 3"
"$SCORIA" deck "$deck" -ensemble_times 1,2 >"$work/idle.yaml" || fail "scoria deck of an idle key"
grep -q '^# WARNING: ensemble_times is ignored: ensemble_mode is steady, not transient$' "$work/idle.yaml" || fail "scoria deck says nothing of an idle key"
expect 3 'uq: exceed: "cc" is not understood' 2 run "$deck" -uq_exceed "cc < 3" -run_dir "$work/early"
[ ! -e "$work/early" ] || fail "run begins with an event that compare would refuse: $(ls "$work/early")"
expect 3 'unknown key "-train_stebs"' 1 deck "$deck" -train_stebs 7
if "$PYTHON" -c 'import yaml' 2>/dev/null; then
  "$PYTHON" - "$run" "$work/printed.yaml" <<'PY' || fail "other readers of YAML"
import re, sys, h5py, yaml
run, printed = sys.argv[1:]
texts = {name: open(name).read() for name in (run + "/deck.yaml", printed)}
for name in ("dataset", "model", "samples", "compare", "uq"):
    text = h5py.File(f"{run}/{name}.h5").attrs["deck"]
    texts[name] = text.decode() if isinstance(text, bytes) else text
for name, text in texts.items():
    sections = re.findall(r"^(\w+):$", text, re.M)
    assert len(sections) == len(set(sections)) and "train" in sections, (name, sections)
    read = yaml.safe_load(text)
    keys = sum(len(value) if isinstance(value, dict) else 1 for value in read.values())
    assert keys == len(re.findall(r"^  \w+: |^\w+: ", text, re.M)), name
    if name != "dataset": # made before the steps were changed
        assert read["train"]["steps"] == 7 and read["train"]["width"] == 32, name
PY
else
  echo "without python3-yaml: the decks are not read by others"
fi
finish
