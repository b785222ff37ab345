#!/usr/bin/env python3
"""What a sample of whole fields costs beside a solve: processor time on one core (SCORIA: the program).

    benchmarks/whole_fields_cost.py DECK [--run DIR] [-key value ...]

Solves and samples alike are written, by generate and sample, and taken by uq, which writes none of them but takes its statistics of every
cell and quantity; what of uq's time the draw is, in memory, uq.json says.  Of each a short and a longer run: their difference is without the
start of the program.  Processor time, so that a busy machine does not count.  Without DIR a model without network is made of 64 solves, too
few for phi's own waves to have a size that is beyond chance; DIR is the directory of a run whose model.h5 is to be drawn from, at the deck and keys
given.  Beside it what a plain write of a sample's bytes to the same disk takes: on a virtual machine whose memory is given by the host as it
is touched, that can be half of a sample.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile

CONDITIONS, REALISATIONS = 16, 4
SAMPLES, DRAWS, SOLVES = (20, 520), (128, 2176), (20, 84)
ROUNDS = 3


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


def middle(values):
    return sorted(values)[len(values) // 2]


class Program:
    """Runs of one deck in subdirectories of work."""

    def __init__(self, work, deck, options):
        self.work, self.deck, self.options = work, deck, options
        self.name = os.environ.get("SCORIA", "build/scoria")

    def run(self, name, command, *more, conditions=CONDITIONS):
        made = ("-ensemble_conditions", str(conditions), "-ensemble_realisations", str(REALISATIONS))
        return seconds([self.name, command, self.deck, "-run_dir", os.path.join(self.work, name), "-train_steps", "0", "-sample_source",
                        "best", *made, *self.options, *more])

    def each(self, counts, cost):
        """Of one of what is counted, the middle of some rounds: cost is of so many."""
        return middle([(cost(counts[1]) - cost(counts[0])) / (counts[1] - counts[0]) for _ in range(ROUNDS)])

    def solves_written(self):
        def cost(conditions):
            return self.run("solves%d" % conditions, "generate", conditions=conditions)
        few, many = cost(1), cost(CONDITIONS)
        return (many - few) / ((CONDITIONS - 1) * REALISATIONS)

    def samples_written(self, name):
        def cost(n):
            path = os.path.join(self.work, name, "samples%d.h5" % n)
            spent = self.run(name, "sample", "-sample_count", str(n), "-sample_file", os.path.basename(path))
            self.size = os.path.getsize(path) // n
            os.remove(path)
            return spent
        return self.each(SAMPLES, cost)

    def answered(self, name, source, counts):
        """Of one field in uq; the share of it that is the draw."""
        shares = []

        def cost(n):
            path = os.path.join(self.work, name, "uq%d.h5" % n)
            spent = self.run(name, "uq", "-uq_source", source, "-uq_count", str(n), "-uq_file", os.path.basename(path))
            with open(path[:-3] + ".json") as file:
                answer = json.load(file)["cost"]
            if n == counts[1]:
                shares.append(answer["core_seconds_drawing"] / (answer["core_seconds_drawing"] + answer["core_seconds_statistics"]))
            os.remove(path)
            os.remove(path[:-3] + ".json")
            return spent
        spent = self.each(counts, cost)
        return spent, middle(shares)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deck")
    parser.add_argument("--run")
    args, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as work:
        program = Program(work, args.deck, options)
        written = program.solves_written()
        name = "solves%d" % CONDITIONS
        if args.run:
            name = "given"
            os.mkdir(os.path.join(work, name))
            shutil.copy(os.path.join(args.run, "model.h5"), os.path.join(work, name))
        else:
            program.run(name, "train")
        solve, solve_share = program.answered(name, "pde", SOLVES)
        sample_written = program.samples_written(name)
        sample, sample_share = program.answered(name, "model", DRAWS)
        plain = write_seconds(os.path.join(work, "plain"), program.size, SAMPLES[1]) / SAMPLES[1]
    for what, a, b in (("alone", solve * solve_share, sample * sample_share), ("in uq, statistics counted", solve, sample),
                       ("written", written, sample_written)):
        print("%-26s a solve %8.2f ms, a sample %7.3f ms of processor time: %4.0f times cheaper" % (what, 1e3 * a, 1e3 * b, a / b))
    print("a plain write of its %.2f MB takes %.3f ms of the last" % (program.size / 1e6, 1e3 * plain))


if __name__ == "__main__":
    main()
