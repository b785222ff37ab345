/* Between its fit and the first checkpoint of the training the normaliser is in normaliser.ckpt, with the digest of the
 * dataset that it was fitted to: a start that finds it there reads the rows once, to whiten them. */
#include "preparation.h"
#include "basis.h"
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#define KEPT "normaliser.ckpt"

/* -------------------------------------------------------------------------------------------------- options ---- */

typedef struct {
  const NormBasis *basis;
  ScoriaNormaliserOptions fit;
  ScoriaTwin twin; /* what the deck lets the normaliser use of it */
  TrainSplit split;
  double memory; /* [byte] */
  int nchannels, channel[SCORIA_MAX_FIELDS];
} Options;

static PetscErrorCode DeckSize(ScoriaDeck deck, const char *key, int *value)
{
  PetscInt number = *value;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, key, &number));
  *value = (int)number;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadFit(ScoriaDeck deck, ScoriaNormaliserOptions *fit)
{
  bool adapt, mean, scale;
  PetscFunctionBeginUser;
  PetscCall(DeckSize(deck, "train_modes", &fit->modes));
  PetscCall(DeckSize(deck, "train_all_modes", &fit->all_modes));
  PetscCall(DeckSize(deck, "train_degree_mean", &fit->degree_mean));
  PetscCall(DeckSize(deck, "train_degree_scale", &fit->degree_scale));
  PetscCall(ScoriaDeckBool(deck, "train_adapt", &adapt));
  PetscCall(ScoriaDeckChanged(deck, "train_degree_mean", &mean));
  PetscCall(ScoriaDeckChanged(deck, "train_degree_scale", &scale));
  fit->choose_mean  = adapt && !mean;
  fit->choose_scale = adapt && !scale;
  PetscCall(ScoriaDeckBool(deck, "train_relative", &fit->relative));
  PetscCall(ScoriaDeckBool(deck, "train_whitening", &fit->whitening));
  PetscCall(ScoriaDeckReal(deck, "train_energy", &fit->energy));
  PetscFunctionReturn(0);
}

/* Without the twin's baseline or its reference, the regression serves. */
static PetscErrorCode ReadTwin(ScoriaDeck deck, const ScoriaTwin *twin, ScoriaTwin *permitted)
{
  bool baseline = true, logarithm = true, controls = true;
  PetscFunctionBeginUser;
  *permitted = twin ? *twin : (ScoriaTwin){.solve = NULL};
  PetscCall(ScoriaDeckBool(deck, "train_twin", &baseline));
  PetscCall(ScoriaDeckBool(deck, "train_logarithm", &logarithm));
  PetscCall(ScoriaDeckBool(deck, "train_controls", &controls));
  if (!baseline) permitted->solve = NULL;
  if (!baseline || !logarithm) permitted->ends = NULL;
  if (!controls) permitted->normals = NULL;
  for (int c = 0; c < SCORIA_MAX_FIELDS; c++)
    if (!twin || !logarithm) permitted->reference[c] = NAN;
  PetscFunctionReturn(0);
}

/* The row of the table that train_basis asks for, or that suits the dataset. */
static PetscErrorCode ChooseBasis(ScoriaDeck deck, const ScoriaDatasetSpec *spec, const NormBasis **basis)
{
  const bool whole = spec_is_whole(spec);
  const char *name;
  char cells[96];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "train_basis", &name));
  *basis = !strcmp(name, "auto") ? basis_for(spec) : scoria_bases;
  while ((*basis)->name && strcmp(name, "auto") && strcmp((*basis)->name, name)) (*basis)++;
  PetscCheck((*basis)->name, PETSC_COMM_SELF, PETSC_ERR_PLIB, "no basis '%s', though the deck allows it", name);
  spec_cells_text(spec, sizeof cells, cells);
  if ((*basis)->whole != whole)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_basis is %s, which is for %s, but the dataset is one of %s, %s", name,
                whole ? "profiles" : "whole fields", whole ? "whole fields" : "profiles", cells);
  if ((*basis)->periodic) PetscCall(ScoriaFieldsAlike(spec->nfields, spec->field, "train_basis"));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(ScoriaDeck deck, ScoriaDataset ds, const ScoriaTwin *twin,
                                  const ScoriaHoldout *holdout, Options *opt)
{
  const ScoriaDatasetSpec *spec;
  double share  = 0;
  PetscInt seed = 0;
  PetscFunctionBeginUser;
  *opt = (Options){.nchannels = 0};
  PetscCall(ReadFit(deck, &opt->fit));
  PetscCall(ReadTwin(deck, twin, &opt->twin));
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaMemoryOfDeck(deck, &opt->memory));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCall(ChooseBasis(deck, spec, &opt->basis));
  if (!opt->basis->whole && opt->fit.whitening && opt->fit.all_modes < opt->fit.modes)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_all_modes is %d, fewer than train_modes, %d", opt->fit.all_modes,
                opt->fit.modes);
  int64_t conditions = spec->rows / spec->realisations;
  if (holdout && holdout->conditions) conditions = PetscMin(conditions, holdout->conditions);
  opt->split = train_split(conditions, share, (uint64_t)seed, holdout);
  train_split_rows(&opt->split, conditions, spec->realisations, share, (uint64_t)seed);
  train_channels(spec, &opt->nchannels, opt->channel);
  if (opt->nchannels == 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "training: the dataset has no field but eps");
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------ keeping the fit ---- */

/* Which rows and terms a fit takes where the deck says nothing of them: another number where that has changed, as a
 * deck that was stored before does not show it. */
