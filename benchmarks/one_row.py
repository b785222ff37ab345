#!/usr/bin/env python3
"""One row a condition, as a Latin hypercube has it: how near mean and SD come to a law that is known, by the number of rows.

    benchmarks/one_row.py WORK [--rows 200,500,2000,10000] [--seeds 8] [--laws sine,smooth,wave]

A profile u of 32 cells, conditions a and b in (0, 1), e normal:

    u = f(a, b, x) + (.05 + .1 a) (cos(pi x) e_1 + .5 cos(2 pi x) e_2),
    sine:    f = sin(3 a) + x b              (that of `single` in the cases that users bring)
    smooth:  f = sin(2 a) + x b
    wave:    f = sin(3 a + 2 x b)            (no sum of few products of functions of x and of the conditions)

Each seed is a Latin hypercube of its own.  It is imported, the conditional Gaussian of all rows is fitted (no network; import.holdout and
train.validation 0), and `uq` draws 20,000 fields at 64 conditions that no row has: root mean squares over conditions and cells of the mean's
error in SD and of the SD's relative error, and the SD's bias.  Beside it least squares with rows weighted by the true spread and terms that
are right beforehand: the polynomial of the law's degree (`powers`: 1, a ... a^4, b; of wave all to degree 5), and the law's own functions (`oracle`: 1,
sin(3 a), b), which no method can know; of wave, which has no few, the functions of the conditions that the components without noise show,
exactly, each weighed by its true size in a component with noise.  Writes WORK/one_row.md.  Needs NumPy, h5py; SCORIA is the program.
"""
import argparse
import json
import os
import subprocess
import sys

import h5py
import numpy as np

CELLS, UNSEEN, COUNT = 32, 64, 20000
X = (np.arange(CELLS) + 0.5) / CELLS


def legendre(t, degree):
    return np.polynomial.legendre.legvander(2 * t - 1, degree)


def product(a, b, degree):
    A, B = legendre(a, degree), legendre(b, degree)
    return np.stack([A[:, i] * B[:, j] for i in range(degree + 1) for j in range(degree + 1 - i)], 1)


LAWS = {
    "sine": (
        lambda a, b: np.sin(3 * a) + X * b,
        lambda a, b: np.c_[legendre(a, 4), b],
        lambda a, b: np.c_[np.ones_like(a), np.sin(3 * a), b],
    ),
    "smooth": (
        lambda a, b: np.sin(2 * a) + X * b,
        lambda a, b: np.c_[legendre(a, 4), b],
        lambda a, b: np.c_[np.ones_like(a), np.sin(2 * a), b],
    ),
    "wave": (lambda a, b: np.sin(3 * a + 2 * X * b), lambda a, b: product(a, b, 5), None),
}


def spreads(a):
    s = 0.05 + 0.1 * a
    return s * np.cos(np.pi * X), 0.5 * s * np.cos(2 * np.pi * X)


def draw(law, n, seed):
    rng = np.random.default_rng(seed)
    a, b = ((rng.permutation(n) + rng.uniform(size=n)) / n for _ in range(2))
    one, two = spreads(a[:, None])
    return a, b, law(a[:, None], b[:, None]) + rng.normal(size=(n, 1)) * one + rng.normal(size=(n, 1)) * two


def unseen():
    rng = np.random.default_rng(12345)
    return rng.uniform(size=(2, UNSEEN))


def weighted(terms, a, b, u):
    """Mean at the unseen conditions by least squares with weights of the true spread."""
    weight = 1 / (0.05 + 0.1 * a[:, None])
    coefficients = np.linalg.lstsq(terms(a, b) * weight, u * weight, rcond=None)[0]
    return terms(*unseen()) @ coefficients


def functions(law, across, a, b, middle, axes, sizes):
    return np.c_[np.ones_like(a), ((law(a[:, None], b[:, None]) - middle) @ across) @ axes.T / sizes]


