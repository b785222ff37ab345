/* ScoriaModelTrain: from a dataset and a deck to a model.  Split by condition, fit the normaliser, whiten all rows,
 * train on them, keep the averaged weights. */
#include "model.h"
#include "preparation.h"
#include "train_shares.h"
#include "scoria/phases.h"
#include "scoria/run_files.h"
#include "train_few.h"
#include "basis.h"
#include "levels.h"
#include "processes.h"
#include "reach.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One relative width, or two that differ, in any order. */
static PetscErrorCode ReadAverages(ScoriaDeck deck, double ema[2])
{
  PetscInt n = 0;
  double width[2];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReals(deck, "train_ema", 2, &n, width));
  if (n < 1 || (n == 2 && width[0] == width[1]))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_ema: one relative width or two different ones are expected");
  ema[0] = width[0];
  ema[1] = n == 2 ? width[1] : 0;
  PetscFunctionReturn(0);
}

#define MICRO_ROWS 128 /* of a micro-batch that keeps a network's products efficient */
#define MICRO_LEAST 8  /* micro-batches of a small batch all the same, where it can be divided so */
#define MICRO_MOST 128 /* a rank holds a gradient for each of its micro-batches */

/* train_micro_batches where it is not set: a power of two that divides the batch.  As the bits of the weights depend on
 * it, the number of ranks does not come in. */
static int default_micro(int64_t batch)
{
  const int64_t most = PetscClipInterval(batch / MICRO_ROWS, MICRO_LEAST, MICRO_MOST);
  int64_t micro      = 1;
  while (2 * micro <= most && batch % (2 * micro) == 0) micro *= 2;
  return (int)micro;
}

/* Ranks beyond the number of micro-batches take part in the preparation and the validation only. */
static PetscErrorCode WarnOfRanks(ScoriaRun run, const TrainOptions *opt)
{
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  if (size > opt->micro)
    PetscCall(ScoriaSay(run,
                        "  WARNING: %d ranks share %d micro-batches: %d of them have none in a training step; use %d "
                        "ranks, or for other bits more micro-batches (train_micro_batches, or a larger train_batch)",
                        size, opt->micro, size - opt->micro, opt->micro));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(ScoriaDeck deck, TrainOptions *opt)
{
  PetscInt steps, batch, micro = 0, seed;
  const char *process;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "train_steps", &steps));
  PetscCall(ScoriaDeckInt(deck, "train_batch", &batch));
  PetscCall(ScoriaDeckInt(deck, "train_micro_batches", &micro));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  *opt = (TrainOptions){
      .steps = steps, .batch = batch, .micro = micro > 0 ? (int)micro : default_micro(batch), .seed = (uint64_t)seed};
  opt->adam.beta1   = 0.9;
  opt->adam.epsilon = 1e-8;
  PetscCall(ScoriaDeckString(deck, "train_process", &process));
  opt->process.row = process_find(process);
  PetscCall(ScoriaDeckReal(deck, "train_P_mean", &opt->process.P_mean));
  PetscCall(ScoriaDeckReal(deck, "train_P_std", &opt->process.P_std));
  PetscCall(ScoriaDeckReal(deck, "train_learning_rate", &opt->adam.rate));
  PetscCall(ScoriaDeckReal(deck, "train_warmup", &opt->adam.warmup));
  PetscCall(ScoriaDeckReal(deck, "train_beta2", &opt->adam.beta2));
  PetscCall(ScoriaDeckReal(deck, "train_clip", &opt->adam.clip));
  PetscCall(ReadAverages(deck, opt->adam.ema));
  PetscFunctionReturn(0);
}

/* What follows the training; one of them, as a model has one set of such weights. */
static PetscErrorCode ReadTuning(ScoriaDeck deck, Training *t)
{
  char key[64];
  PetscInt steps = 0;
  PetscFunctionBeginUser;
  for (TrainKind kind = TRAIN_CONSISTENCY; kind < TRAIN_KINDS; kind++) {
    snprintf(key, sizeof key, "train_%s_steps", train_kind_names[kind]);
    PetscCall(ScoriaDeckInt(deck, key, &steps));
    if (steps == 0) continue;
    if (t->tuning != TRAIN_DENOISER)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s is %d beside train_%s_steps; give one of them", key, (int)steps,
                  train_kind_names[t->tuning]);
    t->tuning       = kind;
    t->tuning_steps = steps;
    snprintf(key, sizeof key, "train_%s_rate", train_kind_names[kind]);
    PetscCall(ScoriaDeckReal(deck, key, &t->tuning_rate));
  }
  PetscFunctionReturn(0);
}

