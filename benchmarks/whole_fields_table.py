#!/usr/bin/env python3
"""Whole fields by every source that there is, against fresh solves at conditions that no choice has seen: one table.

    benchmarks/whole_fields_table.py DECK DIR [--conditions 10] [--count 400] [--solves 512 2048 8192] [--columns 100]
                                     [--network STEPS] [--quantile-count 8000] [--seed 20261130] [--each 8] [-key value ...]

DIR/held gets 2 COUNT solves at each of CONDITIONS conditions (run.seed SEED), DIR/n<S> a dataset of S solves, EACH at a
condition (8 in the tables of whole_fields.md that say nothing else), and a model without network.  Sources: the model of each S
and, from the largest, the same with a network (--network), a Gaussian field of the model's own mean and covariance by lateral
wave number (no marginal transform), and independent columns (none with --columns 0): a 1-D solve at every lateral place of the
first COLUMNS fields, of which the floor is that of as many fields.  What is in DIR is not made again.
The .99 quantiles of a model are of QUANTILE_COUNT samples, so that their own chance does not count: of COUNT samples even the
exact law would be within the interval of 2 COUNT solves at 3 of 4 conditions only.
Options -key value go to every command (h5py, NumPy; SCORIA: the program).
"""
import argparse
import os
import subprocess

import h5py
import numpy as np

EACH, CHANCE = 8, 1.959964  # realisations of a condition, where nothing else is asked for; of a 95 % interval
# Of each problem: its fields, the last of which follows from the others; hot spots, of field, as the largest value times sign.
PROBLEMS = {
    "electrode": (("c", "phi", "j"), (("max c", "c", 1), ("min phi", "phi", -1), ("max j", "j", 0))),
    "heat": (("T", "flux"), (("max T", "T", 1), ("min T", "T", -1), ("max flux", "flux", 0))),
}
LATERAL = ("cells", "lateral", "anisotropy", "whole_fields")  # keys of the lateral axes


def problem_of(deck):
    with open(deck) as file:
        named = [line.split(":")[1].split()[0] for line in file if line.strip().startswith("problem:")]
    return PROBLEMS[named[0] if named else "electrode"]


def run(command, deck, directory, *options):
    subprocess.run([os.environ.get("SCORIA", "build/scoria"), command, deck, "-run_dir", directory, "-ensemble_derived",
                    problem_of(deck)[0][-1], *options], check=True, stdout=subprocess.DEVNULL)


def read(deck, path, first, count):
    with h5py.File(path) as file:
        return [file["fields/" + name][first:first + count].astype(np.float32) for name in problem_of(deck)[0]]


# ------------------------------------------------------------------------------------------------------ sources ----

def make_rows(deck, directory, conditions, realisations, options):
    if not os.path.exists(os.path.join(directory, "dataset.h5")):
        run("generate", deck, directory, *options, "-ensemble_conditions", str(conditions), "-ensemble_realisations",
            str(realisations))
    return os.path.join(directory, "dataset.h5")


