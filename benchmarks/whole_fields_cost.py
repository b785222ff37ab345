#!/usr/bin/env python3
"""What a sample of whole fields costs beside a solve: processor time on one core, everything counted (SCORIA: the program).

    benchmarks/whole_fields_cost.py DECK [-key value ...]

Rows are solved and written, a model without network is made of them, samples are drawn and written, and drawn for uq, which writes
none but takes all its statistics of every cell and quantity, in a directory that is removed.  Of each, a short and a longer run: their difference is without the start of the program.  Processor time, so that a busy machine
does not count.  Beside it what a plain write of a sample's bytes to the same disk takes: on a virtual machine whose memory is given
by the host as it is touched, that can be half of a sample.
"""
import os
import subprocess
import sys
import tempfile

CONDITIONS, REALISATIONS, FEW, MANY = 16, 4, 20, 520
UQ_FEW, UQ_MANY = 128, 1152


def seconds(command):
    """User and system time of a run of the program."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def write_seconds(path, size, pieces):
    """Processor time of writing pieces of size bytes to a new file."""
    data = os.urandom(size)
    before = os.times()
    with open(path, "wb", buffering=0) as file:
        for _ in range(pieces):
            file.write(data)
    after = os.times()
    return after.user - before.user + after.system - before.system


def main():
    deck, options = sys.argv[1], sys.argv[2:]
    program = os.environ.get("SCORIA", "build/scoria")
    with tempfile.TemporaryDirectory() as work:
        def run(name, command, *more):
            return seconds([program, command, deck, "-run_dir", os.path.join(work, name), "-train_steps", "0", "-sample_source",
                            "best", *options, *more])

        def solves(name, conditions):
            return run(name, "generate", "-ensemble_conditions", str(conditions), "-ensemble_realisations", str(REALISATIONS))

        few, many = solves("few", 1), solves("many", CONDITIONS)
        solve = (many - few) / ((CONDITIONS - 1) * REALISATIONS)
        made = ("-ensemble_conditions", str(CONDITIONS), "-ensemble_realisations", str(REALISATIONS))
        run("many", "train", *made)
        few, many = (run("many", "sample", *made, "-sample_count", str(n), "-sample_file", "samples%d.h5" % n) for n in (FEW, MANY))
        sample = (many - few) / (MANY - FEW)
        few, many = (run("many", "uq", *made, "-uq_source", "model", "-uq_count", str(n),
                         "-uq_file", "uq%d" % n) for n in (UQ_FEW, UQ_MANY))
        streamed = (many - few) / (UQ_MANY - UQ_FEW)
        size = os.path.getsize(os.path.join(work, "many", "samples%d.h5" % MANY)) // MANY
        plain = write_seconds(os.path.join(work, "plain"), size, MANY) / MANY
    print("a solve %.2f ms, a sample %.3f ms of processor time, written: a sample is %.0f times cheaper"
          % (1e3 * solve, 1e3 * sample, solve / sample))
    print("a plain write of its %.2f MB takes %.3f ms of these; without it a sample is %.0f times cheaper"
          % (size / 1e6, 1e3 * plain, (solve - plain) / (sample - plain)))
    print("of uq, statistics counted, %.3f ms: %.0f times cheaper" % (1e3 * streamed, solve / streamed))


if __name__ == "__main__":
    main()
