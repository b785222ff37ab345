#!/usr/bin/env python3
"""Estimates and plans of `uq -uq_source multilevel` against PyApprox and mlmc, on the same draws.

usage: benchmarks/peer_multilevel.py DECK RUN_DIR [OPTION...]      needs h5py, pyapprox 2, mlmc (PyPI), mpirun

Each estimator answers the deck with the same pilot and the costs below; its uq.h5 holds the pilot's values of every fidelity and the means of its
groups.  From the pilot's covariance a peer makes its own weights for our groups, so its estimate from our means and the variance that it
expects, and its own plan for the same error.  One line for every estimator and quantity.
"""
import os, subprocess, sys, warnings

import h5py
import numpy as np
from mlmc.estimator import estimate_n_samples_for_target_variance
from pyapprox.statest import MFMCEstimator, MLBLUEEstimator, MultiOutputMean, MLBLUEObjective
from pyapprox.statest.groupacv.allocation import GroupACVAllocationOptimizer
from pyapprox.util.backends.numpy import NumpyBkd

warnings.filterwarnings("ignore")
COSTS, FIDELITIES, COUNT = [1e-2, 3e-5, 1.3e-3, 2e-4], "line,grid:2,grid:4", 20000  # electrode3d.yaml, about [core s]
bkd = NumpyBkd()


def run(deck, directory, estimator, options):
    scoria = os.environ.get("SCORIA", os.path.join(os.path.dirname(__file__), "..", "build", "scoria"))
    path = os.path.join(directory, estimator)
    command = ["mpirun", "-n", "1", scoria, "uq", deck, "-uq_source", "multilevel", "-uq_estimator", estimator, "-uq_fidelities", FIDELITIES,
               "-uq_costs", ",".join(map(str, COSTS)), "-uq_pilot", "48", "-uq_count", str(COUNT), "-uq_tolerance_of", "means", "-run_dir", path]
    subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL)
    return h5py.File(os.path.join(path, "uq.h5"))


def groups_of(file):
    draws = file["multilevel/draws"][0]
    sets = [s for s in range(len(draws)) if draws[s] > 0]
    return sets, [np.array([a for a in range(len(COSTS)) if s + 1 >> a & 1]) for s in sets], draws[sets]


def statistic(covariance):
    stat = MultiOutputMean(1, bkd)
    stat.set_pilot_quantities(covariance)
    return stat


def mlblue(covariance, members, draws, means):
    """The peer's estimate from our means, its variance, and what its own plan costs at that variance, over ours."""
    used = sorted({a for m in members for a in m})
    subsets = [np.array([used.index(a) for a in m]) for m in members]
    ours = MLBLUEEstimator(statistic(covariance[np.ix_(used, used)]), np.array(COSTS)[used], model_subsets=subsets, use_pseudo_inv=False)
    beta = ours._grouped_acv_beta(draws)
    estimate = (beta @ np.concatenate(means))[0]
    variance = ours._covariance_from_npartition_samples(draws)[0, 0]
    cost = sum(n * sum(COSTS[a] for a in m) for n, m in zip(draws, members))
    free = MLBLUEEstimator(statistic(covariance), np.array(COSTS))  # any groups; some of the plan's are empty
    plan = GroupACVAllocationOptimizer(free, objective=MLBLUEObjective(bkd)).optimize(cost, min_nhf_samples=32, round_nsamples=False)
    best = free._covariance_from_npartition_samples(plan.npartition_samples)[0, 0] if plan.success else np.nan
    return estimate, variance, best / variance


def main():
    deck, directory, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    print("| estimator | quantity | estimate: ours - peer's, in standard errors | standard error: ours / peer's | draws: ours / peer's |\n|---|---|---|---|---|")
    for estimator in ("mlblue", "mfmc", "mlmc"):
        file = run(deck, directory, estimator, options)
        sets, members, draws = groups_of(file)
        names = list(file["multilevel/quantities"])
        pilot = {q: file[f"multilevel/quantities/{q}/pilot"][0] for q in names}
        covariance = {q: np.cov(pilot[q].T) for q in names}
        plan_ratio = compare_plans(estimator, names, covariance, sets, members, draws)
        for q in names:
            means = [file[f"multilevel/quantities/{q}/group_mean"][0, s][m] for s, m in zip(sets, members)]
            mean, se = (float(np.ravel(file[f"quantities/{q}/{what}"][()])[0]) for what in ("mean", "mean_se"))
            if estimator == "mlblue":
                estimate, variance, share = mlblue(covariance[q], members, draws, means)
                ratio = f"variance of its own plan for this quantity alone at this cost: {share:.3f} of ours"
            else:
                estimate, variance = chain(estimator, covariance[q], members, draws, means)
                ratio = plan_ratio
            print(f"| {estimator} | {q} | {(mean - estimate) / se:.1e} | {se / np.sqrt(variance):.3f} | {ratio} |", flush=True)


