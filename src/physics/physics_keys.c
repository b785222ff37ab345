/* Deck keys of this room, each declared once; a problem declares its own. */
#include "internal.h"

#define ANY -SCORIA_UNBOUNDED, SCORIA_UNBOUNDED
/* Bounds of sense: far from what layers and their structures have, so that what lies beyond is a slip of unit. */
#define LENGTH 1e-9, 1   /* of a structure [m] */
#define EXTENT 1e-7, 1e4 /* of a layer [m]; its thickness is bounded by its problem */
#define TIME 1e-9, 1e10  /* [s] */
#define MEAN 0.001, 0.999
#define SPREAD 0, 0.5
#define TEXT 0, 0

/* clang-format off */
static const ScoriaChoices problem_choices = {.table = scoria_problems};

const ScoriaKey scoria_physics_keys[] = {
    {"porosity_kernel", SCORIA_KEY_CHOICE, "", "se", TEXT, &porosity_kernels,
     "covariance of the Gaussian process: squared exponential, or Matern of order 1/2, 3/2, 5/2", SCORIA_DECIDES_LAW},
    {"porosity_min", SCORIA_KEY_REAL, "", "0.1", 0.001, 0.999, NULL, "lower bound of eps", SCORIA_DECIDES_LAW},
    {"porosity_max", SCORIA_KEY_REAL, "", "0.4", 0.001, 0.999, NULL, "upper bound of eps", SCORIA_DECIDES_LAW},
    {"porosity_logit_mean", SCORIA_KEY_REAL, "", "0", -20, 20, NULL, "mean of the Gaussian inside the sigmoid", SCORIA_DECIDES_LAW},
    {"porosity_sigma", SCORIA_KEY_REAL, "", "1", 0, 20, NULL, "standard deviation of the Gaussian inside the sigmoid", SCORIA_DECIDES_LAW},
    {"porosity_ell", SCORIA_KEY_REAL, "m", NULL, LENGTH, NULL, "correlation length where it is not a condition", SCORIA_DECIDES_LAW},
    {"porosity_anisotropy", SCORIA_KEY_REALS, "", "[1,1]", 1e-4, 1e4, NULL,
     "correlation lengths along y and z, in units of ell", SCORIA_DECIDES_LAW},
    {"porosity_file", SCORIA_KEY_STRING, "", NULL, TEXT, NULL,
     "measured structure that porosities are crops of: HDF5, NPY, CSV, TIFF, or a directory of TIFF images; for solve: rows of /fields/eps and /conditions to solve at", SCORIA_DECIDES_LAW},
    {"porosity_array", SCORIA_KEY_STRING, "", "/fields/eps", TEXT, NULL, "file: the array of an HDF5 file", SCORIA_DECIDES_LAW},
    {"porosity_axes", SCORIA_KEY_WORDS, "", NULL, TEXT, NULL,
     "file: its axes, the slowest first, of row, x, y, z (not set: [row, x], [z, y, x] or [row, z, y, x])", SCORIA_DECIDES_LAW},
    {"porosity_voxel", SCORIA_KEY_REALS, "m", NULL, LENGTH, NULL,
     "file: size of a voxel, or along x, y, z (not set: rows of whole electrodes)", SCORIA_DECIDES_LAW},
    {"porosity_threshold", SCORIA_KEY_REAL, "", NULL, ANY, NULL,
     "file: gray value below which a voxel is pore (without it and phase: the values are porosities)", SCORIA_DECIDES_LAW},
    {"porosity_pores", SCORIA_KEY_CHOICE, "", "below", TEXT, SCORIA_WORDS("below above"),
     "threshold: on which side of it pores are", SCORIA_DECIDES_LAW},
    {"porosity_phase", SCORIA_KEY_WORDS, "", NULL, TEXT, NULL,
     "file: values that are pores, [0], or porous themselves, [0, 2=0.47]; all others are solid", SCORIA_DECIDES_LAW},
    {"porosity_window", SCORIA_KEY_REALS, "m", NULL, LENGTH, NULL,
     "file: extent, or along x, y, z, over which voxels are averaged to a porosity (not set: a cell; of porosities, a voxel)", SCORIA_DECIDES_LAW},
    {"porosity_reflect", SCORIA_KEY_WORDS, "", "y,z", TEXT, NULL,
     "file: axes along which a crop is reflected at random; none", SCORIA_DECIDES_LAW},
    {"porosity_replacement", SCORIA_KEY_BOOL, "", "true", TEXT, NULL,
     "file of rows: drawn with replacement; false: each once before any again", SCORIA_DECIDES_LAW},
    {"porosity_holdout", SCORIA_KEY_REAL, "", "0.2", 0, 0.9, NULL,
     "file: share of its rows, or of its extent, that only compare draws from; 0: none", SCORIA_DECIDES_LAW},

    {"porosity_mean", SCORIA_KEY_REAL, "", NULL, MEAN, NULL,
     "mean of eps, in place of porosity_logit_mean; without it, what that and porosity_sigma give", SCORIA_DECIDES_LAW},
    {"porosity_sd", SCORIA_KEY_REAL, "", NULL, SPREAD, NULL,
     "standard deviation of eps, in place of porosity_sigma; without it, what that and porosity_logit_mean give", SCORIA_DECIDES_LAW},
    CONDITION_KEYS("porosity_mean", "", MEAN, "mean of eps"),
    CONDITION_KEYS("porosity_sd", "", SPREAD, "standard deviation of eps"),
    CONDITION_KEYS("ell", "m", LENGTH, "correlation length of the porosity"),
    CONDITION_KEYS("L", "m", EXTENT, "thickness; places along x are then shares of it, x / L"),
    CONDITION_KEYS("time", "s", TIME, "time since the state at rest, transient mode"),
    {"conditions_design", SCORIA_KEY_CHOICE, "", "sobol", TEXT, &condition_designs,
     "how the conditions fill their ranges", SCORIA_DECIDES_LAW},
    {"conditions_file", SCORIA_KEY_STRING, "", NULL, TEXT, NULL,
     "design file: a text file with one condition per line, in the order of /conditions (U0 F_right ell)", SCORIA_DECIDES_LAW},

    {"ensemble_problem", SCORIA_KEY_CHOICE, "", "electrode", TEXT, &problem_choices, "the PDE problem", SCORIA_DECIDES_LAW},
    {"ensemble_conditions", SCORIA_KEY_INT, "", "512", 1, 1e9, NULL, "conditions of the training ensemble", SCORIA_DECIDES_SIZE},
    {"ensemble_realisations", SCORIA_KEY_INT, "", "128", 1, 1e9, NULL, "porosity draws per condition",
     SCORIA_DECIDES_REPEATS},
    {"ensemble_fidelity", SCORIA_KEY_STRING, "", "fine", TEXT, NULL,
     "what solves the rows of dataset.h5: fine, the deck's own grid, or a cheaper relative at the same porosity: line, columns, grid:N, lateral:N, steps:N, linear (as of uq_fidelities)",
     SCORIA_DECIDES_LAW},
    {"ensemble_cheap_fidelity", SCORIA_KEY_STRING, "", NULL, TEXT, NULL,
     "cheaper relative that solves rows of the same conditions beside dataset.h5, in cheap.h5, for training on few solves of the deck's own grid",
     SCORIA_DECIDES_CHEAP},
    {"ensemble_cheap_realisations", SCORIA_KEY_INT, "", NULL, 2, 1e9, NULL,
     "porosity draws per condition in cheap.h5, of which the first ensemble_realisations are those of dataset.h5",
     SCORIA_DECIDES_CHEAP},
    {"ensemble_group_size", SCORIA_KEY_INT, "", "1", 1, 1e6, NULL, "ranks that share one solve", SCORIA_DECIDES_ROWS},
    {"ensemble_cells", SCORIA_KEY_INTS, "", "[128]", 1, 1e6, NULL, "finite volumes: [nx] through the thickness, or [nx, ny] or [nx, ny, nz] with periodic lateral axes", SCORIA_DECIDES_LAW},
    {"ensemble_lateral", SCORIA_KEY_REALS, "m", NULL, EXTENT, NULL,
     "lateral extents [Ly, Lz]; without it, cubic cells", SCORIA_DECIDES_LAW},
    {"ensemble_mode", SCORIA_KEY_CHOICE, "", "steady", TEXT, SCORIA_WORDS("steady transient"),
     "steady: the limit of a constant load; transient: states at a time after the load is switched on", SCORIA_DECIDES_LAW},
    {"ensemble_time", SCORIA_KEY_REAL, "s", NULL, TIME, NULL, "transient: the time, where it is not a condition", SCORIA_DECIDES_LAW},
    {"ensemble_times", SCORIA_KEY_REALS, "s", NULL, TIME, NULL,
     "transient: snapshot times, dealt to the conditions in turn", SCORIA_DECIDES_LAW},
    {"ensemble_time_tolerance", SCORIA_KEY_REAL, "", "1e-5", 1e-12, 0.1, NULL,
     "transient: relative error allowed in a time step", SCORIA_DECIDES_ROWS},
    {"ensemble_derived", SCORIA_KEY_WORDS, "", NULL, TEXT, NULL,
     "fields that follow from a solution, stored and learned beside it: electrode: j (a_s j), i_e, eta; heat: flux", SCORIA_DECIDES_LAW},
    {"ensemble_lateral_sd", SCORIA_KEY_BOOL, "", "false", TEXT, NULL,
     "store the lateral standard deviation of every field beside its lateral mean (two and three dimensions)", SCORIA_DECIDES_ROWS},
    {"ensemble_whole_fields", SCORIA_KEY_BOOL, "", "false", TEXT, NULL,
     "rows are whole fields (rows, nz, ny, nx) in place of their lateral means (two and three dimensions)", SCORIA_DECIDES_LAW},
    {"ensemble_full_fields", SCORIA_KEY_INT, "", "0", 0, 10000, NULL,
     "store the whole fields of so many of the first rows in fields.h5", SCORIA_DECIDES_NOTHING},
    {"ensemble_float64", SCORIA_KEY_BOOL, "", "false", TEXT, NULL, "store fields, and samples of the model, in double precision", SCORIA_DECIDES_PRECISION},
    {"ensemble_full_rows", SCORIA_KEY_INTS, "", NULL, 0, 1e18, NULL, "the same of these rows, counted from 0", SCORIA_DECIDES_NOTHING},
    {"ensemble_max_failed_fraction", SCORIA_KEY_REAL, "", "0.05", 0, 1, NULL,
     "share of solves that may fail before the run counts as failed", SCORIA_DECIDES_NOTHING},
    {.name = NULL},
};
/* clang-format on */
