#!/usr/bin/env python3
"""Whose the errors of a model's .99 quantiles of hot spots are: the solves', the training set's, the model's.

    benchmarks/whole_fields_quantiles.py DECK HELD EACH RUN [RUN ...] [--draws 4000] [--degree 2] [-key value ...]

HELD is a dataset of EACH solves at each of some conditions, the RUNs directories with models (and their dataset.h5) from training
sets that differ in run.seed alone.  Of every hot spot: the error of its .99 quantile over the SD of the solves, mean and rms over
the conditions; in how many it lies within the 95 % interval of that of EACH solves, and of half of them (mean of both halves).
Of several sets its variance in parts: between sets, at a condition and of their means over all conditions; of the solves, by the
bootstrap; what is left of the mean over sets, squared, is bias.  Beside it what an estimator without bias would reach that knows no
law but that quantiles are polynomials of some degree in the conditions: at a condition its chance is that of 1 / leverage solves.
(h5py, NumPy; SCORIA: the program)
"""
import argparse
import itertools
import math
import os

import h5py
import numpy as np

import whole_fields_table as table

TIMES = 200  # of the bootstrap


def drawn(own, run, theta, number, options):
    """Hot spots (kind, draws)."""
    names, spots = table.problem_of(own.deck)
    fields = table.sample(own.deck, run, theta, own.draws, 900 + number, options)
    return np.array(table.extremes(spots, names, fields))


def conditions(path):
    """Unit conditions (rows, those that vary), as they are spaced."""
    with h5py.File(path) as file:
        rows = []
        for name in file["conditions"]:
            column = file["conditions"][name]
            lo, hi, log = (column.attrs[key] for key in ("lo", "hi", "log"))
            if hi > lo:
                scale = np.log if log else np.asarray
                rows.append((scale(column[:]) - scale(lo)) / (scale(hi) - scale(lo)))
        return np.stack(rows, 1)


def polynomials(u, degree):
    powers = [p for p in itertools.product(range(degree + 1), repeat=u.shape[1]) if sum(p) <= degree]
    return np.stack([np.prod(u**np.array(p), 1) for p in powers], 1)


def ideal(own, solves):
    """Share of conditions within, expected, and how many solves of a condition the training set is worth, by leverage."""
    rows, at = conditions(os.path.join(own.run[0], "dataset.h5")), conditions(own.held)[::own.each]
    X, x = polynomials(rows, own.degree), polynomials(at, own.degree)
    worth = 1 / np.einsum("ij,jk,ik->i", x, np.linalg.inv(X.T @ X), x)
    ratio = np.sqrt(1 + solves * (1 / worth + 1 / own.draws))
    return np.mean([math.erf(table.CHANCE / r / math.sqrt(2)) for r in ratio]), 1 / np.mean(1 / worth)


def report(name, solved, found):
    """solved (conditions, solves), found (conditions, sets, draws)."""
    scale, half = solved.std(1), solved.shape[1] // 2
    exact = np.quantile(solved, .99, axis=1)
    error = (np.quantile(found, .99, axis=2) - exact[:, None]) / scale[:, None]
    inside = [[table.within(g, y) for g in row] for row, y in zip(found, solved)]
    halves = [[np.mean([table.within(g, part) for part in (y[:half], y[half:])]) for g in row] for row, y in zip(found, solved)]
    for s in range(error.shape[1]):
        print("%-9s set %d: mean %+.2f, rms %.2f; within %g, by half of the solves %g of %d"
              % (name, s + 1, error[:, s].mean(), np.sqrt((error[:, s]**2).mean()), np.sum(inside, 0)[s], np.sum(halves, 0)[s], len(error)))
    if error.shape[1] < 2:
        return
    rng = np.random.default_rng(1)
    chance = np.mean([np.var([np.quantile(rng.choice(y, len(y)), .99) for _ in range(TIMES)]) / y.var() for y in solved])
    sets = error.var(1, ddof=1).mean()
    print("%-9s all: mean %+.3f; variance between sets %.4f (of means over conditions %.4f), of the solves %.4f; bias^2 %.4f; within %.2f, %.2f"
          % (name, error.mean(), sets, error.mean(0).var(ddof=1), chance,
             (error.mean(1)**2).mean() - sets / error.shape[1] - chance, np.mean(inside), np.mean(halves)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deck")
    parser.add_argument("held")
    parser.add_argument("each", type=int)
    parser.add_argument("run", nargs="+")
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--degree", type=int, default=2)
    own, options = parser.parse_known_args()
    options += ["-train_steps", "0", "-sample_source", "best"]
    names, spots = table.problem_of(own.deck)
    with h5py.File(own.held) as file:
        count = len(file["fields/" + names[0]]) // own.each
    solved, found = [], []
    for i in range(count):
        with h5py.File(own.held) as file:
            theta = {name: file["conditions"][name][i * own.each] for name in file["conditions"]}
        solved.append(table.extremes(spots, names, table.read(own.deck, own.held, i * own.each, own.each)))
        found.append([drawn(own, run, theta, i, options) for run in own.run])
    solved, found = np.array(solved), np.array(found)
    for k, (name, *_) in enumerate(spots):
        report(name, solved[:, k], found[:, :, k])
    for solves in (own.each, own.each // 2):
        share, worth = ideal(own, solves)
        print("without bias, of degree %d: %.2f within of %d solves; a training set is worth %.0f solves of a condition"
              % (own.degree, share, solves, worth))


if __name__ == "__main__":
    main()
