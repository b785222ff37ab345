/* Deck keys of this room, each declared once. */
#include "internal.h"

#define ANY -SCORIA_UNBOUNDED, SCORIA_UNBOUNDED
#define POSITIVE SCORIA_POSITIVE, SCORIA_UNBOUNDED
#define UNIT 0, 1
#define SHARE SCORIA_POSITIVE, 1
#define TEXT 0, 0

/* A parameter of the set, by name: no default, because the set has it. */
#define PARAMETER(name, unit, bounds, help)                                                                            \
  {                                                                                                                    \
    "electrode_" name, SCORIA_KEY_REAL, unit, NULL, bounds, NULL, help                                                 \
  }

const ScoriaKey scoria_physics_keys[] = {
    {"electrode_set", SCORIA_KEY_CHOICE, "", "chen2020_negative", TEXT,
     "article chen2020_negative chen2020_positive marquis2019_negative marquis2019_positive",
     "parameter set; every value of it can be overridden by the keys below"},
    {"electrode_model", SCORIA_KEY_CHOICE, "", NULL, TEXT, "linear newman",
     "linear kinetics or Butler-Volmer; without it, the set's own"},
    {"electrode_state", SCORIA_KEY_CHOICE, "", "fixed", TEXT, "fixed ocp",
     "fixed: solid concentration c_s of the set; ocp: c_s from the open-circuit curve at U0"},
    {"electrode_ocp", SCORIA_KEY_CHOICE, "", NULL, TEXT,
     "chen2020_negative chen2020_positive marquis2019_negative marquis2019_positive",
     "open-circuit curve; without it, the set's own"},
    {"electrode_electrolyte", SCORIA_KEY_CHOICE, "", NULL, TEXT, "constant nyman2008 capiglia1999",
     "conductivity and diffusivity of the electrolyte; without it, the set's own"},
    {"electrode_bruggeman_kappa", SCORIA_KEY_REAL, "", "1.5", 0, 10, NULL, "exponent of eps in the conductivity"},
    {"electrode_bruggeman_D", SCORIA_KEY_REAL, "", "1.5", 0, 10, NULL, "exponent of eps in the diffusivity"},
    {"electrode_g_sep", SCORIA_KEY_REAL, "S m^-2", "0", 0, SCORIA_UNBOUNDED, NULL,
     "conductance of the separator to a reference at 0 V; 0: the current is given"},
    {"electrode_U0", SCORIA_KEY_REAL, "V", "0", ANY, NULL, "equilibrium potential where it is not a condition"},
    {"electrode_F_right", SCORIA_KEY_REAL, "A m^-2", NULL, ANY, NULL,
     "current density at the separator where it is not a condition"},
    PARAMETER("L", "m", POSITIVE, "thickness"),
    PARAMETER("t_plus", "", UNIT, "transference number of the cation"),
    PARAMETER("T", "K", POSITIVE, "temperature"),
    PARAMETER("c_R", "mol m^-3", POSITIVE, "concentration at the separator"),
    PARAMETER("chi", "", UNIT, "1: diffusional term in the ionic current; 0: without"),
    PARAMETER("G", "V m^-1", ANY, "slope of the prescribed solid potential, phi_s = -G x"),
    PARAMETER("a_s0", "m^-1", POSITIVE, "linear: a_s = a_s0 (1 - eps)"),
    PARAMETER("k_rn", "S m^-2", POSITIVE, "linear: j = k_rn eta"),
    PARAMETER("kappa0", "S m^-1", POSITIVE, "conductivity of the constant electrolyte"),
    PARAMETER("D0", "m^2 s^-1", POSITIVE, "diffusivity of the constant electrolyte"),
    PARAMETER("R_p", "m", POSITIVE, "newman: particle radius, a_s = 3 f_AM (1 - eps) / R_p"),
    PARAMETER("f_AM", "", SHARE, "newman: share of the solid that is active material"),
    PARAMETER("m", "A m^2.5 mol^-1.5", POSITIVE, "newman: rate, j0 = m c^1/2 c_s^1/2 (c_max - c_s)^1/2"),
    PARAMETER("c_s", "mol m^-3", POSITIVE, "newman, state fixed: concentration at the particles' surface"),
    PARAMETER("c_max", "mol m^-3", POSITIVE, "newman: concentration of full particles"),

    {"porosity_kernel", SCORIA_KEY_CHOICE, "", "se", TEXT, "se matern12 matern32 matern52",
     "covariance of the Gaussian process: squared exponential, or Matern of order 1/2, 3/2, 5/2"},
    {"porosity_min", SCORIA_KEY_REAL, "", "0.1", 0.001, 0.999, NULL, "lower bound of eps"},
    {"porosity_max", SCORIA_KEY_REAL, "", "0.4", 0.001, 0.999, NULL, "upper bound of eps"},
    {"porosity_logit_mean", SCORIA_KEY_REAL, "", "0", -20, 20, NULL, "mean of the Gaussian inside the sigmoid"},
    {"porosity_sigma", SCORIA_KEY_REAL, "", "1", 0, 20, NULL, "standard deviation of the Gaussian inside the sigmoid"},
    {"porosity_ell", SCORIA_KEY_REAL, "m", NULL, POSITIVE, NULL, "correlation length where it is not a condition"},
    {"porosity_anisotropy", SCORIA_KEY_REALS, "", "[1,1]", POSITIVE, NULL,
     "correlation lengths along y and z, in units of ell"},
    {"porosity_file", SCORIA_KEY_STRING, "", NULL, TEXT, NULL,
     "solve: a file with the porosity profiles and conditions to solve at"},

    {"conditions_U0", SCORIA_KEY_RANGE, "V", NULL, ANY, NULL, "range of the equilibrium potential"},
    {"conditions_F_right", SCORIA_KEY_RANGE, "A m^-2", NULL, ANY, NULL,
     "range of the current density at the separator"},
    {"conditions_ell", SCORIA_KEY_RANGE, "m", NULL, POSITIVE, NULL,
     "range of the correlation length, spaced logarithmically"},
    {"conditions_design", SCORIA_KEY_CHOICE, "", "sobol", TEXT, "sobol lhs random file",
     "how the conditions fill their ranges"},
    {"conditions_file", SCORIA_KEY_STRING, "", NULL, TEXT, NULL,
     "design file: a text file with one condition per line, U0 F_right ell"},

    {"ensemble_conditions", SCORIA_KEY_INT, "", "512", 1, 1e9, NULL, "conditions of the training ensemble"},
    {"ensemble_realisations", SCORIA_KEY_INT, "", "128", 1, 1e9, NULL, "porosity draws per condition"},
    {"ensemble_group_size", SCORIA_KEY_INT, "", "1", 1, 1e6, NULL, "ranks that share one solve"},
    {"ensemble_cells", SCORIA_KEY_INTS, "", "[128]", 1, 1e6, NULL,
     "finite volumes, x through the thickness: [nx], [nx, ny] or [nx, ny, nz]"},
    {"ensemble_lateral", SCORIA_KEY_REALS, "m", NULL, POSITIVE, NULL,
     "lateral extents [Ly, Lz]; without it, cubic cells"},
    {"ensemble_mode", SCORIA_KEY_CHOICE, "", "steady", TEXT, "steady", "steady: the limit of a constant load"},
    {"ensemble_float64", SCORIA_KEY_BOOL, "", "false", TEXT, NULL, "store fields in double precision"},
    {"ensemble_max_failed_fraction", SCORIA_KEY_REAL, "", "0.05", 0, 1, NULL,
     "share of solves that may fail before the run counts as failed"},
    {NULL, SCORIA_KEY_INT, NULL, NULL, 0, 0, NULL, NULL},
};
