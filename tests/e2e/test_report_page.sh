#!/usr/bin/env bash
# The page of the report: well-formed, every link inside it, no id twice, nothing from outside; of a whole run, and of
# directories that hold only a part.  In a browser, where there is one: no word on its console, light and dark, no wider than a phone.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

deck=$work/deck.yaml
tiny_deck "$deck" "$work/whole"
scoria 2 run "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "run"; cat "$work/out" >&2; }
scoria 2 uq "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 -uq_count 2000 >"$work/out" 2>&1 || { fail "uq"; cat "$work/out" >&2; }

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
  "$PYTHON" "$work/check.py" "$work/$1/report.html" "$2" "$3" || fail "page of $1"
}
check whole 'summary compare uq sample generate train files' ''
check nothing 'summary files' 'compare uq sample generate train'
check data 'summary generate files' 'compare uq sample train'
check uq 'summary uq files' 'compare sample generate train'
check stopped 'summary generate train files' 'compare uq sample'
grep -q 'no comparison of the model with the PDE' "$work/uq/report.html" || fail "the missing comparison is not told"
grep -q 'unfinished: the next start goes on with it' "$work/stopped/report.html" || fail "the unfinished file is not told"
grep -q 'that do not parse were left out' "$work/stopped/report.html" || fail "the cut line of train.jsonl is not told"
if command -v gnuplot >/dev/null; then
  for figure in bands measures spread fluctuations quantities samples draws training; do
    grep -q "id=\"figure-$figure\"" "$work/whole/report.html" || fail "figure $figure is not in the page"
    grep -q "<a href=\"#figure-$figure\">" "$work/whole/report.html" || fail "figure $figure has no thumbnail"
  done
fi

# ------------------------------------------------------------------------------------------------- in a browser ----

browser=
for name in chromium chromium-browser google-chrome; do
  [ -n "$browser" ] || browser=$(command -v "$name" || true)
done
if [ -z "$browser" ] && [ "$failures" -eq 0 ]; then
  echo "the page is right as far as it can be read; what a browser makes of it was not looked at: no chromium here"
  exit 77
fi
[ -n "$browser" ] || finish

# browse LOG ARGUMENTS...: what the browser says on its console goes to LOG.
browse() {
  local log=$1
  shift
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-extensions \
    --user-data-dir="$work/browser" --enable-logging=stderr --v=0 "$@" >"$log.out" 2>"$log"
}

# A page that asks for something, to see that the browser tells: else silence would mean nothing.
sed 's|<main>|<main><img src="http://localhost:9/a.png" alt="">|' "$work/whole/report.html" >"$work/asks.html"
browse "$work/asks" --screenshot="$work/asks.png" --window-size=1280,2000 "file://$work/asks.html"
grep -q 'CONSOLE.*Content Security Policy' "$work/asks" || fail "the browser does not tell of a request"

for part in whole nothing data uq stopped; do
  browse "$work/console" --screenshot="$work/$part.png" --window-size=1280,2000 --log-net-log="$work/net.json" "file://$work/$part/report.html" ||
    fail "the browser does not open the page of $part"
  grep CONSOLE "$work/console" >&2 && fail "the console speaks of the page of $part"
done
# Requests of the page itself are URL_REQUESTs that it initiates; the file is read by another way.
"$PYTHON" - "$work/net.json" "$work" <<'PY' || fail "the page asks the network"
import json, sys
text = open(sys.argv[1]).read()
try:
    log = json.loads(text)
except json.JSONDecodeError:  # a browser that stops before its log ends
    log = json.loads(text.rstrip().rstrip(",") + "]}")
asked = [e["params"]["url"] for e in log["events"] if e.get("params", {}).get("initiator", "").startswith("file:") and "url" in e["params"]]
if asked:
    print(asked, file=sys.stderr)
sys.exit(1 if asked else 0)
PY

browse "$work/console" --screenshot="$work/dark.png" --window-size=1280,2000 --blink-settings=preferredColorScheme=0 --force-dark-mode "file://$work/whole/report.html" || fail "dark"
# A phone: the page in a frame of 400 points, which tells in its title how wide what it holds is.
cat >"$work/phone.html" <<'HTML'
<!DOCTYPE html><title>waits</title><iframe id="f" style="width:400px;height:900px;border:0"></iframe><script>
const f = document.getElementById("f");
f.onload = () => { const d = f.contentDocument.documentElement; document.title = "width " + d.scrollWidth + " of " + d.clientWidth; };
f.srcdoc = new TextDecoder().decode(Uint8Array.from(atob("PAGE"), c => c.charCodeAt(0)));
</script>
HTML
"$PYTHON" - "$work" <<'PY'
import base64, sys
work = sys.argv[1]
page = base64.b64encode(open(f"{work}/whole/report.html", "rb").read()).decode()
wrapper = open(f"{work}/phone.html").read().replace("PAGE", page)
open(f"{work}/phone.html", "w").write(wrapper)
PY
browse "$work/console" --dump-dom --virtual-time-budget=5000 --window-size=600,1000 "file://$work/phone.html" || fail "phone"
grep -o '<title>[^<]*' "$work/console.out" | head -1 >"$work/title"
grep -q '^<title>width 400 of 400$' "$work/title" || fail "on a phone: $(cat "$work/title")"

"$PYTHON" - "$work" <<'PY' || fail "screenshots"
import struct, sys, zlib

def read(path):
    """Rows of red values of an RGB or RGBA PNG of 8 bits."""
    data, at, packed = open(path, "rb").read(), 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        at += 12 + n
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
    c, raw, before, rows = {2: 3, 6: 4}[colour], zlib.decompress(packed), bytearray(), []
    stride = width * c
    before = bytearray(stride)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            a, b, d = line[x - c] if x >= c else 0, before[x], before[x - c] if x >= c else 0
            p, q, r = abs(b - d), abs(a - d), abs(a + b - 2 * d)
            guess = (0, a, b, (a + b) >> 1, a if p <= q and p <= r else b if q <= r else d)[kind]
            line[x] = (line[x] + guess) & 255
        rows.append(line[::c])
        before = line
    return rows

def shares(path):
    """How much of the picture is light, and how much is neither it nor its ground."""
    pixels = b"".join(bytes(r) for r in read(f"{sys.argv[1]}/{path}.png"))
    ground = max(range(256), key=pixels.count)
    return ground, sum(abs(p - ground) > 64 for p in pixels) / len(pixels)

ground, ink = shares("whole")
assert ground > 240 and 0.01 < ink < 0.5, ("light", ground, ink)
ground, ink = shares("dark")
assert ground < 40 and 0.01 < ink < 0.5, ("dark", ground, ink)
ground, ink = shares("nothing")
assert ground > 240 and ink > 0.001, ("nothing", ground, ink)
PY
finish