#define FIT "fit"
#define FIT_OF 10

static PetscErrorCode Keep(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, ScoriaNormaliser norm)
{
  uint32_t digest;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetDigest(run, ds, dataset_rows(ds), &digest));
  PetscCall(ScoriaCheckpointBegin(run, deck, KEPT, &store));
  PetscCall(ScoriaStorePutInt(store, "dataset_digest", digest));
  PetscCall(ScoriaStorePutInt(store, FIT, FIT_OF));
  PetscCall(NormaliserSave(norm, store));
  PetscCall(ScoriaCheckpointEnd(run, KEPT, &store));
  PetscFunctionReturn(0);
}

/* What is read into. */
typedef struct {
  ScoriaRun run; /* borrowed, as is the next */
  ScoriaDataset ds;
  ScoriaNormaliser *norm; /* NULL until it is read */
} Reading;

static PetscErrorCode CheckRows(void *ctx, const char *path, ScoriaStore store)
{
  const Reading *reading = ctx;
  const ScoriaDataset ds = reading->ds;
  int64_t digest, fit = 0;
  bool stored;
  uint32_t here;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, FIT, &stored));
  if (stored) PetscCall(ScoriaStoreGetInt(store, FIT, &fit));
  if (fit != FIT_OF) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: fitted by an earlier version", path);
  PetscCall(ScoriaStoreGetInt(store, "dataset_digest", &digest));
  PetscCall(ScoriaDatasetDigest(reading->run, ds, dataset_rows(ds), &here));
  if (digest != here) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of other rows than dataset.h5 holds", path);
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  PetscFunctionBeginUser;
  PetscCall(NormaliserLoad(store, ((Reading *)ctx)->norm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  PetscFunctionBeginUser;
  *((Reading *)ctx)->norm = NULL;
  PetscFunctionReturn(0);
}

/* Another fit does no harm. */
PetscErrorCode PreparationFind(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, ScoriaNormaliser *norm)
{
  Reading reading                     = {.run = run, .ds = ds, .norm = norm};
  const ScoriaCheckpointReader reader = {.results   = SCORIA_OF_NORMALISER,
                                         .ctx       = &reading,
                                         .otherwise = "the normaliser is fitted again",
                                         .check     = CheckRows,
                                         .read      = Read,
                                         .clear     = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  *norm = NULL;
  PetscCall(ScoriaCheckpointFind(run, deck, KEPT, &reader, &file));
  PetscFunctionReturn(0);
}

PetscErrorCode PreparationForget(ScoriaRun run)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointRemove(run, KEPT));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- all of it ---- */

/* The ctx of keep_fit.  All borrowed. */
typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  ScoriaDataset ds;
  ScoriaNormaliser norm;
} Keeping;

static PetscErrorCode keep_fit(void *ctx)
{
  const Keeping *k = ctx;
  PetscFunctionBeginUser;
  PetscCall(Keep(k->run, k->deck, k->ds, k->norm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Tell(ScoriaRun run, ScoriaNormaliser norm, const NormWhitened *rows, double seconds)
{
  struct rusage use = {.ru_maxrss = 0};
  int r, R;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, &R));
  getrusage(RUSAGE_SELF, &use);
  double memory = 1.024e-3 * (double)use.ru_maxrss; /* kB of 1024 bytes, on Linux */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_MAX, ScoriaRunComm(run)));
  PetscCall(
      ScoriaSay(run, "  %lld rows to learn from, %lld to validate on, %lld left out; %d coordinates learned of %d kept",
                (long long)rows->train.rows, (long long)rows->valid.rows, (long long)rows->dropped, r, R));
  PetscCall(ScoriaLog(run, "whitened",
                      "\"rows\":%lld,\"validation_rows\":%lld,\"dropped\":%lld,\"modes\":%d,\"all_modes\":%d,"
                      "\"seconds\":%.3f,\"peak_memory_MB\":%.0f",
                      (long long)rows->train.rows, (long long)rows->valid.rows, (long long)rows->dropped, r, R, seconds,
                      memory));
  PetscFunctionReturn(0);
}

PetscErrorCode PreparationRun(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, const ScoriaTwin *twin,
                              const ScoriaHoldout *holdout, ScoriaNormaliser *norm, TrainData *train, TrainData *valid)
{
  const double start = wall_seconds();
  const bool known   = *norm != NULL;
  NormWhitened rows  = {.dropped = 0};
  Options opt;
  PetscFunctionBeginUser;
  PetscCall(ReadOptions(deck, ds, twin, holdout, &opt));
  if (!known)
    PetscCall(
        NormaliserCreateLearned(ScoriaRunComm(run), run, opt.basis, ds, opt.nchannels, &opt.twin, &opt.fit, norm));
  const NormInput in  = {.comm    = ScoriaRunComm(run),
                         .run     = run,
                         .ds      = ds,
                         .channel = opt.channel,
                         .split   = &opt.split,
                         .twin    = &opt.twin,
                         .memory  = opt.memory};
  Keeping keeping     = {run, deck, ds, *norm};
  const NormTask task = {.options = &opt.fit, .known = known, .keep = keep_fit, .ctx = &keeping, .whitened = &rows};
  PetscCall(NormaliserPrepare(*norm, &in, &task));
  PetscCall(Tell(run, *norm, &rows, wall_seconds() - start));
  *train = rows.train;
  *valid = rows.valid;
  PetscFunctionReturn(0);
}