def chain(estimator, C, members, draws, means):
    """Textbook weights: differences (Giles 2008), or control variates C_0k / C_kk (Peherstorfer 2016, eq. 2.7)."""
    if estimator == "mlmc":
        order = [m for m in members]
        estimate = variance = 0.0
        for m, n, mean in zip(order, draws, means):
            fine = m[0] if len(m) == 1 else min(m, key=lambda a: -COSTS[a])
            w = np.array([1.0 if a == fine else -1.0 for a in m])
            estimate += w @ mean
            variance += w @ C[np.ix_(m, m)] @ w / n
        return estimate, variance
    nested = sorted(zip(members, draws, means), key=lambda g: -len(g[0]))
    total, weight = np.zeros(len(C)), [np.zeros(len(C)) for _ in nested]
    for m, n, _ in nested:
        total[m] += n
    weight[0][0] = 1
    for k in range(1, len(C)):
        with_k = [j for j, g in enumerate(nested) if k in g[0]]
        if len(with_k) < 2:
            continue
        last, alpha = with_k[-1], C[0, k] / C[k, k]
        for j in with_k:
            n = nested[j][1]
            weight[j][k] = alpha * (n / total[k] - (n / (total[k] - nested[last][1]) if j != last else 0))
    estimate = sum(w[m] @ mean for w, (m, n, mean) in zip(weight, nested))
    return estimate, sum(w[m] @ C[np.ix_(m, m)] @ w[m] / n for w, (m, n, _) in zip(weight, nested))


def compare_plans(estimator, names, covariance, sets, members, draws):
    """Numbers of draws of the peer's plan for the same error of every quantity, against ours, fidelity by fidelity."""
    used = sorted({a for m in members for a in m})
    if estimator == "mlmc":
        order = sorted(used, key=lambda a: -COSTS[a])
        V = [[1, -1] for _ in order[:-1]] + [[1]]
        pairs = [order[i:i + len(w)] for i, w in enumerate(V)]
        variances = np.array([[np.array(w) @ covariance[q][np.ix_(p, p)] @ np.array(w) / covariance[q][0, 0] for q in names] for w, p in zip(V, pairs)])
        peer = estimate_n_samples_for_target_variance(1 / COUNT, variances, np.array([sum(COSTS[a] for a in p) for p in pairs]), len(pairs))
        ours = [dict(zip(map(tuple, members), draws))[tuple(sorted(p))] for p in pairs]
        return ", ".join(f"{n:.0f} / {m:.0f}" for n, m in zip(ours, peer))
    if estimator == "mfmc":
        order = [used[0]] + sorted(used[1:], key=lambda a: -sum(covariance[q][0, a] ** 2 / covariance[q][0, 0] / covariance[q][a, a] for q in names))
        ours = [sum(n for m, n in zip(members, draws) if a in m) for a in order]
        most = np.zeros(len(order))
        for q in names:
            C = covariance[q][np.ix_(order, order)]
            peer = MFMCEstimator(statistic(C), np.array(COSTS)[order])
            budget = 1.0
            ratios, log_variance = peer._allocate_samples_analytical(budget)
            partition = peer._npartition_samples_from_partition_ratios(budget, ratios)
            need = peer._covariance_from_npartition_samples(partition)[0, 0] / (C[0, 0] / COUNT)
            most = np.maximum(most, need * peer._compute_nsamples_per_model(partition))
        return ", ".join(f"{n:.0f} / {m:.0f}" for n, m in zip(ours, most))
    return ""


if __name__ == "__main__":
    main()
