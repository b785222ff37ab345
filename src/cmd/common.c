/* What several commands share: the key tables, provenance, and the rule that nothing is overwritten. */
#include "cmd.h"
#include "import.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const ScoriaKey scoria_command_keys[] = {
    {"solve_count", SCORIA_KEY_INT, "", "1", 1, 1e9, NULL,
     "realisations that solve draws when no porosity file is given"},
    {"compare_conditions", SCORIA_KEY_INT, "", "8", 1, 1e6, NULL,
     "held-out conditions, drawn inside the training ranges"},
    {"compare_count", SCORIA_KEY_INT, "", "2000", 20, 1e8, NULL,
     "fields per condition, of the PDE (twice) and of the model"},
    {"uq_source", SCORIA_KEY_CHOICE, "", "model", 0, 0, "model pde",
     "where fields come from: the model, or fresh solves"},
    {"uq_count", SCORIA_KEY_INT, "", "100000", 20, 1e12, NULL, "fields at every condition, at most"},
    {"uq_tolerance", SCORIA_KEY_REAL, "", "0", 0, 1, NULL,
     "stop earlier, when the standard errors of mean, SD and quantiles of every quantity are below this share of its "
     "SD"},
    {"uq_quantiles", SCORIA_KEY_REALS, "", "0.025,0.05,0.25,0.5,0.75,0.95,0.975", 1e-6, 0.999999, NULL,
     "probabilities of the quantiles"},
    {"uq_exceed", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "thresholds, [c:2000, phi:-0.2]: probability that the field is above, in every cell and anywhere"},
    {"uq_probes", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "places, [c:40e-6]: the field there is a quantity of interest"},
    {"uq_map", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "one or two conditions to map over, [F_right, ell]: values spread over their ranges, the others as in samples"},
    {"uq_map_points", SCORIA_KEY_INTS, "", "9", 2, 64, NULL, "values of each mapped condition: one number, or two"},
    {"uq_conditions", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a text file of conditions, one per line as in conditions_file, in place of lists and maps"},
    {"uq_sobol", SCORIA_KEY_INT, "", "0", 0, 1e9, NULL,
     "Sobol indices with respect to the conditions, over their ranges, and to the unseen (the porosity's realisation; "
     "of the model, the sampler's noise), from so many pairs of conditions; 0: none"},
    {"uq_sobol_draws", SCORIA_KEY_INT, "", "32", 1, 1024, NULL,
     "draws of the unseen at each of these; of the model, up to 128 cost as much as one"},
    {"uq_file", SCORIA_KEY_STRING, "", "uq.h5", 0, 0, NULL,
     "name of the result in the run directory; the summary takes its name with .json"},
    {"sensors_at", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL, "infer: what was measured where, [phi:0, c:40e-6]"},
    {"sensors_value", SCORIA_KEY_REALS, "", NULL, -SCORIA_UNBOUNDED, SCORIA_UNBOUNDED, NULL,
     "infer: what was read there, in the units of the fields"},
    {"sensors_sd", SCORIA_KEY_REALS, "", NULL, SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "infer: standard deviations of the readings' noise, one for all or one for each"},
    {"sensors_file", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "infer: a text file of readings, one per line: field, place [m], value, standard deviation"},
    {"infer_conditions", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "conditions that are not known, [U0, ell], or all: uniform over their training ranges beforehand, in the "
     "logarithm "
     "where spaced so, and inferred; the others are those of samples"},
    {"infer_prior", SCORIA_KEY_CHOICE, "", "model", 0, 0, "model gaussian",
     "law of the fields before the readings: the model's, or its conditional Gaussian"},
    {"infer_count", SCORIA_KEY_INT, "", "4096", 100, 1e6, NULL, "particles"},
    {"infer_moves", SCORIA_KEY_INT, "", "8", 1, 10000, NULL,
     "moves of every particle at each temperature; up to five times as many where they are short"},
    {"infer_keep", SCORIA_KEY_INT, "", "200", 1, 10000, NULL, "fields of the posterior that are kept, at most all"},
    {"infer_quantiles", SCORIA_KEY_REALS, "", "0.025,0.05,0.25,0.5,0.75,0.95,0.975", 1e-6, 0.999999, NULL,
     "probabilities of the quantiles"},
    {"infer_file", SCORIA_KEY_STRING, "", "posterior.h5", 0, 0, NULL,
     "name of the result in the run directory; the summary takes its name with .json"},
    {"likelihood_file", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file of the fields (not set: the conditions of dataset.h5 that training left out)"},
    {"likelihood_count", SCORIA_KEY_INT, "", "1000", 1, 1e7, NULL, "rows, at most, equally many of every condition"},
    {"likelihood_steps", SCORIA_KEY_INT, "", "32", 1, 10000, NULL,
     "Runge-Kutta steps of the probability flow, four evaluations each"},
    {"likelihood_probes", SCORIA_KEY_INT, "", "0", 0, 10000, NULL,
     "probes of Hutchinson's estimate of the trace of the network's Jacobian; 0: the exact trace"},
    {"likelihood_output", SCORIA_KEY_STRING, "", "likelihood.h5", 0, 0, NULL,
     "name of the result in the run directory"},
    {"refine_sample", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file of the fields (not set: the samples in the run directory)"},
    {"refine_count", SCORIA_KEY_INT, "", "100", 1, 1e6, NULL, "rows, at most, equally many of every condition"},
    {"refine_directions", SCORIA_KEY_INT, "", "16", 1, 64, NULL,
     "leading directions of the porosity's Gaussian that are searched, and solves of an iteration"},
    {"refine_iterations", SCORIA_KEY_INT, "", "20", 1, 1000, NULL, "steps of Gauss and Newton's method, at most"},
    {"refine_tolerance", SCORIA_KEY_REAL, "", "1e-3", SCORIA_POSITIVE, 10, NULL,
     "a step that changes the misfit by fewer standard deviations is the last"},
    {"refine_sigma", SCORIA_KEY_REAL, "", "0.05", 1e-4, 10, NULL,
     "what a cell of a given field may be off, in standard deviations: against it stands how unlikely a porosity is"},
    {"compare_sample", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file to compare, in place of the model, with compare_reference"},
    {"compare_reference", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "a dataset file: half of its rows are the reference, the other half gives the floor"},
    {"compare_output", SCORIA_KEY_STRING, "", "compare_files.json", 0, 0, NULL,
     "name of the comparison of two files in the run directory"},
    {"compare_limit", SCORIA_KEY_REAL, "", NULL, SCORIA_POSITIVE, SCORIA_UNBOUNDED, NULL,
     "two files: fail with exit code 6 where their sliced Wasserstein distance exceeds so many floors, once all is "
     "written"},
    {"compare_directions", SCORIA_KEY_INT, "", "128", 1, 1e5, NULL, "directions of the sliced Wasserstein distance"},
    {NULL, SCORIA_KEY_INT, NULL, NULL, 0, 0, NULL, NULL},
};

#define MAX_TABLES 32

const ScoriaKey *const *cmd_tables(void)
{
  static const ScoriaKey *tables[MAX_TABLES + 1];
  int n       = 0;
  tables[n++] = scoria_base_keys;
  tables[n++] = scoria_import_keys; /* early: where one deck imports and another does not, that is what is told */
  tables[n++] = scoria_physics_keys;
  n += problem_key_tables(MAX_TABLES - 5, tables + n);
  tables[n++] = scoria_score_keys;
  tables[n++] = scoria_command_keys;
  tables[n]   = NULL;
  return tables;
}

const char *const cmd_dataset_sections[] = {"run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions",
                                            SCORIA_ENSEMBLE_KEYS, NULL};
const char *const cmd_model_sections[]   = {
      "run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions", SCORIA_ENSEMBLE_KEYS, "train", NULL};
const char *const cmd_law_sections[] = {SCORIA_PROBLEM_SECTIONS "porosity",
                                        "conditions",
                                        "ensemble_problem",
                                        "ensemble_cells",
                                        "ensemble_lateral",
                                        "ensemble_mode",
                                        "ensemble_time",
                                        "ensemble_times",
                                        "import",
                                        NULL};

PetscErrorCode CmdCheckComplete(ScoriaDeck deck, const char *path, const char *stored, const char *const sections[])
{
  char difference[512];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckDifference(deck, stored, sections, sizeof difference, difference));
  if (*difference)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made by another deck (%s); nothing is overwritten: choose another -run_dir or move the file away",
                path, difference);
  PetscFunctionReturn(0);
}

PetscErrorCode CmdDatasetComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *const sections[],
                                  bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaDataset ds;
    const char *stored;
    PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, &ds));
    PetscCall(ScoriaDatasetInfo(ds, NULL, NULL, &stored));
    PetscCall(CmdCheckComplete(deck, path, stored, sections));
    PetscCall(ScoriaDatasetClose(&ds));
    PetscCall(ScoriaSay(run, "  %s is complete", path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdStoreComplete(ScoriaRun run, ScoriaDeck deck, const char *name, const char *kind,
                                const char *const sections[], bool *complete)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, complete));
  if (*complete) {
    ScoriaStore store;
    const char *stored;
    PetscCall(ScoriaStoreOpen(ScoriaRunComm(run), path, kind, &store));
    PetscCall(ScoriaStoreDeck(store, &stored));
    PetscCall(CmdCheckComplete(deck, path, stored, sections));
    PetscCall(ScoriaStoreClose(&store));
    PetscCall(ScoriaSay(run, "  %s is complete", path));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdLoadModel(ScoriaRun run, ScoriaDeck deck, ScoriaModel *model)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  PetscCall(ScoriaModelLoad(ScoriaRunComm(run), path, model));
  PetscCall(ScoriaModelDeck(*model, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, cmd_law_sections, sizeof difference, difference));
  if (*difference) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: trained for another problem (%s)", path, difference);
  PetscCall(ScoriaModelChoose(*model, deck, path));
  PetscFunctionReturn(0);
}

