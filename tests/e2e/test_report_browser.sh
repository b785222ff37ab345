#!/usr/bin/env bash
# The page of the report in a browser: no word on its console, no request, light and dark, no wider than a phone, nothing cut off on a
# screen of 1300 points.  Every check is also made of a page that is spoilt, which must not pass.  Where no chromium is installed: skipped.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "skipped: no chromium is installed; the page is not looked at in a browser"
  exit 77
fi

deck=$work/deck.yaml
tiny_deck "$deck" "$work/whole"
scoria 2 run "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "run"; cat "$work/out" >&2; }
scoria 2 uq "$deck" -ensemble_conditions 16 -sample_count 10 -compare_count 40 -uq_count 2000 >"$work/out" 2>&1 || { fail "uq"; cat "$work/out" >&2; }
# Numbers of many digits and long names, events, and all fields that an electrode has.
wide=(-run_dir "$work/wide" -electrode_solid ohmic -ensemble_derived "j,i_e,eta" -ensemble_conditions 16 -sample_count 10 -compare_count 40)
scoria 2 run "$deck" "${wide[@]}" >"$work/out" 2>&1 || { fail "run of all fields"; cat "$work/out" >&2; }
scoria 2 uq "$deck" "${wide[@]}" -uq_count 400 -uq_quantities "unevenness [A m^-3] = sd(j), largest = 1e9 + 1e9 * max(c) / mean(c)" \
  -uq_exceed "unevenness > 1e3, c > 1500 somewhere, phi < -0.2 everywhere" >"$work/out" 2>&1 || { fail "uq of all fields"; cat "$work/out" >&2; }
scoria 2 report "$deck" "${wide[@]}" >"$work/out" 2>&1 || { fail "report of all fields"; cat "$work/out" >&2; }
cp "$work/wide/report.html" "$work/wide.html"
for part in whole nothing; do
  scoria 2 report "$deck" -run_dir "$work/$part" -ensemble_conditions 16 -sample_count 10 -compare_count 40 >"$work/out" 2>&1 || { fail "report of $part"; cat "$work/out" >&2; }
done
cp "$work/whole/report.html" "$work/whole.html"
cp "$work/nothing/report.html" "$work/nothing.html"
# Asks for a picture and is too wide for a phone; and the same without the policy that forbids the picture.
sed 's|<main>|<main><img src="http://localhost:9/a.png" alt=""><div style="width:700px">wide</div>|' "$work/whole.html" >"$work/asks.html"
sed '/Content-Security-Policy/d' "$work/asks.html" >"$work/gets.html"

# browse LOG ARGUMENTS...: what the browser says on its console goes to LOG, what it prints to LOG.out.
browse() {
  local log=$1
  shift
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --disable-extensions \
    --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$work/browser" --enable-logging=stderr --v=0 "$@" \
    >"$log.out" 2>"$log"
}

# Requests of the page, not those that the browser makes for itself: these come from no origin.
requests() { # NETLOG
  "$PYTHON" - "$1" <<'PY'
import json, sys
text = open(sys.argv[1]).read()
try:
    log = json.loads(text)
except json.JSONDecodeError:  # of a browser that stopped before it ended its log
    log = json.loads(text.rstrip().rstrip(",") + "]}")
params = [event.get("params", {}) for event in log["events"]]
print(sum("initiator" in p and p["initiator"] != "not an origin" for p in params))
PY
}

for page in whole nothing asks gets; do
  browse "$work/$page.log" --screenshot="$work/$page.png" --window-size=900,1200 --log-net-log="$work/$page.json" "file://$work/$page.html" ||
    fail "the browser does not open $page.html"
done
for page in whole nothing; do
  grep CONSOLE "$work/$page.log" >&2 && fail "the console speaks of the page of $page"
  [ "$(requests "$work/$page.json")" = 0 ] || fail "the page of $page asks the network"
done
grep -q 'CONSOLE.*Content Security Policy' "$work/asks.log" || fail "the policy does not forbid a picture"
[ "$(requests "$work/asks.json")" = 0 ] || fail "the policy lets a request through"
[ "$(requests "$work/gets.json")" -gt 0 ] || fail "a request is not seen in the browser's log"

browse "$work/dark.log" --screenshot="$work/dark.png" --window-size=900,1200 --blink-settings=preferredColorScheme=0 \
  --force-dark-mode "file://$work/whole.html" || fail "dark"

# in_frame PAGE WIDTH SCRIPT: the title of a page that has PAGE in a frame of WIDTH points, and then runs SCRIPT on its document.
in_frame() {
  "$PYTHON" - "$work/$1.html" "$2" "$3" "$work/frame.html" <<'PY'
import base64, sys
page, width, script, frame = sys.argv[1:]
page = base64.b64encode(open(page, "rb").read()).decode()
open(frame, "w").write("""<!DOCTYPE html><title>waits</title><iframe id="f" style="width:%spx;height:900px;border:0"></iframe><script>
const f = document.getElementById("f");
f.onload = () => { const doc = f.contentDocument; %s };
f.srcdoc = new TextDecoder().decode(Uint8Array.from(atob("%s"), c => c.charCodeAt(0)));
</script>""" % (width, script, page))
PY
  browse "$work/frame.log" --dump-dom --virtual-time-budget=5000 --window-size="$(($2 + 200)),1000" "file://$work/frame.html" ||
    fail "a frame of $2 points"
  grep -o '<title>[^<]*' "$work/frame.log.out" | head -1
}

# As wide as a phone: how wide the page is.
phone() { # PAGE
  in_frame "$1" 400 'const d = doc.documentElement; document.title = d.scrollWidth + " of " + d.clientWidth;'
}
for page in whole nothing; do
  width=$(phone $page)
  [ "$width" = '<title>400 of 400' ] || fail "the page of $page on a phone: $width"
done
[ "$(phone asks)" != '<title>400 of 400' ] || fail "a page that is too wide for a phone is not seen"

# At 1300 points: what of its tables is wider than their place, and which words of a figure stand outside of it; 3 points are what the
# box of a letter has around it.
cut() { # PAGE
  in_frame "$1" 1300 '
  const cut = [], all = (of, what) => of.querySelectorAll(what);
  for (const e of all(doc, ".scroll, .wide")) if (e.scrollWidth > e.clientWidth) cut.push(e.textContent.slice(0, 60));
  for (const figure of all(doc, "figure svg")) for (const text of all(figure, "text")) {
    const a = figure.getBoundingClientRect(), b = text.getBoundingClientRect();
    if (b.width && (b.left < a.left - 3 || b.right > a.right + 3 || b.top < a.top - 3 || b.bottom > a.bottom + 3)) cut.push(text.textContent);
  }
  document.title = cut.length + " of " + all(doc, "figure svg text").length + " cut: " + cut.join(" | ");'
}
for page in whole wide; do
  found=$(cut $page)
  [[ $found =~ ^'<title>0 of '[1-9][0-9]+' cut: '$ ]] || fail "cut off on the page of $page: $found"
done
sed 's|<figure|<div class="scroll"><p style="width:1400px">long</p></div><figure|' "$work/whole.html" >"$work/long.html"
sed -E 's|(<text[^>]*)>|\1 transform="translate(0,-2000)">|' "$work/whole.html" >"$work/moved.html"
for page in long moved; do
  [[ $(cut $page) =~ ^'<title>'[1-9] ]] || fail "what is cut off is not seen: $page, $(cut $page)"
done
for field in c phi phi_s j i_e eta; do
  grep -q "data/compare_$field.dat" "$work/wide/figures/data/bands.gp" || fail "the field $field is not drawn"
done

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