/* What decides which step is the model. */
static PetscErrorCode ReadKeeping(ScoriaDeck deck, Training *t)
{
  PetscInt patience = 0;
  double share;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaDeckInt(deck, "train_patience", &patience));
  PetscCall(ScoriaDeckIs(deck, "train_keep", "last", &t->keep_last));
  PetscCall(ScoriaDeckReal(deck, "run_checkpoint_minutes", &t->every));
  if (patience > 0 && share == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "train_patience is %d, but no condition is left out to judge by: train_validation is 0", (int)patience);
  PetscCall(ReadTuning(deck, t));
  t->patience = patience;
  t->every *= 60;
  PetscFunctionReturn(0);
}

static PetscErrorCode DeckSize(ScoriaDeck deck, const char *key, int *value)
{
  PetscInt number = *value;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, key, &number));
  *value = (int)number;
  PetscFunctionReturn(0);
}

/* The network's sizes, but the basis. */
static PetscErrorCode ReadSpec(ScoriaDeck deck, ScoriaNormaliser norm, ScoriaNetSpec *spec)
{
  int kind = 0;
  PetscFunctionBeginUser;
  *spec = (ScoriaNetSpec){.d = ScoriaNormaliserSpace(norm)->n};
  PetscCall(ScoriaNormaliserSizes(norm, &spec->channels, &spec->cells, &spec->r, NULL));
  PetscCall(ScoriaDeckRow(deck, "train_network", scoria_networks, sizeof *scoria_networks, &kind));
  snprintf(spec->kind, sizeof spec->kind, "%s", scoria_networks[kind].name);
  spec->width = scoria_networks[kind].width;
  PetscCall(DeckSize(deck, "train_width", &spec->width));
  PetscCall(DeckSize(deck, "train_depth", &spec->depth));
  PetscCall(DeckSize(deck, "train_embed", &spec->embed));
  PetscCall(DeckSize(deck, "train_kernel", &spec->kernel));
  PetscCall(DeckSize(deck, "train_patch", &spec->patch));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTrainingSplit(ScoriaDeck deck, int64_t conditions, int64_t realisations,
                                   const ScoriaHoldout *holdout, ScoriaSplit *split)
{
  double share  = 0;
  PetscInt seed = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  TrainSplit of = train_split(conditions, share, (uint64_t)seed, holdout);
  train_split_rows(&of, conditions, realisations, share, (uint64_t)seed);
  *split = (ScoriaSplit){.shuffle      = of.shuffle,
                         .places       = of.places,
                         .left_out     = of.left_out + (holdout ? holdout->number : 0),
                         .holdout      = holdout,
                         .realisations = realisations,
                         .rows         = of.rows,
                         .first        = of.first,
                         .order        = of.order};
  PetscFunctionReturn(0);
}

static PetscErrorCode TellHoldout(ScoriaRun run, const ScoriaHoldout *h)
{
  PetscFunctionBeginUser;
  if (h->number)
    PetscCall(ScoriaSay(run, "  held back for compare: %s%lld row%s of each of %lld of %lld conditions",
                        h->realisations == 1 ? "the " : "all ", (long long)h->realisations,
                        h->realisations == 1 ? "" : "s", (long long)h->number, (long long)h->conditions));
  if (h->rows)
    PetscCall(ScoriaSay(run, "  held back for compare: %lld of %lld rows of each of %lld condition%s",
                        (long long)h->rows, (long long)h->realisations, (long long)h->conditions,
                        h->conditions == 1 ? "" : "s"));
  if (h->number || h->rows)
    PetscCall(ScoriaLog(run, "holdout", "\"conditions\":%lld,\"rows_of_each\":%lld,\"of_conditions\":%lld",
                        (long long)holdout_conditions(h), (long long)holdout_each(h), (long long)h->conditions));
  PetscFunctionReturn(0);
}

static TrainSplit split_of_training(const ScoriaSplit *split)
{
  return (TrainSplit){.shuffle      = split->shuffle,
                      .places       = split->places,
                      .holdout      = split->holdout,
                      .realisations = split->realisations,
                      .rows         = split->rows,
                      .first        = split->first,
                      .order        = split->order};
}

bool split_leaves_out(const ScoriaSplit *split, int64_t condition)
{
  const TrainSplit of = split_of_training(split);
  return !train_keeps(&of, condition);
}

bool split_learns(const ScoriaSplit *split, int64_t row)
{
  const TrainSplit of = split_of_training(split);
  return train_keeps(&of, row / of.realisations) && !train_hides(&of, row) && !train_leaves_row(&of, row);
}

/* Takes over the normaliser, and the averages where there are several. */
static PetscErrorCode KeepModel(Training *t, ScoriaDataset ds, const ScoriaNetSpec *netspec, ScoriaModel *model)
{
  const ScoriaDatasetSpec *spec;
  const double *x;
  const char *text;
  int channel[SCORIA_MAX_FIELDS];
  ScoriaModel m;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, NULL));
  PetscCall(ScoriaDeckText(t->deck, &text));
  PetscCall(PetscNew(&m));
  *m = (struct ScoriaModel_){.normaliser = t->norm,
                             .spec       = *netspec,
                             .process    = t->opt.process,
                             .cells      = spec->cells,
                             .steps      = t->kept.ended,
                             .kept       = t->kept.step,
                             .lengthened = t->lengthened,
                             .width      = t->kept.width,
                             .seed       = t->opt.seed,
                             .loss       = t->kept.train_loss,
                             .validation = t->kept.loss,
                             .baseline   = t->kept.baseline,
                             .rows       = {t->train.rows, t->valid.rows},
                             .gaussian   = t->kept.gaussian};
  PetscCall(ScoriaDatasetIdentity(t->run, ds, spec->rows, m->dataset));
  PetscCall(PetscStrncpy(m->library, dataset_made_from(ds)->library, sizeof m->library));
  train_channels(spec, &m->nchannels, channel);
  for (int c = 0; c < m->nchannels; c++) m->field[c] = spec->field[channel[c]];
  PetscCall(PetscMalloc1(model_centres(m), &m->x));
  PetscCall(PetscArraycpy(m->x, x, model_centres(m)));
  m->float64 = spec->float64;
  PetscCall(PetscStrallocpy(text, &m->deck));
  PetscCall(ModelNetCreate(m));
  if (t->opt.steps > 0)
    (void)ema_rebuild(&t->kept.set, t->kept.width, net_parameters(m->net));
  else
    net_initialise(m->net, t->opt.seed);
  m->tuned = t->tuned;
  if (m->tuned) m->tuned_for = sampler_find(train_kind_names[t->tuning]);
  if (t->kept.lengths > 1) {
    m->averages = t->kept.set;
    t->kept.set = (EmaSet){0};
  }
  *model = m;
  PetscFunctionReturn(0);
}

