#!/usr/bin/env python3
"""Flow through a porous plane of random permeability, by finite volumes: data of another program for `scoria import`.

    benchmarks/darcy.py FILE [-cells NX,NY] [-conditions N] [-realisations M] [-seed S]

Darcy's law in two dimensions, div(k grad p) = 0 on 2 mm x 1 mm: p = 1 at the left, 0 at the right, no flow through the other two sides.
ln k is a Gaussian field of standard deviation sigma and correlation length ell (exponential covariance), which are the conditions: a Latin
hypercube of N, with M draws at each.  FILE (HDF5) gets pressure (rows, NY, NX), the speed of the flow |k grad p| (rows, NY, NX), the
permeability of the plane as a whole (rows), sigma and ell (rows), and the cell centres x and y.  Needs NumPy, SciPy, h5py.
"""
import argparse

import h5py
import numpy as np
from scipy.fft import fft2
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from scipy.stats import qmc

EXTENT = (2e-3, 1e-3)  # [m]


def spectrum(ell, shape, h):
    """Roots of the eigenvalues of the covariance on a torus twice as large, whose negative ones are cut off."""
    lags = [np.minimum(np.arange(2 * n), 2 * n - np.arange(2 * n)) * d for n, d in zip(shape, h)]
    covariance = np.exp(-np.hypot(lags[0][:, None], lags[1]) / ell)
    return np.sqrt(np.maximum(fft2(covariance).real, 0))


def draw(root, shape, rng):
    """Two independent fields (shape) of unit variance."""
    noise = rng.standard_normal(root.shape) + 1j * rng.standard_normal(root.shape)
    field = fft2(root * noise)[: shape[0], : shape[1]] / np.sqrt(root.size)
    return field.real, field.imag


def solve(k, h):
    """Pressure, speed, and permeability of the plane, k (NY, NX)."""
    ny, nx = k.shape
    hy, hx = h
    across = 2 / (1 / k[:, 1:] + 1 / k[:, :-1]) * hy / hx  # transmissibilities: harmonic means
    along = 2 / (1 / k[1:] + 1 / k[:-1]) * hx / hy
    left, right = 2 * k[:, 0] * hy / hx, 2 * k[:, -1] * hy / hx
    n = np.arange(nx * ny).reshape(ny, nx)
    pairs = [(n[:, 1:], n[:, :-1], across), (n[1:], n[:-1], along)]
    rows, columns, values = [], [], []
    for a, b, t in pairs:
        for i, j, v in ((a, a, t), (b, b, t), (a, b, -t), (b, a, -t)):
            rows.append(i.ravel())
            columns.append(j.ravel())
            values.append(v.ravel())
    for i, t in ((n[:, 0], left), (n[:, -1], right)):
        rows.append(i)
        columns.append(i)
        values.append(t)
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsc()
    source = np.zeros((ny, nx))
    source[:, 0] = left
    p = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(source.ravel()).reshape(ny, nx)
    fx = np.concatenate([(left * (1 - p[:, 0]))[:, None], across * (p[:, :-1] - p[:, 1:]), (right * p[:, -1])[:, None]], 1)
    fy = np.zeros((ny + 1, nx))
    fy[1:-1] = along * (p[:-1] - p[1:])
    speed = np.hypot((fx[:, 1:] + fx[:, :-1]) / (2 * hy), (fy[1:] + fy[:-1]) / (2 * hx))
    return p, speed, fx[:, 0].sum() * (nx * hx) / (ny * hy)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file")
    options.add_argument("-cells", default="64,32")
    options.add_argument("-conditions", type=int, default=200)
    options.add_argument("-realisations", type=int, default=10)
    options.add_argument("-seed", type=int, default=1)
    options = options.parse_args()
    nx, ny = map(int, options.cells.split(","))
    h = EXTENT[1] / ny, EXTENT[0] / nx
    rng = np.random.default_rng(options.seed)
    unit = qmc.LatinHypercube(2, seed=rng).random(options.conditions)
    sigma, ell = 0.5 + unit[:, 0], 1e-4 + 3e-4 * unit[:, 1]
    rows = options.conditions * options.realisations
    pressure, speed, whole = np.empty((rows, ny, nx), "f4"), np.empty((rows, ny, nx), "f4"), np.empty(rows)
    for i in range(options.conditions):
        root = spectrum(ell[i], (ny, nx), h)
        fields = [f for _ in range((options.realisations + 1) // 2) for f in draw(root, (ny, nx), rng)]
        for j in range(options.realisations):
            row = i * options.realisations + j
            pressure[row], speed[row], whole[row] = solve(np.exp(sigma[i] * fields[j]), h)
    with h5py.File(options.file, "w") as out:
        out["pressure"], out["speed"], out["permeability"] = pressure, speed, whole
        out["sigma"], out["ell"] = np.repeat(sigma, options.realisations), np.repeat(ell, options.realisations)
        out["x"], out["y"] = (np.arange(nx) + 0.5) * h[1], (np.arange(ny) + 0.5) * h[0]
        for name in ("x", "y", "ell"):
            out[name].attrs["units"] = "m"


if __name__ == "__main__":
    main()
