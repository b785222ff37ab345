#!/usr/bin/env python3
"""Discharges of a cell with random porosities by PyBaMM: data for scoria import, made by another program.

A Doyle-Fuller-Newman model of the LG M50 (Chen et al. 2020) is discharged from 100 % at a constant current for ten minutes.  The porosity of
each electrode is random along the thickness: its mean plus a sum of cosines, cos(k pi x / L), k = 1 ... 4, with normal weights of standard
deviation s / k.  The conditions are the current and s; the porosity is not stored.  Rows are the electrolyte's concentration and potential
through the cell, and its terminal voltage, a scalar.  Needs pybamm and h5py (pip install pybamm h5py); some five minutes on one core.

    pybamm_cells.py FILE [-conditions 150] [-realisations 20] [-seed 1]
"""
import argparse

import h5py
import numpy as np
import pybamm

MODES = 4
FIELDS = {"c": ("Electrolyte concentration [mol.m-3]", "mol m^-3"), "phi": ("Electrolyte potential [V]", "V"), "voltage": ("Voltage [V]", "V")}


def porosity(mean, thickness, start, name):
    """A function of x whose weights are inputs, so that the model is made once."""

    def of(x, *_):
        value = mean
        for k in range(1, MODES + 1):
            value = value + pybamm.InputParameter(f"{name}{k}") * pybamm.cos(k * np.pi * (x - start) / thickness)
        return value

    return of


def make_model():
    model, values = pybamm.lithium_ion.DFN(), pybamm.ParameterValues("Chen2020")
    negative, separator, positive = (values[f"{part} thickness [m]"] for part in ("Negative electrode", "Separator", "Positive electrode"))
    values.update({"Current function [A]": "[input]", "Negative electrode porosity": porosity(0.25, negative, 0, "n"),
                   "Positive electrode porosity": porosity(0.335, positive, negative + separator, "p")})
    geometry = model.default_geometry
    values.process_model(model)
    values.process_geometry(geometry)
    mesh = pybamm.Mesh(geometry, model.default_submesh_types, model.default_var_pts)
    pybamm.Discretisation(mesh, model.default_spatial_methods).process_model(model)
    x = np.concatenate([mesh[part].nodes for part in ("negative electrode", "separator", "positive electrode")])
    return model, x


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file")
    options.add_argument("-conditions", type=int, default=150)
    options.add_argument("-realisations", type=int, default=20)
    options.add_argument("-seed", type=int, default=1)
    o = options.parse_args()
    rng, rows = np.random.default_rng(o.seed), o.conditions * o.realisations
    current, spread = (np.repeat(rng.uniform(lo, hi, o.conditions), o.realisations) for lo, hi in ((2.5, 7.5), (0.01, 0.03)))
    weights = rng.normal(size=(rows, 2, MODES)) * spread[:, None, None] / np.arange(1, MODES + 1)
    model, x = make_model()
    solver = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8, output_variables=[name for name, _ in FIELDS.values()])
    values = {name: [] for name in FIELDS}
    for first in range(0, rows, 100):
        inputs = [{"Current function [A]": current[i],
                   **{f"{electrode}{k + 1}": weights[i, e, k] for e, electrode in enumerate("np") for k in range(MODES)}}
                  for i in range(first, min(first + 100, rows))]
        for solution in solver.solve(model, [0, 600.0], inputs=inputs):
            for name, (variable, _) in FIELDS.items():
                values[name].append(np.array(solution[variable].data)[..., -1])
        print(f"{len(values['c'])} of {rows} rows", flush=True)
    with h5py.File(o.file, "w") as file:
        for name, (_, unit) in FIELDS.items():
            file[name] = np.array(values[name])
            file[name].attrs["units"] = unit
        file["x"], file["current"], file["spread"] = x, current, spread
        file["x"].attrs["units"], file["current"].attrs["units"] = "m", "A"


if __name__ == "__main__":
    main()
