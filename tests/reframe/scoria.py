"""ReFrame checks of a built scoria on a site: accuracy of the quickstart, and efficiency of a small scaling study.

    reframe -C tests/reframe/site.py -c tests/reframe/scoria.py -r [-S num_tasks=64] [-S build=/path/to/build]

Limits that a site may move: -S ScoriaQuickstart.worst_ratio=..., -S ScoriaEfficiency.least=...; references of a
system (solves, training steps and samples a second) belong into its own copy of this file.
"""

import csv
import json
import os

import reframe as rfm
import reframe.utility.sanity as sn
from reframe.core.backends import getlauncher
from reframe.core.builtins import performance_function, run_after, run_before, sanity_function, variable

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


class ScoriaCheck(rfm.RunOnlyRegressionTest):
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    sourcesdir = None
    num_tasks = 2
    build = variable(str, value=os.path.join(SOURCE, "build"))
    env_vars = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def staged(self, *names):
        return os.path.join(self.stagedir, *names)


@rfm.simple_test
class ScoriaQuickstart(ScoriaCheck):
    """The whole quickstart.  The model must be as near to the PDE as its documentation says: pooled over eight held-out
    conditions with 2,000 fields each, its sliced Wasserstein distance is 1.1 times the sampling floor (the conditional
    Gaussian's is 2.9 times), and its 95 % bands cover 95.1 % of PDE fields."""

    descr = "quickstart: accuracy, and the rates of its phases"
    time_limit = "30m"
    deck = variable(str, value=os.path.join(SOURCE, "input", "quickstart.yaml"))
    worst_ratio = variable(float, value=1.4)  # of the distance to the floor
    least_coverage = variable(float, value=0.94)
    most_coverage = variable(float, value=0.96)

    @run_after("setup")
    def set_command(self):
        self.executable = os.path.join(self.build, "scoria")
        self.executable_opts = ["run", self.deck, "-run_dir", "run"]

    @sanity_function
    def is_accurate(self):
        with open(self.staged("run", "compare.json"), encoding="utf-8") as file:
            compare = json.load(file)
        model = compare["pooled"]["model"]
        return sn.all([
            sn.assert_true(os.path.getsize(self.staged("run", "report.html")) > 0, "no report"),
            sn.assert_le(compare["sliced_w_ratio"], self.worst_ratio, "sliced W over its floor is {0}, expected at most {1}"),
            sn.assert_bounded(model["coverage95"], self.least_coverage, self.most_coverage, "coverage of 95 % bands is {0}, expected {1} to {2}"),
        ])

    def rate(self, command, phase):
        """Items per second of a phase, all ranks together."""
        with open(self.staged("run", "log.jsonl"), encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                if event["event"] == "phase" and event["of"] == command and event["phase"] == phase:
                    return event["items"] / event["seconds"]
        raise KeyError(f"log.jsonl has no phase {phase} of {command}")

    @performance_function("rows/s")
    def solves(self):
        return self.rate("generate", "solve")

    @performance_function("rows/s")
    def trained(self):
        return self.rate("train", "step")

    @performance_function("fields/s")
    def sampled(self):
        return self.rate("sample", "sample")


@rfm.simple_test
class ScoriaEfficiency(ScoriaCheck):
    """A strong scaling study on one rank and on all of them (jobs/scaling.sh), on the quickstart's deck made smaller."""

    descr = "strong scaling on the ranks of a job"
    time_limit = "30m"
    least = variable(float, value=0.85)  # efficiency of the phases that share nothing
    sizes = variable(str, value="-ensemble_conditions 512 -train_steps 300 -sample_count 100000")

    @run_after("setup")
    def set_command(self):
        self.env_vars["SCORIA_BUILD"] = self.build
        self.env_vars["SCORIA_SUBMIT"] = "no"
        self.env_vars["SCORIA_COMMANDS"] = "'generate train sample'"
        self.executable = os.path.join(SOURCE, "jobs", "scaling.sh")
        deck = os.path.join(SOURCE, "input", "quickstart.yaml")
        self.executable_opts = ["strong", deck, "study", "1", str(self.num_tasks), *self.sizes.split()]

    @run_before("run")
    def start_once(self):
        self.job.launcher = getlauncher("local")()  # the script starts the ranks

    def efficiency(self, command, phase):
        with open(self.staged("study", "scaling.csv"), encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if (row["command"], row["phase"], row["kind"], row["ranks"]) == (command, phase, "measured", str(self.num_tasks)):
                    return float(row["efficiency"])
        raise KeyError(f"scaling.csv has no {phase} of {command}")

    @sanity_function
    def is_efficient(self):
        phases = [("generate", "solve"), ("train", "step"), ("sample", "sample")]
        return sn.all([
            sn.assert_ge(self.efficiency(*phase), self.least, f"efficiency of {phase[1]} is {{0}}, expected at least {{1}}") for phase in phases
        ])

    @performance_function("1")
    def solve(self):
        return self.efficiency("generate", "solve")

    @performance_function("1")
    def step(self):
        return self.efficiency("train", "step")

    @performance_function("1")
    def sampling(self):
        return self.efficiency("sample", "sample")
