#!/usr/bin/env bash
# The rooms of src/: none reads another's private headers, files do not call each other in circles, no two have one name, none, and no public header, is longer
# than 400 lines, the commands stay thin, nobody draws by numbers of its own, and the guide to them names what there is.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$PYTHON" - "$SCORIA_SOURCE" "$(dirname "$SCORIA")" <<'PY' || fail "rooms"
import collections, pathlib, re, subprocess, sys
source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
src, wrong = source / "src", []
# The rooms and their folders, as CMake has them.
text = re.sub(r"\bscoria_room\(\$\{study\}[^)]*\)", "", (source / "CMakeLists.txt").read_text())
room_of = {f: name for name, folders in re.findall(r"\bscoria_room\((\w+) FOLDERS ([^A)]+)", text) for f in folders.split()}
for study in re.search(r"foreach\(study ([^)]+)\)", text)[1].split():
    room_of["src/study/" + study] = study
room_of["src"] = "cmd"
files = [f for f in src.rglob("*.[ch]") if "cmake" not in f.parts]
room = lambda file: room_of[str(file.parent.relative_to(source))]
assert len(room_of) > 15 and len(files) > 200

for file in files:
    for name in re.findall(r'^#include "(.+)"', file.read_text(), re.M):
        if name.startswith("scoria"):
            continue
        header = next((h for h in (file.parent / name, src / name) if h.exists()), None)
        if header is None or room(header.resolve()) != room(file):
            wrong.append(f"{file}: includes {name}, which is private to another room")
for file in [*files, *(source / "include/scoria").glob("*.h")]:
    if len(file.read_text().splitlines()) > 400:
        wrong.append(f"{file}: longer than 400 lines")
for name, number in collections.Counter(f.name for f in files).items():
    if number > 1:
        wrong.append(f"{name}: {number} files")
commands = sum(len(f.read_text().splitlines()) for f in (src / "cmd").glob("*.[ch]"))
if commands > 1500:
    wrong.append(f"src/cmd: {commands} lines, at most 1500")

# Who calls whom: what an object file lacks and another of the rooms' libraries has.
symbols = subprocess.run(["nm", "-A", *build.glob("libscoria_*.a")], capture_output=True, text=True).stdout
has, lacks = {}, collections.defaultdict(set)
for file, kind, name in re.findall(r"^\S+libscoria_(\w+\.a:[^:]+):[ 0-9a-f]* (\w) (\S+)$", symbols, re.M):
    if kind == "U":
        lacks[file].add(name)
    elif kind.isupper():
        has[name] = file
assert len(has) > 1000
calls = {file: {has[n] for n in names if has.get(n, file) != file} for file, names in lacks.items()}
def reach(file):
    seen, left = set(), [file]
    while left:
        for other in calls.get(left.pop(), ()):
            if other not in seen:
                seen.add(other)
                left.append(other)
    return seen
reached = {file: reach(file) for file in calls}
for file, others in calls.items():
    for other in others:
        if file in reached.get(other, ()):
            wrong.append(f"{file}: in a circle with {other} by {sorted(n for n in lacks[file] if has.get(n) == other)}")

# Who draws porosities, solves of them or samples outside of the rooms that make them takes its numbers from the table of draw_ranges.c, or gives the porosities;
# the random numbers behind them are those rooms' own.
drawing = re.compile(r"\b(?:ScoriaPorosityDraw|ScoriaEnsembleDraw|ScoriaEnsembleCompute|ScoriaFidelitiesCompute|ScoriaModelSample)\(([^;]*);")
drawers = 0
for file in [*files, *(source / "benchmarks").glob("*.[ch]")]:
    text, of = file.read_text(), room(file) if src in file.parents else "benchmarks"
    if of in ("physics", "score", "draw") or file.suffix == ".h":
        continue
    drawn = [call for call in drawing.findall(text) if "NULL, eps" not in call]
    drawers += bool(drawn)
    if drawn and not re.search(r"\b(?:draw|generate)_(?:number|part)\(", text):
        wrong.append(f"{file}: draws by numbers of its own")
    if src in file.parents and re.search(r"\bSCORIA_STREAM_(?:POROSITY|CROP|SAMPLE|REMAINDER)\b", text):
        wrong.append(f"{file}: draws by itself what a source draws")
assert drawers > 3

# The guide's table of the rooms and what they stand on is that of the libraries.
above = {n: set(a.split()) for n, a in re.findall(r"scoria_room\((\w+) FOLDERS [^)]*?ABOVE ([a-z ]+?)(?: LEVELS[^)]*)?\)", (source / "CMakeLists.txt").read_text())}
above |= {n: set(a.split()) for s, a in re.findall(r"foreach\(study ([a-z ]+)\)\s*scoria_room\([^)]*?ABOVE ([a-z ]+)\)", (source / "CMakeLists.txt").read_text()) for n in s.split()}
told = {}
for names, stands in re.findall(r"^\| (`.+?`) \| .* \| (.+?) \|$", (src / "README.md").read_text(), re.M):
    for name in re.findall(r"`(?:study/)?(\w+)`", names):
        told[name] = set(re.findall(r"\w+", stands))
assert len(above) > 12
for name, below in above.items():
    if name == "cmd" and told.get(name) == {"all", "of", "these"}:
        continue
    if told.get(name) != below:
        wrong.append(f"src/README.md: {name} stands on {told.get(name)}, in CMakeLists.txt on {below}")

# What src/README.md names is there; tests have every table of a result's members, and every layer that has a gradient.
readme, there = (src / "README.md").read_text(), {f.name for d in ("src", "tests", "include") for f in (source / d).rglob("*.*")}
for name in re.findall(r"`(?:[\w/.]*/)?(\w+\.(?:c|h|sh))`", readme):
    if name not in there:
        wrong.append(f"src/README.md: there is no {name}")
words = set(re.findall(r"\w+", " ".join(f.read_text() for f in files)))
for name in re.findall(r"`((?:scoria_|SCORIA_|Scoria|report_|field_)\w+)`", readme):
    if name not in words and not any(w.startswith(name) for w in words if name.endswith("_")):
        wrong.append(f"src/README.md: nothing is called {name}")
def missing(pattern, headers, test):
    text = (source / "tests/unit" / test).read_text()
    names = {n for h in headers for n in re.findall(pattern, h.read_text())}
    assert len(names) > 2, pattern
    wrong.extend(f"tests/unit/{test}: does not know {n}" for n in names if n not in text)
missing(r"\b(scoria_\w+_members)\[", (source / "include/scoria").glob("*result*.h"), "test_results.c")
missing(r"KERNEL\((\w+_backward)\)", [src / "score/layers/kernels.h"], "test_layers.c")
print("\n".join(wrong), file=sys.stderr)
sys.exit(bool(wrong))
PY
finish
