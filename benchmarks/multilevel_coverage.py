#!/usr/bin/env python3
"""How often the 95 % intervals of `uq -uq_source multilevel` hold the truth, over many independent answers to one question.

usage: [QUANTILES=0.05,0.25,0.5,0.75,0.95] benchmarks/multilevel_coverage.py DECK RUN_DIR RUNS SOLVES [OPTION...]      needs h5py, numpy, mpirun

RUNS equal lines of uq_conditions are as many answers, each with a pilot, a plan and draws of its own.  The truth is that of SOLVES solves
(uq.source: pde); its own error is added to theirs, but is the same for all of them: where it is a tenth of theirs, a truth that is 2.5 of
its errors off takes 2 % from the intervals of a skewed number, so take 400 times the solves that an answer has the errors of.  The condition
is that of samples (-sample_F_right ...), or the middle of the ranges.  One line for every quantity and number of it: the mean error of the
answers over its standard error, the truth's included; the spread of the answers over their stated errors; the share of value +- 1.96 standard
errors that hold the truth, and its own standard error; the answers more than 4 standard errors off.
"""
import json, os, subprocess, sys

import h5py
import numpy as np

PROBABILITIES = tuple(float(p) for p in os.environ.get("QUANTILES", "0.05,0.25,0.5,0.75,0.95").split(","))
OF_SEVERAL = ("-uq_count", "-uq_pilot", "-uq_tolerance_for", "-uq_fidelities", "-uq_screen")  # options that are not for plain solves


def of_plain(options):
    return [o for i, o in enumerate(options) if not {o, options[max(i - 1, 0)]} & set(OF_SEVERAL)]


def ask(deck, path, options):
    """The answer's file; one that is there is taken."""
    scoria = os.environ.get("SCORIA", os.path.join(os.path.dirname(__file__), "..", "build", "scoria"))
    quantiles = ",".join(map(str, PROBABILITIES))
    command = ["mpirun", "-n", os.environ.get("RANKS", "1"), scoria, "uq", deck, "-run_dir", path, "-uq_quantiles", quantiles]
    if not os.path.exists(os.path.join(path, "uq.h5")):
        subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL)
    return h5py.File(os.path.join(path, "uq.h5"))


def numbers(file, quantity):
    """{number: (values of every answer, their standard errors)}"""
    group = file["quantities"][quantity]
    answers = group["mean"].shape[0]
    mean, mean_se, sd, sd_se = (np.reshape(group[key], answers) for key in ("mean", "mean_se", "sd", "sd_se"))
    quantile, quantile_se = (np.reshape(group[key], (answers, -1)) for key in ("quantile", "quantile_se"))
    out = {"mean": (mean, mean_se), "variance": (sd**2, 2 * sd * sd_se), "SD": (sd, sd_se)}
    return out | {f"{p:g} quantile": (quantile[:, i], quantile_se[:, i]) for i, p in enumerate(PROBABILITIES)}


def line(quantity, number, answers, truth):
    (value, se), (exact, exact_se) = answers, (truth[0][0], truth[1][0])
    error, both = value - exact, np.hypot(se, exact_se)
    n, held = len(error), np.mean(np.abs(error) <= 1.959964 * both)
    bias = error.mean() / np.hypot(error.std() / np.sqrt(n), exact_se)
    spread = np.sqrt(np.mean((error - error.mean()) ** 2 / both**2))
    return f"| `{quantity}` | {number} | {bias:+.1f} | {spread:.2f} | {100 * held:.1f} ({100 * np.sqrt(held * (1 - held) / n):.1f}) | {np.sum(np.abs(error) > 4 * both)} |"


def main():
    deck, directory, runs, solves, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
    os.makedirs(directory, exist_ok=True)
    truth = ask(deck, f"{directory}/plain", of_plain(options) + ["-uq_source", "pde", "-uq_count", str(solves)])
    with open(f"{directory}/plain/uq.json") as file:
        answer = json.load(file)
    condition = " ".join(repr(answer["conditions"][0][axis["name"]]) for axis in answer["space"])
    with open(f"{directory}/same.txt", "w") as file:
        file.write((condition + "\n") * runs)
    answers = ask(deck, f"{directory}/many", options + ["-uq_source", "multilevel", "-uq_conditions", f"{directory}/same.txt"])
    print("| quantity | number | mean error [its SE] | spread / stated error | held by 95 % intervals [%] | beyond 4 SE |\n|---|---|---|---|---|---|")
    for quantity in truth["quantities"]:
        exact = numbers(truth, quantity)
        if not exact["SD"][0][0] > 0 or quantity.startswith(("x_", "y_", "z_")):  # places of extremes: a few values
            continue
        for number, of in numbers(answers, quantity).items():
            print(line(quantity, number, of, exact[number]))


if __name__ == "__main__":
    main()