def train(deck, directory, solves, each, steps, options):
    own = ("-ensemble_conditions", str(solves // each), "-ensemble_realisations", str(each), "-train_steps", str(steps),
           "-sample_source", "network" if steps else "best")
    if not os.path.exists(os.path.join(directory, "model.h5")):
        run("train", deck, directory, *options, *own)
    return own


def sample(deck, directory, theta, count, seed, options):
    name = "table_samples.h5"
    path = os.path.join(directory, name)
    if os.path.exists(path):
        os.remove(path)
    at = [text for key, value in theta.items() for text in ("-sample_" + key, repr(float(value)))]
    run("sample", deck, directory, *options, "-sample_file", name, "-sample_count", str(count), "-run_seed", str(seed), *at)
    fields = read(deck, path, 0, count)
    os.remove(path)
    return fields


def many_extremes(deck, directory, theta, count, seed, options, first):
    """Hot spots of `count` samples, drawn 1,000 at a time; `first`: fields that are drawn already."""
    names, spots = problem_of(deck)
    found = [extremes(spots, names, first)]
    for k in range(-(-(count - len(first[0])) // 1000)):
        found.append(extremes(spots, names, sample(deck, directory, theta, 1000, seed + 100 * (k + 1), options)))
    return [np.concatenate(x) for x in zip(*found)]


def transform(model, back, fields):
    """Fields to the model's variables (logarithmic where it takes them so) and back."""
    with h5py.File(model) as file:
        table = file["normaliser/transform"][:]
    out = []
    for f, (logged, reference, sign) in zip(fields, table):
        if not logged:
            out.append(f)
        else:
            out.append(reference + sign * np.exp(f) if back else np.log(sign * (f.astype(float) - reference)))
    return out


def gaussian(model, fields, count, rng):
    """A Gaussian field of the mean and, by wave number up to sign, the covariance of fields."""
    v = np.concatenate(transform(model, False, fields), -1)
    n, nz, ny, size = v.shape
    mean = v.mean((0, 1, 2))
    f = np.fft.rfft2(v - mean, axes=(1, 2), norm="ortho").astype(np.complex64)
    white = np.fft.rfft2(rng.standard_normal((count, nz, ny, size), dtype=np.float32), axes=(1, 2), norm="ortho")
    out = np.zeros(white.shape, np.complex64)
    for kz in range(nz // 2 + 1):
        for ky in range(ny // 2 + 1):
            members = sorted({kz, -kz % nz})
            a = np.concatenate([f[:, k, ky] for k in members])
            values, modes = np.linalg.eigh((a.conj().T @ a).real / len(a))
            for k in members:
                out[:, k, ky] = (white[:, k, ky] * np.sqrt(np.maximum(values, 0))) @ modes.T
    drawn = mean + np.fft.irfft2(out, s=(nz, ny), axes=(1, 2), norm="ortho")
    return transform(model, True, np.split(drawn, len(fields), -1))


def columns(deck, directory, held, first, count, theta, options):
    """A 1-D solve at every lateral place of the first fields of a condition."""
    with h5py.File(held) as file:
        eps = file["fields/eps"][first:first + count]
    os.makedirs(directory, exist_ok=True)
    rows = eps.reshape(-1, eps.shape[-1])
    path, out = os.path.join(directory, "columns.h5"), os.path.join(directory, "solve.h5")
    with h5py.File(path, "w") as file:
        file["fields/eps"] = rows
        for key, value in theta.items():
            file["conditions/" + key] = np.full(len(rows), float(value))
    if os.path.exists(out):
        os.remove(out)
    line = os.path.join(directory, "line.yaml")  # the deck without its lateral axes
    with open(deck) as file, open(line, "w") as to:
        to.writelines(text for text in file if text.split(":")[0].strip() not in LATERAL)
    pairs = [(key, value) for key, value in zip(options[::2], options[1::2]) if key.split("_", 1)[-1] not in LATERAL]
    kept = [text for pair in pairs for text in pair]
    run("solve", line, directory, *kept, "-ensemble_cells", str(eps.shape[-1]), "-porosity_file", path)
    return [f.reshape(eps.shape) for f in read(deck, out, 0, len(rows))]


# ----------------------------------------------------------------------------------------------------- measures ----

def w1(a, b):
    """Wasserstein distance of two columns of numbers over the SD of the second."""
    return (np.abs(np.sort(a, 0) - np.sort(b, 0)).mean(0) / b.std(0)).mean()


def extremes(spots, names, fields):
    """Of every field, the hot spots as largest values: of the field, of its negative, of its magnitude (sign 0)."""
    flat = {name: f.reshape(len(f), -1) for name, f in zip(names, fields)}
    return [np.abs(flat[name]).max(1) if sign == 0 else (sign * flat[name]).max(1) for _, name, sign in spots]


def project(fields, about, scale, ways=200):
    """Fields about a mean, over a scale, on random directions."""
    rng, out = np.random.default_rng(1), 0
    for f, m, s in zip(fields, about, scale):
        way = rng.standard_normal((f[0].size, ways)).astype(np.float32) / np.broadcast_to(s, f.shape[1:]).reshape(-1, 1)
        out = out + (f - m).reshape(len(f), -1) @ way
    return out


def measures(a, b):
    """Of states: sliced W, error of the lateral mean over its SD, its SD ratio - 1, spectrum ratio - 1, the last three rms."""
    scale, about = [y.std((0, 1, 2)) for y in b], [y.mean(0) for y in b]
    mean_a, mean_b = (np.concatenate([f.mean((1, 2), dtype=float) for f in x], 1) for x in (a, b))
    power = [sum((np.abs(np.fft.rfft2((f - f.mean(0)) / s, axes=(1, 2)))**2).mean(0).sum(-1) for f, s in zip(x, scale))
             for x in (a, b)]
    kept = power[1] > 1e-3 * power[1].sum()
    return [w1(project(a, about, scale), project(b, about, scale)),
            np.sqrt((((mean_a.mean(0) - mean_b.mean(0)) / mean_b.std(0))**2).mean()),
            np.sqrt(((mean_a.std(0) / mean_b.std(0) - 1)**2).mean()), np.sqrt(((power[0] / power[1] - 1)**2)[kept].mean())]


def within(x, y, share=.99):
    """Whether the quantile of x lies within the 95 % interval of that of y, by its order statistics."""
    n, half = len(y), CHANCE * np.sqrt(len(y) * share * (1 - share))
    lo, hi = int(np.floor(n * share - half)), int(np.ceil(n * share + half))
    y = np.sort(y)
    return bool(y[lo] <= np.quantile(x, share) <= y[min(hi, n - 1)])


class Row:
    """Measures of one source, condition by condition."""

    def __init__(self, name, problem):
        self.name, self.names, self.spots, self.of, self.floor, self.inside = name, *problem, [], [], []

    def compare(self, a, b):
        hot = zip(extremes(self.spots, self.names, a), extremes(self.spots, self.names, b))
        return [*measures(a[:-1], b[:-1]), *(w1(x, y) for x, y in hot)]

    def add(self, drawn, one, two, told=None):
        """told: hot spots of more draws, for the quantiles."""
        n = min(len(drawn[0]), len(one[0]))
        short = [[f[:n] for f in x] for x in (drawn, one, two)]
        self.of.append(self.compare(short[0], short[1]))
        self.floor.append(self.compare(short[2], short[1]))
        both = [np.concatenate(pair) for pair in zip(one, two)]
        told = told or extremes(self.spots, self.names, drawn)
        self.inside.append([within(x, y) for x, y in zip(told, extremes(self.spots, self.names, both))])

    def tell(self):
        inside = "/".join(str(k) for k in np.sum(self.inside, 0))
        cells = ("%.3f (%.3f)" % pair for pair in zip(np.mean(self.of, 0), np.mean(self.floor, 0)))
        return "| %s | %s | %s of %d |" % (self.name, " | ".join(cells), inside, len(self.inside))


# ---------------------------------------------------------------------------------------------------------- all ----

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deck")
    parser.add_argument("directory")
    parser.add_argument("--conditions", type=int, default=10)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--solves", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--network", type=int, default=0)
    parser.add_argument("--quantile-count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--each", type=int, default=EACH)
    own, options = parser.parse_known_args()
    deck, inside = own.deck, lambda name: os.path.join(own.directory, name)
    if own.each < 1 or any(solves % own.each for solves in own.solves):
        parser.error("--each: every number of solves (%s) has to be a multiple of it; found %d" %
                     (" ".join(map(str, own.solves)), own.each))
    held = make_rows(deck, inside("held"), own.conditions, 2 * own.count, [*options, "-run_seed", str(own.seed)])
    with h5py.File(held) as file:
        conditions = {key: values[::2 * own.count] for key, values in file["conditions"].items()}
    problem, models, design = problem_of(deck), [], "" if own.each == EACH else ", %d a condition" % own.each
    for solves in own.solves:
        make_rows(deck, inside("n%d" % solves), solves // own.each, own.each, options)
        models.append((Row("model, %d solves%s" % (solves, design), problem), inside("n%d" % solves),
                       train(deck, inside("n%d" % solves), solves, own.each, 0, options)))
    if own.network:
        directory = inside("network")
        os.makedirs(directory, exist_ok=True)
        if not os.path.exists(os.path.join(directory, "dataset.h5")):
            os.link(os.path.join(models[-1][1], "dataset.h5"), os.path.join(directory, "dataset.h5"))
        models.append((Row("the same with a network", problem), directory,
                       train(deck, directory, own.solves[-1], own.each, own.network, options)))
    flat, thin = Row("Gaussian by wave number", problem), Row("independent columns (%d fields)" % own.columns, problem)
    largest = models[len(own.solves) - 1]
    for i in range(own.conditions):
        theta = {key: values[i] for key, values in conditions.items()}
        first = 2 * own.count * i
        one, two = read(deck, held, first, own.count), read(deck, held, first + own.count, own.count)
        for row, directory, told in models:
            drawn = sample(deck, directory, theta, own.count, 1000 + i, [*options, *told])
            more = many_extremes(deck, directory, theta, own.quantile_count, 1000 + i, [*options, *told], drawn)
            row.add(drawn, one, two, more)
        many = sample(deck, largest[1], theta, 1000, 2000 + i, [*options, *largest[2]])
        flat.add(gaussian(os.path.join(largest[1], "model.h5"), many, own.count, np.random.default_rng(i)), one, two)
        if own.columns:
            thin.add(columns(deck, inside("columns"), held, first, own.columns, theta, options), one, two)
        print("condition %d of %d" % (i + 1, own.conditions), flush=True)
    print("\n| | " + " | ".join(("sliced W", "lateral mean", "its SD", "spectrum", *(spot[0] for spot in problem[1]))) +
          " | .99 quantiles within |\n|---" + "|---" * (5 + len(problem[1])) + "|")
    for row in [row for row, *_ in models] + [flat] + ([thin] if own.columns else []):
        print(row.tell())


if __name__ == "__main__":
    main()
