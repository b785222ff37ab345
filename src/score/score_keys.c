/* Deck keys of the score model: train_* and sample_*. */
#include "basis.h"
#include "net.h"
#include "scoria/score.h"
#include "processes.h"
#include "samplers/samplers.h"

static const ScoriaChoices basis_choices    = {.words = "auto", .table = scoria_bases, .size = sizeof *scoria_bases};
static const ScoriaChoices sample_processes = {
    .words = "trained", .table = scoria_processes, .size = sizeof *scoria_processes};

const ScoriaKey scoria_score_keys[] = {
    {"train_network", SCORIA_KEY_CHOICE, "", "modes", 0, 0, SCORIA_ROWS(scoria_networks),
     "denoiser: residual network on the modes; 1-D convolutions on the grid; of whole fields, convolutions over the "
     "lateral places of a coarse grid, with modes through the thickness as channels",
     SCORIA_DECIDES_WEIGHTS},
    {"train_steps", SCORIA_KEY_INT, "", "20000", 0, 1e9, NULL,
     "optimiser steps; 0: no network, the conditional Gaussian alone", SCORIA_DECIDES_STEPS},
    {"train_batch", SCORIA_KEY_INT, "", "1024", 1, 1e6, NULL, "rows of the global batch", SCORIA_DECIDES_WEIGHTS},
    {"train_micro_batches", SCORIA_KEY_INT, "", NULL, 1, 4096, NULL,
     "parts of the global batch, dealt to ranks, at most one rank each; the result depends on this, never on the "
     "number "
     "of ranks (not set: the largest power of two that divides the batch into parts of 128 rows or more, or into 8)",
     SCORIA_DECIDES_WEIGHTS},
    {"train_learning_rate", SCORIA_KEY_REAL, "", "4e-3", SCORIA_POSITIVE, 1, NULL, "largest learning rate of Adam",
     SCORIA_DECIDES_WEIGHTS},
    {"train_warmup", SCORIA_KEY_REAL, "", "0.03", 0, 1, NULL,
     "share of the steps in which the learning rate rises from 0; a cosine to 0 follows", SCORIA_DECIDES_WEIGHTS},
    {"train_beta2", SCORIA_KEY_REAL, "", "0.99", 0, 0.999999, NULL, "decay of Adam's second moment",
     SCORIA_DECIDES_WEIGHTS},
    {"train_clip", SCORIA_KEY_REAL, "", "1", SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "largest norm of the gradient: a longer one is scaled down to it", SCORIA_DECIDES_WEIGHTS},
    {"train_ema", SCORIA_KEY_REALS, "", "0.07", 0.001, 0.28, NULL,
     "relative width of the power-function average of the weights, which is the model; of two, [0.05, 0.10], the best "
     "width between them is chosen by validation, and others can be had later by sample_ema",
     SCORIA_DECIDES_WEIGHTS},
    {"train_width", SCORIA_KEY_INT, "", NULL, 1, 16384, NULL,
     "hidden width, channels of cnn1d (not set: 192 for modes, 64 for cnn1d)", SCORIA_DECIDES_WEIGHTS},
    {"train_depth", SCORIA_KEY_INT, "", "1", 1, 64, NULL, "residual blocks of two layers", SCORIA_DECIDES_WEIGHTS},
    {"train_embed", SCORIA_KEY_INT, "", "128", 1, 16384, NULL, "width of the embedding of noise level and conditions",
     SCORIA_DECIDES_WEIGHTS},
    {"train_kernel", SCORIA_KEY_INT, "", "5", 1, 31, NULL, "cnn1d: taps of a convolution, odd", SCORIA_DECIDES_WEIGHTS},
    {"train_patch", SCORIA_KEY_INT, "", "4", 1, 4096, NULL, "cnn1d: cells per token", SCORIA_DECIDES_WEIGHTS},
    {"train_modes", SCORIA_KEY_INT, "", "12", 1, 4096, NULL, "whitened modes that the network learns",
     SCORIA_DECIDES_NORMALISER},
    {"train_all_modes", SCORIA_KEY_INT, "", "80", 1, 8192, NULL,
     "modes kept in all; those beyond train_modes are Gaussian (of whole fields, train_energy says it)",
     SCORIA_DECIDES_NORMALISER},
    {"train_basis", SCORIA_KEY_CHOICE, "", "auto", 0, 0, &basis_choices,
     "coordinates of the fields: of profiles, modes through all cells; of whole fields, periodic along y and z, "
     "lateral: "
     "marginal transforms and modes through the thickness for every wave number; of others, such as imported ones, "
     "pod: modes of the "
     "sample covariance; auto: by the dataset",
     SCORIA_DECIDES_NORMALISER},
    {"train_energy", SCORIA_KEY_REAL, "", "0.9999", SCORIA_POSITIVE, 1, NULL,
     "lateral: share of the variance, in normal scores, that the modes kept carry together", SCORIA_DECIDES_NORMALISER},
    {"train_degree_mean", SCORIA_KEY_INT, "", "3", 0, 8, NULL, "degree in the conditions of the regressed mean",
     SCORIA_DECIDES_NORMALISER},
    {"train_degree_scale", SCORIA_KEY_INT, "", "3", 0, 8, NULL,
     "degree in the conditions of the regressed scales and couplings", SCORIA_DECIDES_NORMALISER},
    {"train_adapt", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "with fewer than 65,536 rows, 60 conditions or four rows a condition: shrink the coefficients of the mean, and "
     "choose the terms of the other regressions by cross-validation over conditions, up to degree 8, where degree_mean "
     "and degree_scale are left at their defaults",
     SCORIA_DECIDES_NORMALISER},
    {"train_blur", SCORIA_KEY_REAL, "", NULL, 0, 2, NULL,
     "standard deviation of the noise that conditions get in training, where their ranges are [-1, 1]: keeps the "
     "network "
     "from learning the training conditions by heart (not set: 0.25 with fewer than 65,536 rows and train_adapt, else "
     "0)",
     SCORIA_DECIDES_WEIGHTS},
    {"train_calibrate", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "with fewer than 32,768 rows and 500 steps or more: calibrate means and spreads of the network's samples against "
     "the training rows",
     SCORIA_DECIDES_WEIGHTS},
    {"train_twin", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "take the solution at the homogeneous effective porosity as the baseline of the mean", SCORIA_DECIDES_NORMALISER},
    {"train_logarithm", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL, "model c as ln|c - c_R| where its sign allows",
     SCORIA_DECIDES_NORMALISER},
    {"train_controls", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "lateral: weight the rows so that moments of the porosity over them are those of its law (control variates)",
     SCORIA_DECIDES_NORMALISER},
    {"train_relative", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "model a field whose differences from its first cell vary ten times less than itself as that cell and these "
     "differences",
     SCORIA_DECIDES_NORMALISER},
    {"train_whitening", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL,
     "learn whitened modes; without it the standardised fields, value by value, as the usual recipe does: train_modes "
     "and train_all_modes are then ignored",
     SCORIA_DECIDES_NORMALISER},
    {"train_process", SCORIA_KEY_CHOICE, "", "edm", 0, 0, SCORIA_ROWS(scoria_processes),
     "noise levels and weights of training: of EDM, of the variance-preserving or of the variance-exploding diffusion",
     SCORIA_DECIDES_WEIGHTS},
    {"train_P_mean", SCORIA_KEY_REAL, "", "-0.2", -10, 10, NULL, "edm: mean of ln sigma in training",
     SCORIA_DECIDES_WEIGHTS},
    {"train_P_std", SCORIA_KEY_REAL, "", "1.0", SCORIA_POSITIVE, 10, NULL,
     "edm: standard deviation of ln sigma in training", SCORIA_DECIDES_WEIGHTS},
    {"train_validation", SCORIA_KEY_REAL, "", "0.05", 0, 0.9, NULL,
     "share of the conditions kept for validation; where that is none of them, of the rows of each",
     SCORIA_DECIDES_SPLIT},
    {"train_cheap", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "rows of a cheaper fidelity to train on, too, after their correction: a dataset of the same fields and cells, "
     "with "
     "rows of the same realisations first at conditions that dataset.h5 has; none (not set: cheap.h5, where the deck "
     "has ensemble_cheap_fidelity)",
     SCORIA_DECIDES_CHEAP},
    {"import_holdout", SCORIA_KEY_REAL, "", "0.1", 0, 0.9, NULL,
     "share of the conditions of imported data that no part of training sees, for compare, at least as many as a "
     "verdict "
     "needs; of fewer than 8 conditions, that share of the rows of each; 0: none",
     SCORIA_DECIDES_HOLDOUT},
    {"train_keep", SCORIA_KEY_CHOICE, "", "best", 0, 0, SCORIA_WORDS("best last"),
     "evaluation whose averaged weights are the model: the one of lowest validation loss, or the last",
     SCORIA_DECIDES_WEIGHTS},
    {"train_consistency_steps", SCORIA_KEY_INT, "", "0", 0, 1e9, NULL,
     "steps of consistency tuning after the training, for sampler consistency; 0: none. train_distilled_steps, for one "
     "evaluation, is the better (benchmarks/ablation.md)",
     SCORIA_DECIDES_TUNING},
    {"train_consistency_rate", SCORIA_KEY_REAL, "", "1e-3", SCORIA_POSITIVE, 1, NULL,
     "largest learning rate of the consistency tuning", SCORIA_DECIDES_TUNING},
    {"train_distilled_steps", SCORIA_KEY_INT, "", "0", 0, 1e9, NULL,
     "steps after the training that distil sampler abm, with 8 evaluations, for sampler distilled, with one; 0: none",
     SCORIA_DECIDES_TUNING},
    {"train_distilled_rate", SCORIA_KEY_REAL, "", "1e-3", SCORIA_POSITIVE, 1, NULL,
     "largest learning rate of the distillation", SCORIA_DECIDES_TUNING},
    {"train_patience", SCORIA_KEY_INT, "", NULL, 0, 1e6, SCORIA_FORMERLY("0"),
     "evaluations (one every fiftieth of the steps) without improvement beyond the noise that end the training; 0: "
     "never (not set: 10 with fewer than 65,536 rows and at least 500 steps, unless train_keep is last, else 0). The "
     "learning rate follows train_steps even so: it has not come down when the training ends early",
     SCORIA_DECIDES_WEIGHTS},

    {"sample_source", SCORIA_KEY_CHOICE, "", "best", 0, 0, SCORIA_WORDS("best network gaussian"),
     "what draws the fields: of network and conditional Gaussian the one that training has found better on the "
     "conditions it left out for validation, or one of the two",
     SCORIA_DECIDES_DRAWS},
    {"sample_sampler", SCORIA_KEY_CHOICE, "", "abm", 0, 0, SCORIA_ROWS(scoria_samplers),
     "integrator of the reverse diffusion", SCORIA_DECIDES_DRAWS},
    {"sample_steps", SCORIA_KEY_INT, "", "8", 1, 100000, NULL, "steps of the sampler; distilled has none",
     SCORIA_DECIDES_DRAWS},
    {"sample_precision", SCORIA_KEY_CHOICE, "", "float32", 0, 0, SCORIA_WORDS("float32 bfloat16"),
     "operands of the network's large products: bfloat16 is faster on processors with instructions for it, slow "
     "elsewhere",
     SCORIA_DECIDES_DRAWS},
    {"sample_count", SCORIA_KEY_INT, "", "1000", 1, 1e12, NULL, "samples to draw", SCORIA_DECIDES_SAMPLES},
    {"sample_at", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "conditions by their names, [rate=1.5, charge=0.2], as sample_rate and sample_charge do; those not given: the "
     "middle "
     "of their ranges",
     SCORIA_DECIDES_AT},
    {"sample_file", SCORIA_KEY_STRING, "", "samples.h5", 0, 0, NULL, "name of the samples file in the run directory",
     SCORIA_DECIDES_NOTHING},
    {"sample_ema", SCORIA_KEY_REAL, "", NULL, 0.001, 0.28, NULL,
     "relative width of the average of the weights, of a model trained with two (not set: the one that train chose)",
     SCORIA_DECIDES_DRAWS},
    {"sample_sigma_max", SCORIA_KEY_REAL, "", "30", SCORIA_POSITIVE, 1e6, NULL,
     "noise level where sampling starts, relative to the unit scale of the modes", SCORIA_DECIDES_DRAWS},
    {"sample_sigma_min", SCORIA_KEY_REAL, "", "0.002", SCORIA_POSITIVE, 1e6, NULL,
     "smallest noise level of samplers whose grid does not reach 0 by itself", SCORIA_DECIDES_DRAWS},
    {"sample_process", SCORIA_KEY_CHOICE, "", "trained", 0, 0, &sample_processes,
     "diffusion whose time and scale em, pc, heun and dpmpp2m step in: the one of training, or another",
     SCORIA_DECIDES_DRAWS},
    {"sample_snr", SCORIA_KEY_REAL, "", "0.16", 0, 0.7, NULL, "pc: signal-to-noise ratio of a corrector step",
     SCORIA_DECIDES_DRAWS},
    {"sample_power", SCORIA_KEY_REAL, "", "1", SCORIA_POSITIVE, 10, NULL,
     "exponent of the angle grid: larger puts more steps at small noise", SCORIA_DECIDES_DRAWS},
    {.name = NULL},
};