/* Weights of the coordinates.  With equal ones distillation would spend itself on coordinates that hardly show
 * (benchmarks/ablation.md), and networks of few rows would be adopted for what they gain in those. */
static PetscErrorCode TakeWeights(Training *t, ScoriaDataset ds, const ScoriaHoldout *holdout, const ScoriaTwin *twin)
{
  const bool distils = t->tuning == TRAIN_DISTILLED,
             few     = t->valid.rows > 0 && !t->train.move && t->train.rows < NORM_FEW_ROWS;
  double middle[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  if (t->opt.steps == 0 || !(distils || few)) PetscFunctionReturn(0);
  PetscCall(LevelsMiddle(t->comm, t->deck, ds, holdout, ScoriaNormaliserSpace(t->norm), middle));
  if (distils) PetscCall(CoordinateWeights(t->norm, twin, t->comm, middle, 0.5, &t->share));
  if (few) PetscCall(CoordinateWeights(t->norm, twin, t->comm, middle, 1, &t->worth));
  t->opt.worth = t->worth;
  PetscFunctionReturn(0);
}

/* No steps, no network: the Gaussian is the model.  Its loss, that of F = 0, is 1 in whitened coordinates. */
static PetscErrorCode KeepGaussian(Training *t)
{
  PetscFunctionBeginUser;
  if (t->tuning != TRAIN_DENOISER)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_%s_steps is %lld, but there is no network to tune: train_steps is 0",
                train_kind_names[t->tuning], (long long)t->tuning_steps);
  t->kept.gaussian   = true;
  t->kept.train_loss = t->kept.loss = t->kept.baseline = 1;
  PetscCall(ScoriaLog(t->run, LOG_KEPT, "\"adopted\":\"gaussian\""));
  PetscCall(ScoriaSay(t->run, "  no network (train_steps is 0): the conditional Gaussian is the model"));
  PetscFunctionReturn(0);
}

