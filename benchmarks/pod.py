#!/usr/bin/env python3
"""Time and memory of the modes of imported planes (basis pod): 20,000 rows of 128 x 128 cells (h5py, NumPy; SCORIA: the program).

    benchmarks/pod.py DIR [ROWS [CELLS [RANKS]]]

DIR gets the data (ROWS * CELLS^2 numbers in single precision, and as many in the dataset) and the run.  Rows are sums of 400 smooth modes of
falling size at 2,000 conditions, and noise of 1 % of their variance.  Prints the seconds of each command, the share of the
variance that the modes carry, and the largest resident memory of a rank times the ranks, which counts shared pages twice.
"""
import os
import re
import resource
import subprocess
import sys
import time

import h5py
import numpy as np

MODES = 400


def make(path, rows, cells):
    rng = np.random.default_rng(1)
    x = (np.arange(cells) + 0.5) / cells
    wave = sorted(((i, j) for i in range(40) for j in range(40)), key=lambda k: k[0] ** 2 + k[1] ** 2)[1:MODES + 1]
    size = np.array([1 / (1 + i * i + j * j) for i, j in wave], "f4")
    modes = np.stack([np.outer(np.cos(np.pi * j * x), np.cos(np.pi * i * x)).ravel() for i, j in wave]).astype("f4")
    noise = 0.1 * np.sqrt(np.mean((size[:, None] * modes) ** 2, 1).sum())
    conditions = rng.random((rows // 10, 2))
    with h5py.File(path, "w") as f:
        u = f.create_dataset("u", (rows, cells, cells), "f4")
        f["a"], f["b"] = np.repeat(conditions[:, 0], 10), np.repeat(conditions[:, 1], 10)
        f["x"] = f["y"] = x * 1e-3
        for first in range(0, rows, 1000):
            z = rng.standard_normal((1000, MODES), dtype="f4") * size
            z[:, 0] += f["a"][first:first + 1000]
            block = z @ modes
            block += noise * rng.standard_normal(block.shape, dtype="f4")
            u[first:first + 1000] = block.reshape(-1, cells, cells)


def main():
    directory = sys.argv[1]
    rows, cells, ranks = (int(sys.argv[i]) if len(sys.argv) > i else n for i, n in ((2, 20000), (3, 128), (4, 2)))
    os.makedirs(directory, exist_ok=True)
    source, deck = (os.path.join(directory, name) for name in ("pod.h5", "pod.yaml"))
    if not os.path.exists(source):
        make(source, rows, cells)
    with open(deck, "w") as f:
        f.write(f"run: {{dir: {directory}/run}}\nimport: {{file: {source}, fields: [u=/u], conditions: [a=/a, b=/b], x: /x, y: /y, "
                "order: [row, y, x]}\ntrain: {steps: 0, adapt: false}\n")
    for command in ("import", "train"):
        start = time.monotonic()
        out = subprocess.run(["mpirun", "-n", str(ranks), os.environ.get("SCORIA", "build/scoria"), command, deck],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1e-6 * ranks
        print(f"{command:8s} {time.monotonic() - start:6.1f} s   {memory:.2f} GB over {ranks} ranks", flush=True)
    print(re.search(r".*modes \(POD\).*", out).group(0).strip())


if __name__ == "__main__":
    main()
