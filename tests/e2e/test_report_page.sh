#!/usr/bin/env bash
# The page of the report as text: well-formed, every link inside it, no id twice, nothing from outside; of a whole run, and of
# directories that hold only a part.  What a browser makes of it: test_report_browser.sh.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/whole"
scoria 2 run "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "run"; cat "$work/out" >&2; }
scoria 2 uq "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 -uq_count 2000 >"$work/out" 2>&1 || { fail "uq"; cat "$work/out" >&2; }
timeout 300 "$SCORIA" uq "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 -uq_count 200 -uq_map F_right -uq_map_points 9 -uq_file other.h5 >"$work/out" 2>&1 ||
  { fail "uq -uq_file"; cat "$work/out" >&2; }

scoria 2 refine "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "refine"; cat "$work/out" >&2; }

# Directories with a part of it: nothing, the dataset, the answers of uq, a run that was stopped while it trained.
mkdir "$work"/{nothing,data,uq,stopped}
cp "$work/whole/dataset.h5" "$work/data/"
cp "$work/whole/uq.json" "$work/whole/uq.h5" "$work/uq/"
cp "$work/whole/dataset.h5" "$work/stopped/"
head -c 700 "$work/whole/train.jsonl" >"$work/stopped/train.jsonl" # its last line is cut
printf 'x' >"$work/stopped/samples.h5.part"
for part in whole nothing data uq stopped; do
  scoria 2 report "$deck" -run_dir "$work/$part" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "report of $part"; cat "$work/out" >&2; }
done

cat >"$work/check.py" <<'PY'
import html.parser, re, sys

path, wanted, unwanted = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
text = open(path, encoding="utf-8").read()
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.wrong, self.policy = [], [], [], [], None

    def handle_starttag(self, tag, attrs):
        names = [n for n, _ in attrs]
        if len(set(names)) != len(names):
            self.wrong.append(f"<{tag}> has an attribute twice")
        attrs = dict(attrs)
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag in ("script", "link", "iframe", "object", "embed", "img"):
            self.wrong.append(f"<{tag}> in a page that needs none")
        self.ids += [attrs["id"]] if "id" in attrs else []
        for name, value in attrs.items():
            if name.startswith("on"):
                self.wrong.append(f"{name} of <{tag}>")
            if name in ("href", "xlink:href", "src") and not value.startswith("data:image/png;base64,"):
                self.links.append(value)
            self.links += re.findall(r"url\(['\"]?([^)'\"]*)", value or "")
        if tag == "svg" and attrs.get("role") != "img" and attrs.get("aria-hidden") != "true":
            self.wrong.append("a drawing without words for those who cannot see it")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()} does not close what is open")


page = Page()
page.feed(text)
page.close()
wrong = page.wrong + [f"<{tag}> is not closed" for tag in page.open]
wrong += [f"id {i} {page.ids.count(i)} times" for i in sorted(set(page.ids)) if page.ids.count(i) > 1]
for link in page.links:
    if not link.startswith("#"):
        wrong.append(f"{link} is outside the page")
    elif link[1:] not in page.ids:
        wrong.append(f"{link} leads nowhere")
if "default-src 'none'" not in (page.policy or "") or "script-src" in (page.policy or ""):
    wrong.append(f"policy {page.policy}")
for word in ("http:", "https:", "@import"):
    if word in text:
        wrong.append(f"{word} in the page")
if len(text.encode()) >= 10_000_000:
    wrong.append(f"{len(text.encode())} bytes")
table = re.search(r"ReportSection sections\[\] = \{(.*?)\n\};", open(sys.argv[4]).read(), re.S)[1]
if (every := {"summary", *re.findall(r'\{"(\w+)",', table)}) != {*wanted, *unwanted}:
    wrong.append(f"sections of the table, and those that this test knows: {every ^ {*wanted, *unwanted}}")
wrong += [f"no section {i}" for i in wanted if i not in page.ids]
wrong += [f"section {i} of nothing" for i in unwanted if i in page.ids]
for i in wanted:
    if f'href="#{i}"' not in text:
        wrong.append(f"{i} is not in the contents")
for word in ("nan", "inf", "(null)"):
    for cell in re.findall(r"<(?:td|b|p|span|strong)[^>]*>([^<]*)<", text):
        if re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", cell):
            wrong.append(f"{word} in {cell!r}")
print("\n".join(wrong[:20]), file=sys.stderr)
sys.exit(1 if wrong else 0)
PY
check() { # PART SECTIONS-THERE SECTIONS-NOT-THERE
  "$PYTHON" "$work/check.py" "$work/$1/report.html" "$2" "$3" "$SCORIA_SOURCE/src/report/report_html.c" || fail "page of $1"
}
never='files_compared likelihood infer scaling' # of these runs
check whole 'summary compare refine uq sample generate train files' "$never"
check nothing 'summary files' "compare refine uq sample generate train $never"
check data 'summary generate files' "compare refine uq sample train $never"
# Of many conditions figures come first: the tables are behind a line that opens them.
grep -q '<summary>Numbers at 9 of 9 conditions</summary>' "$work/whole/report.html" || fail "the table of nine conditions is not folded"
[ "$(grep -c '<summary>Numbers at' "$work/whole/report.html")" -eq 1 ] || fail "the table of one condition is folded"
check uq 'summary uq files' "compare refine sample generate train $never"
check stopped 'summary generate train files' "compare refine uq sample $never"
grep -q 'no comparison of the model with the PDE' "$work/uq/report.html" || fail "the missing comparison is not told"
grep -q 'unfinished: the next start goes on with it' "$work/stopped/report.html" || fail "the unfinished file is not told"
grep -q 'that do not parse were left out' "$work/stopped/report.html" || fail "the cut line of train.jsonl is not told"
grep -q '<h3>In <code>other.h5</code></h3>' "$work/whole/report.html" || fail "a result under another name is not in the page"
if command -v gnuplot >/dev/null; then
  for figure in bands measures spread fluctuations quantities quantities_2 response_2 samples draws training; do
    grep -q "id=\"figure-$figure\"" "$work/whole/report.html" || fail "figure $figure is not in the page"
    grep -q "<a href=\"#figure-$figure\">" "$work/whole/report.html" || fail "figure $figure has no thumbnail"
  done
fi
finish