def by_quiet(law, a, b, u):
    """Mean at the unseen conditions, exact across the two directions of the noise; along each a constant and the principal functions that
    the law has across them, every coefficient shrunk by the square of its true value over the variance of its estimate."""
    shapes = np.stack(spreads(np.array(0.0)), 1)
    turned = np.linalg.qr(np.c_[shapes, np.eye(CELLS)[:, : CELLS - 2]])[0]
    along, across = turned[:, :2], turned[:, 2:]
    true, weight = law(a[:, None], b[:, None]), 1 / (0.05 + 0.1 * a)
    middle = true.mean(0)
    _, sizes, axes = np.linalg.svd((true - middle) @ across, full_matrices=False)
    sizes, axes = sizes[:8] / np.sqrt(len(a)), axes[:8]
    F, at = (functions(law, across, *c, middle, axes, sizes) for c in ((a, b), unseen()))
    mean = law(*(c[:, None] for c in unseen()))
    for k in range(2):
        noise = np.linalg.norm(shapes[:, k]) / 0.05  # of a row times its weight
        size = np.linalg.lstsq(F, true @ along[:, k], rcond=None)[0]
        normal = (F * weight[:, None] ** 2).T @ F / noise**2 + np.diag(1 / (size**2 + 1e-20))
        coefficients = np.linalg.solve(normal, (F * weight[:, None] ** 2).T @ (u @ along[:, k]) / noise**2)
        mean += np.outer(at @ coefficients - mean @ along[:, k], along[:, k])
    return mean


def errors(law, mean, sd=None):
    a, b = unseen()
    true = np.hypot(*spreads(a[:, None]))
    off = np.sqrt(np.mean(((mean - law(a[:, None], b[:, None])) / true) ** 2))
    return (off,) if sd is None else (off, np.sqrt(np.mean((sd / true - 1) ** 2)), np.mean(sd / true - 1))


def scoria(directory, deck, *words):
    program = os.environ.get("SCORIA", os.path.join(os.path.dirname(__file__), "..", "build", "scoria"))
    with open(os.path.join(directory, "out"), "a") as out:
        if subprocess.run([program, words[0], deck, *words[1:]], stdout=out, stderr=out).returncode:
            sys.exit(f"{words[0]} failed; see {directory}/out")


def one(work, name, n, seed):
    law, powers, oracle = LAWS[name]
    directory = os.path.join(work, f"{name}_{n}_{seed}")
    deck = os.path.join(directory, "deck.yaml")
    os.makedirs(directory, exist_ok=True)
    a, b, u = draw(law, n, seed)
    if not os.path.exists(os.path.join(directory, "uq.json")):
        with h5py.File(os.path.join(directory, "rows.h5"), "w") as f:
            f["u"], f["x"], f["a"], f["b"] = u, X, a, b
        np.savetxt(os.path.join(directory, "unseen.txt"), np.transpose(unseen()), fmt="%.17g")
        with open(deck, "w") as f:
            f.write(
                f"run: {{dir: {directory}}}\nimport:\n  file: {directory}/rows.h5\n  x: {{path: /x, units: m}}\n  holdout: 0\n"
                "  fields: {u: /u}\n  conditions: {a: {path: /a, range: [0, 1]}, b: {path: /b, range: [0, 1]}}\n"
                f"train: {{steps: 0, validation: 0}}\nuq: {{count: {COUNT}, conditions: {directory}/unseen.txt}}\n"
            )
        for command in ("import", "train", "uq"):
            scoria(directory, deck, command)
    with h5py.File(os.path.join(directory, "uq.h5")) as f:
        got = errors(law, f["fields/u/mean"][:], f["fields/u/sd"][:])
    known = weighted(oracle, a, b, u) if oracle else by_quiet(law, a, b, u)
    return got + errors(law, weighted(powers, a, b, u)) + errors(law, known)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("work")
    p.add_argument("--rows", default="200,500,2000,10000")
    p.add_argument("--seeds", type=int, default=8)
    p.add_argument("--laws", default="sine,smooth,wave")
    o = p.parse_args()
    os.makedirs(o.work, exist_ok=True)
    work = os.path.abspath(o.work)
    lines = ["| law | rows | mean / SD | SD | bias of SD | powers, mean / SD | oracle, mean / SD |", "|---|---|---|---|---|---|---|"]
    for name in o.laws.split(","):
        for n in map(int, o.rows.split(",")):
            all = np.array([one(work, name, n, seed) for seed in range(o.seeds)])
            mean, scatter = all.mean(0), all.std(0, ddof=1) if o.seeds > 1 else np.full(5, np.nan)
            cells = [f"{m:.4f} +- {s:.4f}" for m, s in zip(mean, scatter)]
            for i in (1, 2):
                cells[i] = f"{100 * mean[i]:{'+' if i == 2 else ''}.1f} +- {100 * scatter[i]:.1f} %"
            lines.append(f"| {name} | {n} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    with open(os.path.join(work, "one_row.md"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
