#!/usr/bin/env python3
"""Which part of a model of whole fields is off in its hot spots: parts replaced by those of fresh solves.

    benchmarks/whole_fields_parts.py DECK DIR [--conditions 10] [--count 2000] [--samples 4000] [--solves 8192]
                                     [--seed 20261130] [-key value ...]

DIR is one of whole_fields_table.py: held (COUNT solves at each condition, twice the table's) and n<SOLVES>, made where
they are not there.  At each condition SAMPLES samples beside all solves, in the planes along x where hot spots lie:
    the model;
    its values at every x with the mean and SD of the solves there;
    its ranks with the marginal laws of the solves, so that what is left is the law of the field given these;
    the ranks of the solves with its marginal laws, so that what is left is these.
W1 over the SD of the solves, the bias of the mean, the ratio of SDs - 1 and the error of the .99 quantile (mean over
conditions, and rms), and in how many this quantile lies within the 95 % interval of that of the solves; the floor is W1
between halves of the solves over the root of 2.  (h5py, NumPy; SCORIA: the program)
"""
import argparse
import os

import h5py
import numpy as np

import whole_fields_table as table

LEVELS = (np.arange(2000) + .5) / 2000


def hot(values, sign):
    flat = values.reshape(len(values), -1)
    return (np.abs(flat) if sign == 0 else sign * flat).max(1)


def planes(fields, sign):
    """Places along x where the hot spot of a field is."""
    size = fields.shape[-1]
    flat = fields.reshape(len(fields), -1)
    return (np.abs(flat) if sign == 0 else sign * flat).argmax(1) % size


def with_laws(ranks, laws):
    """Values of the ranks of one sample and, at every x, of the marginal law of another."""
    out = np.empty(ranks.shape)
    for x in range(ranks.shape[-1]):
        order, law = ranks[..., x].ravel().argsort(), np.sort(laws[..., x].ravel())
        values = np.empty(order.size)
        values[order] = np.interp((np.arange(order.size) + .5) / order.size, (np.arange(law.size) + .5) / law.size, law)
        out[..., x] = values.reshape(ranks.shape[:-1])
    return out


def distance(a, b):
    return np.abs(np.quantile(a, LEVELS) - np.quantile(b, LEVELS)).mean()


def figures(drawn, solved):
    scale = solved.std()
    return [distance(drawn, solved) / scale, (drawn.mean() - solved.mean()) / scale, drawn.std() / scale - 1,
            (np.quantile(drawn, .99) - np.quantile(solved, .99)) / scale, table.within(drawn, solved)]


def parts(drawn, solved, sign):
    """Figures of every part, and the floor, of one hot spot at one condition."""
    at = np.unique(np.concatenate([planes(drawn, sign), planes(solved, sign)]))
    a, b = (f[..., at].astype(float) for f in (drawn, solved))
    axes, target = tuple(range(a.ndim - 1)), hot(b, sign)
    moved = (a - a.mean(axes)) / a.std(axes) * b.std(axes) + b.mean(axes)
    half = len(target) // 2
    floor = distance(target[:half], target[half:]) / target.std() / np.sqrt(2)
    return [figures(hot(x, sign), target) for x in (a, moved, with_laws(a, b), with_laws(b, a))], floor


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deck")
    parser.add_argument("directory")
    for name, value in (("conditions", 10), ("count", 2000), ("samples", 4000), ("solves", 8192), ("seed", 20261130)):
        parser.add_argument("--" + name, type=int, default=value)
    own, options = parser.parse_known_args()
    names, spots = table.problem_of(own.deck)
    model = os.path.join(own.directory, "n%d" % own.solves)
    held = table.make_rows(own.deck, os.path.join(own.directory, "held"), own.conditions, own.count,
                           [*options, "-run_seed", str(own.seed)])
    table.make_rows(own.deck, model, own.solves // table.EACH, table.EACH, options)
    options = [*options, *table.train(own.deck, model, own.solves, 0, options)]
    with h5py.File(held) as file:
        conditions = {key: values[::own.count] for key, values in file["conditions"].items()}
    found = {spot[0]: [] for spot in spots}
    for i in range(own.conditions):
        theta = {key: values[i] for key, values in conditions.items()}
        solved = dict(zip(names, table.read(own.deck, held, own.count * i, own.count)))
        drawn = dict(zip(names, table.sample(own.deck, model, theta, own.samples, 1000 + i, options)))
        for name, field, sign in spots:
            found[name].append(parts(drawn[field], solved[field], sign))
        print("condition %d of %d" % (i + 1, own.conditions), flush=True)
    labels = ("model", "means and SDs of the solves", "laws of the solves", "ranks of the solves, laws of the model")
    print("\n| | W1 (floor) | bias, rms | SD - 1, rms | .99 quantile, rms | within |\n|---|---|---|---|---|---|")
    for name, rows in found.items():
        values, floor = np.array([row[0] for row in rows]), np.mean([row[1] for row in rows])
        for label, of in zip(labels, values.transpose(1, 0, 2)):
            mean, rms = of.mean(0), np.sqrt((of**2).mean(0))
            print("| %s, %s | %.3f (%.3f) | %+.3f %.3f | %+.3f %.3f | %+.2f %.2f | %d of %d |" %
                  (name, label, mean[0], floor, mean[1], rms[1], mean[2], rms[2], mean[3], rms[3], of[:, 4].sum(), len(of)))


if __name__ == "__main__":
    main()
