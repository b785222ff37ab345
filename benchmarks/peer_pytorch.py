#!/usr/bin/env python3
"""Training rate of scoria's networks against the same networks in PyTorch on the same cores.

    benchmarks/peer_pytorch.py [--threads 1] [--seconds 5] [--rounds 3] [--compile]

Same shapes, batch, loss, Adam, clipping and average of the weights; PyTorch takes the batch as a whole, as its users would, with
its fused optimiser, and with --compile its compiler.  Programs take turns, so that a slow minute of the machine meets both.
PyTorch is not needed for anything else (pip install torch); without it this says so and stops.
"""
import argparse
import copy
import math
import os
import subprocess
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as fn
except ImportError:
    print("peer_pytorch: PyTorch is not installed, nothing to compare with (pip install torch)")
    sys.exit(0)

MODES, CONDITIONS, EMBED, BATCH, MICRO, CHANNELS, CELLS, KERNEL, PATCH = 12, 3, 128, 1024, 8, 2, 100, 5, 4
ROWS = 4096
FEATURES = 1 + 2 * 8 + CONDITIONS * (1 + 2 * 3)


def harmonics(v, count):
    angle = v * torch.arange(1, count + 1) * (math.pi / 2)
    return torch.cat([v, angle.sin(), angle.cos()], dim=1)


class Film(nn.Module):
    """RMS normalisation and modulation of (B, ..., width) by the embedding."""

    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(EMBED, 2 * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h, e, channel_axis):
        gamma, beta = self.linear(e).chunk(2, dim=1)
        if h.dim() == 3:
            gamma, beta = (v.unsqueeze(3 - channel_axis) for v in (gamma, beta))
        n = h * torch.rsqrt(h.square().mean(dim=channel_axis, keepdim=True) + 1e-6)
        return fn.silu((1 + gamma) * n + beta)


class Trunk(nn.Module):
    """One residual block, as in scoria's defaults; channel_axis 1 for (B, width) and (B, width, tokens)."""

    def __init__(self, width, mix):
        super().__init__()
        self.embed1, self.embed2 = nn.Linear(FEATURES, EMBED), nn.Linear(EMBED, EMBED)
        self.film1, self.film2 = Film(width), Film(width)
        self.mix1, self.mix2 = mix(), mix()

    def forward(self, h, label, u):
        e = torch.cat([harmonics(label, 8)] + [harmonics(u[:, k : k + 1], 3) for k in range(CONDITIONS)], dim=1)
        e = fn.silu(self.embed2(fn.silu(self.embed1(e))))
        h = h + self.mix2(fn.silu(self.mix1(self.film1(h, e, 1))))
        return self.film2(h, e, 1)


class Modes(nn.Module):
    def __init__(self, width=192):
        super().__init__()
        self.first, self.last = nn.Linear(MODES, width), nn.Linear(width, MODES)
        self.trunk = Trunk(width, lambda: nn.Linear(width, width))

    def forward(self, x, label, u):
        return self.last(self.trunk(self.first(x), label, u))


class Cnn1d(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.register_buffer("basis", torch.linalg.qr(torch.randn(CHANNELS * CELLS, MODES))[0].T.contiguous())
        self.first, self.last = (nn.Conv1d(CHANNELS * PATCH, width, 1), nn.Conv1d(width, CHANNELS * PATCH, 1))
        self.trunk = Trunk(width, lambda: nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2))

    def forward(self, x, label, u):
        B = len(x)
        grid = (x @ self.basis).reshape(B, CHANNELS, CELLS // PATCH, PATCH).transpose(2, 3).reshape(B, CHANNELS * PATCH, -1)
        F = self.last(self.trunk(self.first(grid), label, u))
        return F.reshape(B, CHANNELS, PATCH, -1).transpose(2, 3).reshape(B, -1) @ self.basis.T


def steps_of(net, compiled):
    """A function that makes one optimiser step."""
    average = copy.deepcopy(net)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.99), fused=True)
    y, u = torch.randn(ROWS, MODES), torch.rand(64, CONDITIONS)
    run = torch.compile(net) if compiled else net
    averages, weights = list(average.parameters()), list(net.parameters())

    def step():
        rows = torch.randint(ROWS, (BATCH,))
        lnsigma = -0.2 + torch.randn(BATCH, 1)
        angle, noise, rows_y = torch.atan(lnsigma.exp()), torch.randn(BATCH, MODES), y[rows]
        c, s = angle.cos(), angle.sin()
        loss = fn.mse_loss(run(c * rows_y + s * noise, 0.25 * lnsigma, u[rows % 64]), s * rows_y - c * noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0, foreach=True)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 0.01)

    return step


def rate(step, seconds):
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step()
        n += 1
    return n * BATCH / (time.perf_counter() - start)


def ours(bench, ranks, seconds):
    """Rows per second by network, from bench_train."""
    command = ["mpirun", "-n", str(ranks), bench, "-seconds", str(seconds), "-batch", str(BATCH), "-micro", str(MICRO)]
    lines = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.splitlines()
    column = lines[0].split().index("rows/s")
    return {line.split()[0]: float(line.split()[column]) for line in lines[1:]}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--threads", type=int, default=1, help="threads of PyTorch, ranks of scoria")
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--compile", action="store_true", help="through torch.compile")
    options.add_argument("--bench", default=os.path.join(here, "..", "build", "benchmarks", "bench_train"))
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    step = {"modes": steps_of(Modes(), o.compile), "cnn1d": steps_of(Cnn1d(), o.compile)}
    for s in step.values():
        for _ in range(5):
            s()
    print(f"PyTorch {torch.__version__}{', compiled' if o.compile else ''}; {o.threads} threads against {o.threads} ranks; batch {BATCH}")
    print("network   scoria rows/s   PyTorch rows/s   ratio")
    for turn in range(o.rounds):
        mine = ours(o.bench, o.threads, o.seconds)
        for name, s in step.items():
            theirs = rate(s, o.seconds)
            print(f"{name:7s} {mine[name]:15.0f} {theirs:16.0f} {mine[name] / theirs:7.2f}", flush=True)


main()
