#!/usr/bin/env python3
"""Whole fields drawn by a trained model against fresh solves at held-out conditions (h5py, NumPy; SCORIA: the program).

    benchmarks/whole_fields.py DECK HELD_OUT_RUN COUNT [-key value ...]

HELD_OUT_RUN holds a dataset.h5 of 2 COUNT realisations or more at a few conditions, made with another run.seed; options go to
`scoria sample`.  Every measure stands beside the floor, the same between two ensembles of COUNT solves.
"""
import os
import subprocess
import sys

import h5py
import numpy as np

NAMES = ("c", "phi")


def read(path, first, count):
    with h5py.File(path) as file:
        return [file["fields/" + name][first:first + count].astype(float) for name in NAMES]


def sample(deck, theta, count, seed, options):
    run = next(line.split()[1].strip("'\"") for line in open(deck) if line.strip().startswith("dir:"))
    path = os.path.join(run, "whole_fields_check.h5")
    if os.path.exists(path):
        os.remove(path)
    at = [text for name, value in theta.items() for text in ("-sample_" + name, repr(float(value)))]
    at += ["-run_seed", str(seed)]
    subprocess.run([os.environ.get("SCORIA", "build/scoria"), "sample", deck, "-sample_file", os.path.basename(path),
                    "-sample_count", str(count), *at, *options], check=True, stdout=subprocess.DEVNULL)
    return read(path, 0, count)


def w1(a, b):
    """Wasserstein distance of two columns of numbers over the SD of the second."""
    return (np.abs(np.sort(a, 0) - np.sort(b, 0)).mean(0) / b.std(0)).mean()


def measures(a, b):
    n = len(a[0])
    flat_a, flat_b = (np.concatenate([f.reshape(n, -1) for f in x], 1) for x in (a, b))
    sd = np.concatenate([np.broadcast_to(f.std((0, 1, 2)), f.shape[1:]).ravel() for f in b])
    way = np.random.default_rng(1).standard_normal((flat_a.shape[1], 200)) / sd[:, None]
    mean_a, mean_b = (np.concatenate([f.mean((1, 2)) for f in x], 1) for x in (a, b))
    power = [sum((np.abs(np.fft.rfft2(f - f.mean(0), axes=(1, 2)) / g.std((0, 1, 2)))**2).mean(0).sum(-1)
                 for f, g in zip(x, b)) for x in (a, b)]
    kept = power[1] > 1e-3 * power[1].sum()
    return [w1(flat_a @ way, flat_b @ way), w1(a[0].reshape(n, -1).max(1), b[0].reshape(n, -1).max(1)),
            w1(a[1].reshape(n, -1).min(1), b[1].reshape(n, -1).min(1)),
            np.sqrt((((mean_a.mean(0) - mean_b.mean(0)) / mean_b.std(0))**2).mean()),
            np.sqrt(((mean_a.std(0) / mean_b.std(0) - 1)**2).mean()),
            np.sqrt(((power[0] / power[1] - 1)**2)[kept].mean())]


def main():
    deck, held, count = sys.argv[1], os.path.join(sys.argv[2], "dataset.h5"), int(sys.argv[3])
    with h5py.File(held) as file:
        each = int(file.attrs["realisations"])
        theta = {name: values[::each] for name, values in file["conditions"].items()}
    table = []
    print("sliced W, W1 of max c, of min phi, lateral mean: rms error / SD, rms SD ratio - 1, spectrum: each with its floor")
    for i in range(len(next(iter(theta.values())))):
        one, two = read(held, i * each, count), read(held, i * each + count, count)
        # a seed for each condition: with one, the chance of the same normals would stand in every line
        drawn = sample(deck, {name: values[i] for name, values in theta.items()}, count, 1000 + i, sys.argv[4:])
        table.append([x for pair in zip(measures(drawn, one), measures(two, one)) for x in pair])
        print(" ".join("%6.3f" % x for x in table[-1]), flush=True)
    print(" ".join("%6.3f" % x for x in np.mean(table, 0)), " mean")


if __name__ == "__main__":
    main()
