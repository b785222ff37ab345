#!/usr/bin/env bash
# The bar on a terminal: no line is longer than the window, also where that is made narrower on the way, and what such a window has broken
# into several lines is taken back.
set -uo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
"$PYTHON" -c "import pty; pty.openpty()" 2>/dev/null || { echo "skipped: no pseudo-terminals here"; exit 77; }
tiny_deck "$work/deck.yaml" "$work/run"
"$PYTHON" - "$SCORIA" "$work/deck.yaml" <<'PY' || fail "the bar"
import fcntl, os, pty, re, struct, sys, termios, time
pid, tty = pty.fork()
if pid == 0:  # the program looks at its parent's output too
    os.execvp("sh", ["sh", "-c", '"$0" generate "$1" -ensemble_conditions 4096 -ensemble_realisations 32; exit $?', *sys.argv[1:]])
wide, narrow = 100, 30
fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, wide, 0, 0))
text, cut = b"", None
while True:
    try:
        part = os.read(tty, 4096)
    except OSError:
        break
    if not part:
        break
    text += part
    if cut is None and text.count(b" left") >= 2:
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, narrow, 0, 0))
        cut = len(text)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, text[-400:]
assert cut, text[-400:]
lines = [re.sub(rb"\x1b\[\d*[A-Z]", b"", l) for l in re.findall(rb"\r([^\r\n]*)", text[cut:])]
bars = [l for l in lines if l.startswith(b"  generate ")]
assert len(bars) >= 2 and all(len(l) < narrow for l in bars[1:]), bars
assert re.search(rb"\x1b\[[23]A\r  generate .*\x1b\[J", text[cut:]), text[cut:]  # 60 to 99 columns in windows of 30
PY
finish