bool cmd_next_word(const char **list, size_t size, char word[])
{
  if (!*list || !**list) return false;
  const size_t length = strcspn(*list, ",");
  snprintf(word, size, "%.*s", (int)PetscMin(length, size - 1), *list);
  *list += length + ((*list)[length] == ',');
  return true;
}

PetscErrorCode CmdWriteJson(MPI_Comm comm, const char *path, cJSON *root)
{
  char *text = cJSON_Print(root);
  PetscFunctionBeginUser;
  cJSON_Delete(root);
  PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %s", path);
  const PetscErrorCode failed = ScoriaWriteText(comm, path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

PetscErrorCode CmdSampler(ScoriaRun run, ScoriaDeck deck, ScoriaSamplerOptions *opt)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSamplerFromDeck(deck, opt));
  if (opt->bfloat16)
    PetscCall(ScoriaSay(run, "  the network's products in bfloat16, %s",
                        sampler_bfloat16_is_fast()
                            ? "by the processor"
                            : "which this processor does not multiply: float32 would be faster"));
  PetscFunctionReturn(0);
}

bool cmd_inside(const ScoriaCondition *c, double value)
{
  const double slack = 1e-12 * PetscMax(PetscAbsReal(c->lo), PetscAbsReal(c->hi));
  return value >= c->lo - slack && value <= c->hi + slack;
}

