/* Deck keys of the commands, and the tables of all rooms together. */
#include "cmd.h"
#include "scoria/estimators.h"

/* solve_*, compare_*, uq_*, sensors_*, infer_*, likelihood_*, refine_* */
static const ScoriaKey command_keys[] = {
    {"solve_count", SCORIA_KEY_INT, "", "1", 1, 1e9, NULL,
     "realisations that solve draws when no porosity file is given", SCORIA_DECIDES_NOTHING},
    {"solve_profiles", SCORIA_KEY_CHOICE, "", "listed", 0, 0, SCORIA_WORDS("listed drawn"),
     "listed: porosity_file has rows of /fields/eps, and conditions, to solve at; drawn: solve_count crops of it",
     SCORIA_DECIDES_NOTHING},
    {"compare_conditions", SCORIA_KEY_INT, "", "8", 1, 1e6, NULL,
     "held-out conditions, drawn inside the training ranges; of imported data, of those held back, at most (not set: "
     "64)",
     SCORIA_DECIDES_COMPARE},
    {"compare_count", SCORIA_KEY_INT, "", "2000", 20, 1e8, NULL,
     "fields per condition, of the PDE (twice) and of the model", SCORIA_DECIDES_COMPARE},
    {"uq_source", SCORIA_KEY_CHOICE, "", "model", 0, 0, SCORIA_WORDS("model pde multilevel auto"),
     "where fields come from: the model; fresh solves; fresh solves of several fidelities, with the errors of many "
     "more; or the cheapest of these that is right for the tolerance",
     SCORIA_DECIDES_UQ},
    {"uq_count", SCORIA_KEY_INT, "", "100000", 20, 1e12, NULL,
     "fields at every condition, at most; of source multilevel: the errors of so many solves", SCORIA_DECIDES_UQ},
    {"uq_tolerance", SCORIA_KEY_REAL, "", "0", 0, 1, NULL,
     "stop earlier, when the standard errors of mean, SD and quantiles of every quantity are below this share of its "
     "SD",
     SCORIA_DECIDES_UQ},
    {"uq_check", SCORIA_KEY_INT, "", "0", 0, 1e6, NULL,
     "of source model: so many fresh solves at every condition, which give an interval for the bias of the model's "
     "means",
     SCORIA_DECIDES_UQ},
    {"uq_tolerance_for", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "source multilevel: quantities that the tolerance holds for and draws are planned for, [\"max_c: 2, "
     "phi_collector: "
     "0.1 %\"] with their own, of the unit or the mean; not set: all but places of extremes of whole fields",
     SCORIA_DECIDES_UQ},
    {"uq_tolerance_of", SCORIA_KEY_CHOICE, "", "all", 0, 0, SCORIA_WORDS("all means"),
     "multilevel: what uq_tolerance and uq_count are for: mean, SD and quantiles, or means alone", SCORIA_DECIDES_UQ},
    {"uq_budget", SCORIA_KEY_REAL, "core s", "0", 0, SCORIA_UNBOUNDED, NULL,
     "multilevel: counted cost of all conditions, in place of uq_count, or at most for uq_tolerance; 0: none",
     SCORIA_DECIDES_UQ},
    {"uq_estimator", SCORIA_KEY_CHOICE, "", "mlblue", 0, 0, SCORIA_ROWS(scoria_estimators),
     "multilevel: how fidelities are combined", SCORIA_DECIDES_UQ},
    {"uq_fidelities", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "multilevel: solves beside the deck's own, [line, mirror, columns, grid:2, lateral:2, steps:1000, linear]; not "
     "set: those "
     "that the "
     "problem has, of which the pilot chooses",
     SCORIA_DECIDES_UQ},
    {"uq_screen", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "multilevel: one of uq_fidelities by whose values draws near an outer quantile (uq_quantiles up to 0.025, from "
     "0.975) are sampled for the deck's own solve",
     SCORIA_DECIDES_UQ},
    {"uq_pilot", SCORIA_KEY_INT, "", "32", 8, 1e6, NULL,
     "multilevel: draws that all fidelities solve to choose numbers of draws and weights", SCORIA_DECIDES_UQ},
    {"uq_costs", SCORIA_KEY_REALS, "core s", NULL, SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "multilevel: cost of the deck's solve and of each of uq_fidelities, in place of what is counted",
     SCORIA_DECIDES_UQ},
    {"uq_quantiles", SCORIA_KEY_REALS, "", "0.025,0.05,0.25,0.5,0.75,0.95,0.975", 1e-6, 0.999999, NULL,
     "probabilities of the quantiles", SCORIA_DECIDES_UQ},
    {"uq_quantities", SCORIA_KEY_TEXTS, "", NULL, 0, 0, NULL,
     "numbers of each field drawn, [\"drop [V] = phi[0] - phi[L]\", \"hot = max(c) / mean(c)\"]: expressions of values "
     "at places, of min, max, mean, integral, sd, quantile, argmin, argmax of fields, and of conditions and quantities",
     SCORIA_DECIDES_UQ},
    {"uq_exceed", SCORIA_KEY_TEXTS, "", NULL, 0, 0, NULL,
     "events, [\"c < 200\", \"c > 2500 everywhere\", \"phi[0] < -0.2\", \"hot > 3\"]: their probabilities, of a field "
     "in "
     "every cell and somewhere, or everywhere",
     SCORIA_DECIDES_UQ},
    {"uq_probes", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "places, [c:40e-6] or [c:40um]: the field there is a quantity of interest", SCORIA_DECIDES_UQ},
    {"uq_map", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "one or two conditions to map over, [F_right, ell]: values spread over their ranges, the others as in samples",
     SCORIA_DECIDES_UQ},
    {"uq_map_points", SCORIA_KEY_INTS, "", "9", 2, 64, NULL, "values of each mapped condition: one number, or two",
     SCORIA_DECIDES_UQ},
    {"uq_conditions", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a text file of conditions, one per line as in conditions_file, in place of lists and maps", SCORIA_DECIDES_UQ},
    {"uq_sobol", SCORIA_KEY_INT, "", "0", 0, 1e9, NULL,
     "Sobol indices with respect to the conditions, over their ranges, and to what is not one: the porosity's "
     "realisation, "
     "of the model the sampler's noise; from so many pairs of conditions; 0: none",
     SCORIA_DECIDES_UQ},
    {"uq_sobol_draws", SCORIA_KEY_INT, "", "32", 1, 1024, NULL,
     "realisations, or draws of the noise, at each of these; of the model, up to 128 cost as much as one",
     SCORIA_DECIDES_UQ},
    {"uq_file", SCORIA_KEY_STRING, "", "uq.h5", 0, 0, NULL,
     "name of the result in the run directory, as it stands; the summary takes its name with .json", SCORIA_DECIDES_UQ},
    {"sensors_at", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "infer: what was measured where, [phi:0, c:40e-6], [c:40um], of planes [c:40um:10um]", SCORIA_DECIDES_INFER},
    {"sensors_value", SCORIA_KEY_REALS, "", NULL, -SCORIA_UNBOUNDED, SCORIA_UNBOUNDED, NULL,
     "infer: what was read there, in the units of the fields", SCORIA_DECIDES_INFER},
    {"sensors_sd", SCORIA_KEY_REALS, "", NULL, SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "infer: standard deviations of the readings' noise, one for all or one for each", SCORIA_DECIDES_INFER},
    {"sensors_file", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "infer: a text file of readings, one per line: field, place, value, standard deviation", SCORIA_DECIDES_INFER},
    {"infer_conditions", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "conditions that are not known, [U0, ell], or all: uniform over their training ranges beforehand, in the "
     "logarithm "
     "where spaced so, and inferred; the others are those of samples",
     SCORIA_DECIDES_INFER},
    {"infer_prior", SCORIA_KEY_CHOICE, "", "model", 0, 0, SCORIA_WORDS("model gaussian"),
     "law of the fields before the readings: the model's, or its conditional Gaussian", SCORIA_DECIDES_INFER},
    {"infer_count", SCORIA_KEY_INT, "", "4096", 100, 1e6, NULL, "particles", SCORIA_DECIDES_INFER},
    {"infer_moves", SCORIA_KEY_INT, "", "8", 1, 10000, NULL,
     "moves of every particle at each temperature; up to five times as many until their places are forgotten",
     SCORIA_DECIDES_INFER},
    {"infer_far", SCORIA_KEY_REAL, "", "10", 8, 1e12, NULL,
     "standard deviations from what the model expects beyond which a reading is refused; from 8 on it is warned of",
     SCORIA_DECIDES_NOTHING},
    {"infer_keep", SCORIA_KEY_INT, "", "200", 1, 10000, NULL, "fields of the posterior that are kept, at most all",
     SCORIA_DECIDES_INFER},
    {"infer_quantiles", SCORIA_KEY_REALS, "", "0.025,0.05,0.25,0.5,0.75,0.95,0.975", 1e-6, 0.999999, NULL,
     "probabilities of the quantiles", SCORIA_DECIDES_INFER},
    {"infer_file", SCORIA_KEY_STRING, "", "posterior.h5", 0, 0, NULL,
     "name of the result in the run directory; the summary takes its name with .json", SCORIA_DECIDES_INFER},
    {"likelihood_file", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file of the fields (not set: the conditions of dataset.h5 that training left out)",
     SCORIA_DECIDES_LIKELIHOOD},
    {"likelihood_count", SCORIA_KEY_INT, "", "1000", 1, 1e7, NULL, "rows, at most, equally many of every condition",
     SCORIA_DECIDES_LIKELIHOOD},
    {"likelihood_steps", SCORIA_KEY_INT, "", "32", 1, 10000, NULL,
     "Runge-Kutta steps of the probability flow, four evaluations each", SCORIA_DECIDES_LIKELIHOOD},
    {"likelihood_probes", SCORIA_KEY_INT, "", "0", 0, 10000, NULL,
     "probes of Hutchinson's estimate of the trace of the network's Jacobian; 0: the exact trace",
     SCORIA_DECIDES_LIKELIHOOD},
    {"likelihood_volume", SCORIA_KEY_CHOICE, "", "auto", 0, 0, SCORIA_WORDS("auto always never"),
     "the logarithm of the volume that a row's coordinates span, which makes densities comparable between models of "
     "other "
     "coordinates; auto: of profiles, not of whole fields, of which it takes seconds a row",
     SCORIA_DECIDES_LIKELIHOOD},
    {"likelihood_output", SCORIA_KEY_STRING, "", "likelihood.h5", 0, 0, NULL, "name of the result in the run directory",
     SCORIA_DECIDES_LIKELIHOOD},
    {"refine_sample", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file of the fields (not set: the samples in the run directory)", SCORIA_DECIDES_REFINE},
    {"refine_count", SCORIA_KEY_INT, "", "100", 1, 1e6, NULL, "rows, at most, equally many of every condition",
     SCORIA_DECIDES_REFINE},
    {"refine_directions", SCORIA_KEY_INT, "", "16", 1, 64, NULL,
     "leading directions of the porosity's Gaussian that are searched, and solves of an iteration",
     SCORIA_DECIDES_REFINE},
    {"refine_iterations", SCORIA_KEY_INT, "", "20", 1, 1000, NULL, "steps of Gauss and Newton's method, at most",
     SCORIA_DECIDES_REFINE},
    {"refine_tolerance", SCORIA_KEY_REAL, "", "1e-3", SCORIA_POSITIVE, 10, NULL,
     "a step that changes the misfit by fewer standard deviations is the last", SCORIA_DECIDES_REFINE},
    {"refine_sigma", SCORIA_KEY_REAL, "", "0.05", 1e-4, 10, NULL,
     "what a cell of a given field may be off, in standard deviations: against it stands how unlikely a porosity is",
     SCORIA_DECIDES_REFINE},
    {"compare_sample", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file to compare, in place of the model, with compare_reference", SCORIA_DECIDES_COMPARE},
    {"compare_reference", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file: half of its rows are the reference, the other half gives the floor", SCORIA_DECIDES_COMPARE},
    {"compare_output", SCORIA_KEY_STRING, "", "compare_files.json", 0, 0, NULL,
     "name of the comparison of two files in the run directory", SCORIA_DECIDES_COMPARE},
    {"compare_limit", SCORIA_KEY_REAL, "", NULL, SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "two files: fail with exit code 6 where their sliced Wasserstein distance exceeds so many floors, once all is "
     "written",
     SCORIA_DECIDES_COMPARE},
    {"compare_pilot", SCORIA_KEY_INT, "", "32", 0, 1e6, NULL,
     "draws at the first held-out condition that all fidelities solve, to tell what several of them would take; 0: "
     "none",
     SCORIA_DECIDES_COMPARE},
    {"compare_tolerance", SCORIA_KEY_REAL, "", "0.02", SCORIA_POSITIVE, 1, NULL,
     "error of mean, SD and 97.5 % quantile of every quantity, in its SDs, for which the cheapest source is told",
     SCORIA_DECIDES_COMPARE},
    {"compare_directions", SCORIA_KEY_INT, "", "128", 1, 1e5, NULL, "directions of the sliced Wasserstein distance",
     SCORIA_DECIDES_COMPARE},
    {.name = NULL},
};

#define MAX_TABLES 32

const ScoriaKey *const *cmd_tables(void)
{
  static const ScoriaKey *tables[MAX_TABLES + 1];
  int n       = 0;
  tables[n++] = scoria_base_keys;
  tables[n++] = scoria_io_keys;
  tables[n++] = scoria_import_keys;   /* early: where one deck imports and another does not, that is what is told */
  tables[n++] = scoria_imported_keys; /* before the problems' conditions, whose units and bounds are not the import's */
  tables[n++] = scoria_physics_keys;
  n += problem_key_tables(MAX_TABLES - 7, tables + n);
  tables[n++] = scoria_score_keys;
  tables[n++] = command_keys;
  tables[n]   = NULL;
  return tables;
}
