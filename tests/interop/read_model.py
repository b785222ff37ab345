"""An independent reader of model.h5: NumPy and h5py only, from the formulas that the file itself holds (attribute `network_formula`).

    read_model.py model.h5 values.txt     compares with what print_denoiser wrote: 1e-5 for the denoiser, 1e-4 for a sample path
"""
import sys
import h5py
import numpy as np

HARMONICS_OF_NOISE, HARMONICS_OF_CONDITIONS = 8, 3


def silu(a):
    return a / (1 + np.exp(-a))


def harmonics(v, count):
    k = np.arange(1, count + 1)
    waves = np.stack([np.sin(k * np.pi * v / 2), np.cos(k * np.pi * v / 2)], axis=1).ravel()
    return np.concatenate([[v], waves])


class Model:
    def __init__(self, path):
        with h5py.File(path) as f:
            self.kind = f.attrs["network_kind"].decode()
            self.size = {k[8:]: int(v) for k, v in f.attrs.items() if k.startswith("network_") and not isinstance(v, bytes)}
            self.w = {}
            f["network"].visititems(
                lambda name, o: self.w.__setitem__(name, o[()].astype(float)) if isinstance(o, h5py.Dataset) else None)
            self.calibration = {k: v[()] for k, v in f["calibration"].items()} if "calibration" in f else None
            if self.kind == "cnn1d":
                self.V = f["normaliser/modes"][: self.size["modes"]].reshape(self.size["modes"], -1)

    def film(self, h, e, block):
        width = self.size["width"]
        gamma, beta = np.split(e @ self.w[block + "film/W"] + self.w[block + "film/b"], [width])
        return (1 + gamma) * h / np.sqrt(np.mean(h**2, axis=-1, keepdims=True) + 1e-6) + beta

    def mix(self, h, W):
        """A matrix per token; for a convolution (taps, in, out), over tokens with zeros outside."""
        if W.ndim == 2:
            return h @ W
        taps, tokens = W.shape[0], h.shape[1]
        padded = np.pad(h, ((0, 0), (taps // 2, taps // 2), (0, 0)))
        return sum(padded[:, t : t + tokens] @ W[t] for t in range(taps))

    def to_tokens(self, x):
        """x (n, r) to tokens of the grid (n, tokens, channels * patch)."""
        C, L, p = self.size["channels"], self.size["cells"], self.size["patch"]
        k = np.sqrt(C * L / self.size["modes"])
        grid = (k * x @ self.V).reshape(-1, C, L)
        grid = np.pad(grid, ((0, 0), (0, 0), (0, -L % p)))
        return grid.reshape(len(x), C, -1, p).transpose(0, 2, 1, 3).reshape(len(x), -1, C * p)

    def from_tokens(self, F):
        C, L, p = self.size["channels"], self.size["cells"], self.size["patch"]
        k = np.sqrt(C * L / self.size["modes"])
        grid = F.reshape(len(F), -1, C, p).transpose(0, 2, 1, 3).reshape(len(F), C, -1)[:, :, :L]
        return grid.reshape(len(F), -1) @ self.V.T / k

    def network(self, x, label, u):
        w = self.w
        f = np.concatenate([harmonics(label, HARMONICS_OF_NOISE)] + [harmonics(v, HARMONICS_OF_CONDITIONS) for v in u])
        e = silu(silu(f @ w["embed/W1"] + w["embed/b1"]) @ w["embed/W2"] + w["embed/b2"])
        h = (x if self.kind == "modes" else self.to_tokens(x)) @ w["in/W"] + w["in/b"]
        for i in range(self.size["depth"]):
            b = f"block{i}/"
            h = h + self.mix(silu(self.mix(silu(self.film(h, e, b)), w[b + "W1"]) + w[b + "b1"]), w[b + "W2"]) + w[b + "b2"]
        F = silu(self.film(h, e, "out/")) @ w["out/W"] + w["out/b"]
        return F if self.kind == "modes" else self.from_tokens(F)

    def denoise(self, y, sigma, u):
        root = np.sqrt(1 + sigma**2)
        return y / root**2 + sigma / root * self.network(y / root, np.log(sigma) / 4, u)

    def calibrate(self, y, u):
        if self.calibration is None:
            return y
        c, u = self.calibration, np.clip(u, -1, 1)
        legendre = np.polynomial.legendre.Legendre.basis
        p = [np.prod([np.sqrt(2 * n + 1) * legendre(int(n))(v) for n, v in zip(powers, u)]) for powers in c["powers"]]
        (mean, spread), (mean_to, spread_to) = (np.split(p @ c[name], 2) for name in ("from", "to"))
        return mean_to + np.exp(spread_to - spread) * (y - mean)

    def sample(self, noise, sigma_max, steps, u):
        """Adams-Bashforth 2 of the flow in angle form, from noise of unit variance."""
        x, last, h_last = noise.copy(), None, None
        angle = np.arctan(sigma_max) * (1 - np.arange(steps + 1) / steps)
        for t, after in zip(angle[:-1], angle[1:]):
            h = after - t
            k = (np.cos(t) * x - self.denoise(x / np.cos(t), np.tan(t), u)) / np.sin(t)
            x = x + h * (k if last is None else (1 + h / (2 * h_last)) * k - h / (2 * h_last) * last)
            last, h_last = k, h
        return self.calibrate(x, u)


def read_values(path):
    for line in open(path):
        name, value, n, r, *numbers = line.split()
        yield name, float(value), np.array(numbers, float).reshape(int(n), int(r))


def main():
    model, u, noise, sigma_max, seen = Model(sys.argv[1]), None, None, None, []
    for name, value, rows in read_values(sys.argv[2]):
        if name == "u":
            u = rows[0]
        elif name == "noise":
            noise, sigma_max = rows, value
        else:
            mine = model.denoise(noise, value, u) if name == "denoised" else model.sample(noise, sigma_max, int(value), u)
            error = np.abs(mine - rows).max() / np.abs(rows).max()
            print(f"{name} {value:g}: largest difference {error:.1e} of the largest value")
            assert error < (1e-5 if name == "denoised" else 1e-4), name
            assert np.abs(mine - noise).max() > 1e-3, "the network does nothing"
            seen.append(name)
    assert seen == ["denoised"] * 3 + ["sampled"], seen


main()