/* Of corrected rows, none of which is held back: their conditions are those of the dataset, and then others. */
static PetscErrorCode HoldoutOfCorrected(const ScoriaHoldout *h, ScoriaDataset corrected, ScoriaHoldout *split)
{
  const ScoriaDatasetSpec *spec;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(corrected, &spec, NULL, NULL));
  *split = (ScoriaHoldout){
      .conditions = h->conditions, .realisations = spec->realisations, .number = h->number, .condition = h->condition};
  PetscFunctionReturn(0);
}

/* Where it goes on, and the normaliser that is there: of an interrupted training, of a model that is only tuned, or of
 * a preparation; NULL: none. */
static PetscErrorCode FindBegin(Training *t, ScoriaDataset rows, ScoriaNormaliser *norm)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointFind(t->run, t->deck, &t->begin));
  *norm         = t->begin.norm;
  t->begin.norm = NULL;
  if (!t->begin.found) PetscCall(TunedFrom(t->run, t->deck, &t->from));
  if (t->from) {
    *norm               = t->from->normaliser;
    t->from->normaliser = NULL;
  }
  if (!*norm) PetscCall(PreparationFind(t->run, t->deck, rows, norm));
  PetscFunctionReturn(0);
}

/* What few rows ask for, and the steps; spec is then that of the network. */
static PetscErrorCode Learn(Training *t, ScoriaDataset ds, const ScoriaHoldout *holdout, const ScoriaTwin *twin,
                            ScoriaNetSpec *spec)
{
  float *basis;
  PetscFunctionBeginUser;
  PetscCall(FewPatience(t->deck, t));
  PetscCall(FewBlur(t->deck, t));
  PetscCall(FewCalibrates(t->deck, t));
  PetscCall(ReadSpec(t->deck, t->norm, spec));
  PetscCall(ModelBasis(t->norm, spec, &basis));
  PetscCall(TakeWeights(t, ds, holdout, twin));
  if (t->opt.steps > 0)
    PetscCall(TrainingRun(t, spec));
  else
    PetscCall(KeepGaussian(t));
  PetscCall(PetscFree(basis));
  spec->basis = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Training *t)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(t->worth));
  PetscCall(CheckpointDestroy(&t->begin));
  PetscCall(KeptDestroy(&t->kept));
  PetscCall(ScoriaModelDestroy(&t->from));
  PetscCall(TrainDataDestroy(&t->train));
  PetscCall(TrainDataDestroy(&t->valid));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelTrain(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, ScoriaDataset corrected,
                                const ScoriaTwin *twin, ScoriaModel *model)
{
  ScoriaDataset rows = corrected ? corrected : ds;
  Training t         = {.run = run, .deck = deck, .comm = ScoriaRunComm(run)};
  ScoriaNetSpec net;
  ScoriaHoldout holdout, split;
  ScoriaReach reach;
  PetscFunctionBeginUser;
  PetscCall(ReadOptions(deck, &t.opt));
  PetscCall(WarnOfRanks(run, &t.opt));
  PetscCall(ReadKeeping(deck, &t));
  PetscCall(FindBegin(&t, rows, &t.norm));
  PetscCall(ScoriaCostBegin(run, "model.h5", t.norm != NULL, &t.cost));
  PetscCall(ScoriaHoldoutChoose(t.comm, deck, ds, &holdout));
  PetscCall(TellHoldout(run, &holdout));
  split = holdout;
  if (corrected) PetscCall(HoldoutOfCorrected(&holdout, corrected, &split));
  PetscCall(ReachFind(run, rows, &split, &reach));
  PetscCall(PreparationRun(run, deck, rows, twin, &split, &t.norm, &t.train, &t.valid));
  PetscCall(ScoriaCostKeep(t.cost, true));
  PetscCall(Learn(&t, ds, &holdout, twin, &net));
  PetscCall(KeepModel(&t, ds, &net, model));
  (*model)->holdout = holdout;
  (*model)->reach   = reach;
  if (corrected) {
    PetscCall(PetscStrncpy((*model)->cheap, dataset_made_from(corrected)->file, SCORIA_SOURCE_SIZE));
    (*model)->cheap_correlation = dataset_made_from(corrected)->correlation;
  }
  PetscCall(FewJudge(&t, *model));
  PetscCall(FewCalibrate(&t, *model));
  PetscCall(ScoriaCostEnd(&t.cost));
  PetscCall(Destroy(&t));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelTrained(ScoriaRun run)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointForget(run));
  PetscCall(PreparationForget(run));
  PetscFunctionReturn(0);
}
