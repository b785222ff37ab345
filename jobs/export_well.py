#!/usr/bin/env python3
"""A dataset in the layout of The Well (polymathic-ai.org/the_well), for its reader and what is trained through it.

    jobs/export_well.py FILE DIR      FILE: dataset.h5, samples.h5, or fields.h5 (two and three dimensions)

makes DIR/data/train, valid and test with one file each: the solved rows of FILE, a trajectory of one step each.  Nothing but a row's
condition chooses its part, four fifths of the conditions for training and a tenth for each other, so that the parts of a dataset that
grows stay.  Read by

    WellDataset(path=DIR, well_split_name="train", n_steps_input=0)     solutions as output_fields

with the porosity in constant_fields and the conditions in constant_scalars.  Needs h5py.
"""
import os
import sys
import zlib

import h5py
import numpy as np

BLOCK = 64 << 20  # of a field, read and written at once [byte]
PARTS = ("train",) * 8 + ("valid", "test")
TEXT = h5py.string_dtype()


def fail(line):
    print("export_well.py: " + line, file=sys.stderr)
    sys.exit(3)


def text(attribute):
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)


class Source:
    """A file of scoria's, read in blocks of rows."""

    def __init__(self, path):
        try:
            self.file = h5py.File(path, "r")
        except OSError as error:
            fail("%s: cannot be opened: %s" % (path, error))
        if not text(self.file.attrs.get("format", "")).startswith("scoria-") or "conditions" not in self.file or "fields" not in self.file:
            fail("%s: no dataset: it has no fields and conditions of scoria's" % path)
        self.path = path
        self.fields = dict(self.file["fields"].items())
        self.conditions = dict(self.file["conditions"].items())
        first = next(iter(self.fields.values()))
        self.rows = first.shape[0]
        self.axes = text(first.attrs["axes"]).split()[1:]
        self.step = max(1, BLOCK // max(f.dtype.itemsize * int(np.prod(f.shape[1:])) for f in self.fields.values()))
        for name, field in self.fields.items():
            if field.shape != first.shape:
                fail("%s: %s has the shape %s, %s has %s" % (path, first.name, first.shape, field.name, field.shape))
            if text(field.attrs["axes"]) != text(first.attrs["axes"]):
                fail("%s: %s lies along %s, %s along %s" % (path, first.name, text(first.attrs["axes"]), field.name, text(field.attrs["axes"])))

    def blocks(self):
        """Slices of rows, with the part that each row is in; None for a row that was not solved."""
        before, number = None, -1
        for start in range(0, self.rows, self.step):
            at = slice(start, min(start + self.step, self.rows))
            theta = np.stack([c[at] for c in self.conditions.values()], axis=1)
            new = np.ones(len(theta), bool)
            new[1:] = np.any(theta[1:] != theta[:-1], axis=1)
            new[0] = before is None or np.any(theta[0] != before)
            before = theta[-1]
            numbers = number + np.cumsum(new)
            number = int(numbers[-1])
            parts = np.array([PARTS[zlib.crc32(b"condition %d" % n) % len(PARTS)] for n in range(int(numbers[0]), number + 1)], object)[numbers - numbers[0]]
            parts[~self.solved(at)] = None
            yield at, parts

    def solved(self, at):
        if "status/done" in self.file:
            return self.file["status/done"][at] == 1
        return np.all([np.isfinite(f[at]).reshape(at.stop - at.start, -1).all(axis=1) for f in self.fields.values()], axis=0)


def describe(array, **attributes):
    for name, value in attributes.items():
        array.attrs[name] = value
    return array


def coordinates(group, source):
    group.attrs["spatial_dims"] = np.array(source.axes, TEXT)
    describe(group.create_dataset("time", data=np.zeros(1, "f4")), sample_varying=False, time_varying=True)
    for axis in source.axes:
        describe(group.create_dataset(axis, data=source.file[axis][:].astype("f4")), sample_varying=False, time_varying=False)


def boundaries(group, source):
    """What is not said is open; the lateral axes are periodic."""
    for axis in source.axes:
        if axis == "x":
            continue
        periodic = describe(group.create_group(axis + "_periodic"), bc_type="PERIODIC", sample_varying=False, time_varying=False)
        periodic.attrs["associated_dims"] = np.array([axis], TEXT)
        periodic.attrs["associated_fields"] = np.array([], TEXT)
        mask = np.zeros(len(source.file[axis]), bool)
        mask[[0, -1]] = True
        periodic.create_dataset("mask", data=mask)


def layout(file, source, name, rows):
    """Everything but the rows' values, for which it makes room.  Returns pairs of arrays, from and to."""
    describe(file, dataset_name=name, grid_type="cartesian", n_spatial_dims=np.int64(len(source.axes)), n_trajectories=np.int64(rows))
    file.attrs["simulation_parameters"] = np.array(list(source.conditions), TEXT)
    file.attrs["source"] = os.path.basename(source.path)
    for key in ("deck", "seed", "git_revision", "program_version"):
        if key in source.file.attrs:
            file.attrs[key] = source.file.attrs[key]
    coordinates(file.create_group("dimensions"), source)
    boundaries(file.create_group("boundary_conditions"), source)
    pairs = []
    scalars = file.create_group("scalars")
    scalars.attrs["field_names"] = np.array(list(source.conditions), TEXT)
    for key, condition in source.conditions.items():
        array = scalars.create_dataset(key, (rows,), "f4")
        pairs.append((condition, describe(array, sample_varying=True, time_varying=False)))
    for order in range(3):
        group = file.create_group("t%d_fields" % order)
        group.attrs["field_names"] = np.array([] if order else list(source.fields), TEXT)
    for key, field in source.fields.items():
        given = key in ("eps", "eps_sd")
        array = file["t0_fields"].create_dataset(key, (rows,) + (() if given else (1,)) + field.shape[1:], field.dtype)
        describe(array, sample_varying=True, time_varying=not given, dim_varying=np.ones(len(source.axes), bool))
        pairs.append((field, array))
    for here, there in pairs:
        for key in ("units", "description"):
            if key in here.attrs:
                there.attrs[key] = text(here.attrs[key])
    return pairs


def export(source, directory, name):
    counts = dict.fromkeys(PARTS, 0)
    for _, parts in source.blocks():
        for part in counts:
            counts[part] += int(np.sum(parts == part))
    paths = {part: os.path.join(directory, "data", part, name + ".h5") for part in counts if counts[part]}
    for path in paths.values():
        if os.path.exists(path):
            fail("%s: it exists already and is not overwritten" % path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
    files, done = {}, dict.fromkeys(paths, 0)
    try:
        for part, path in paths.items():
            files[part] = h5py.File(path + ".part", "w")
        pairs = {part: layout(files[part], source, name, counts[part]) for part in files}
        for at, parts in source.blocks():
            copy(at, parts, pairs, done)
        for part, path in paths.items():
            files[part].close()
            os.rename(path + ".part", path)
    except OSError as error:
        for path in paths.values():
            if os.path.exists(path + ".part"):
                os.remove(path + ".part")
        fail("%s: cannot be written: %s" % (directory, error))
    for part, path in paths.items():
        print("%s: %d trajectories" % (path, counts[part]))
    left = source.rows - sum(counts.values())
    if left:
        print("%d rows that were not solved are left out" % left)


def copy(at, parts, pairs, done):
    """One block of rows to its parts; done: the rows that each has."""
    for part in done:
        chosen = parts == part
        n = int(np.sum(chosen))
        for here, there in pairs[part] if n else ():
            there[done[part] : done[part] + n] = here[at][chosen].reshape((n,) + there.shape[1:])
        done[part] += n


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        sys.exit(0 if sys.argv[1:] in (["-h"], ["-help"], ["--help"]) else 2)
    directory = os.path.abspath(sys.argv[2])
    export(Source(sys.argv[1]), directory, os.path.basename(directory))


if __name__ == "__main__":
    main()