/* Conditions that imported data have brought, [rate=1.5]: no key is declared for them. */
static PetscErrorCode SampleAt(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  const char *list = NULL;
  char name[SCORIA_NAME_SIZE], value[64];
  bool found;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sample_at", &list));
  for (;;) {
    PetscCall(CmdNextPair("sample_at", &list, sizeof value, name, value, &found));
    if (!found) break;
    const int i = space_find(space, name);
    if (i < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "sample_at: found \"%s\", which is no condition of the model", name);
    PetscCall(CmdNumber("sample_at", name, value, &theta[i]));
    *asked = true;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdSampleTheta(ScoriaDeck deck, const ScoriaSpace *space, double theta[], bool *asked)
{
  double middle[SCORIA_MAX_CONDITIONS] = {0};
  PetscFunctionBeginUser;
  *asked = false;
  space_from_unit(space, middle, theta);
  PetscCall(SampleAt(deck, space, theta, asked));
  for (int i = 0; i < space->n; i++) {
    char key[SCORIA_NAME_SIZE + 8];
    bool set;
    PetscCall(PetscSNPrintf(key, sizeof key, "sample_%s", space->c[i].name));
    if (!deck_declares(deck, key)) continue;
    PetscCall(ScoriaDeckReal(deck, key, &theta[i]));
    PetscCall(ScoriaDeckHas(deck, key, &set));
    *asked = *asked || set;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdCheckRange(ScoriaRun run, ScoriaDeck deck, const char *command, const ScoriaSpace *space,
                             const double theta[])
{
  bool strict = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  for (int i = 0; i < space->n; i++) {
    const ScoriaCondition *c = &space->c[i];
    if (cmd_inside(c, theta[i])) continue;
    if (strict || c->lo == c->hi)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: %s: found %g %s, the model was trained %s [%g, %g]", command, c->name,
                  theta[i], c->unit, c->lo == c->hi ? "at one value only:" : "on", c->lo, c->hi);
    PetscCall(ScoriaSay(run, "  WARNING: %s = %g %s is outside the training range [%g, %g]: the model extrapolates",
                        c->name, theta[i], c->unit, c->lo, c->hi));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CmdTwinCreate(ScoriaDeck deck, ScoriaEnsemble *ens, ScoriaTwin *twin)
{
  ScoriaDatasetSpec spec;
  const double *x;
  bool imported;
  PetscFunctionBeginUser;
  *ens  = NULL;
  *twin = (ScoriaTwin){.solve = NULL};
  for (int i = 0; i < SCORIA_MAX_FIELDS; i++) twin->reference[i] = NAN;
  PetscCall(CmdImported(deck, &imported));
  if (imported) {
    PetscCall(ImportReferences(deck, twin->reference));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, ens)); /* every rank evaluates its own */
  PetscCall(ScoriaEnsembleSpec(*ens, &spec, &x));
  twin->solve = ScoriaEnsembleTwin;
  twin->ctx   = *ens;
  for (int f = 0; field_is_state(spec.field[f].name); f++) twin->reference[f] = ensemble_reference(*ens, f);
  PetscFunctionReturn(0);
}

PetscErrorCode CmdProvenance(ScoriaRun run, ScoriaDeck deck, const char *kind, int group_size, ScoriaProvenance *from)
{
  PetscInt seed = 0;
  int ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &ranks));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  *from = (ScoriaProvenance){.kind = kind, .seed = (uint64_t)seed, .ranks = ranks, .group_size = group_size};
  PetscCall(ScoriaDeckText(deck, &from->deck));
  PetscFunctionReturn(0);
}

PetscErrorCode CmdJsonPath(const char *store, size_t size, char json[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(json, store, size - 5));
  char *dot = strrchr(json, '.');
  if (dot && !strchr(dot, '/')) *dot = 0;
  strcat(json, ".json");
  PetscFunctionReturn(0);
}
