/* ScoriaModelTrain: from a dataset and a deck to a model.  Split by condition, fit the normaliser, whiten all rows,
 * train on them, keep the averaged weights. */
#include "model.h"
#include "normaliser.h"
#include "train_data.h"
#include "training.h"
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

static PetscErrorCode ReadOptions(ScoriaDeck deck, TrainOptions *opt)
{
  PetscInt steps, batch, micro, seed;
  const char *process;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "train_steps", &steps));
  PetscCall(ScoriaDeckInt(deck, "train_batch", &batch));
  PetscCall(ScoriaDeckInt(deck, "train_micro_batches", &micro));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  *opt              = (TrainOptions){.steps = steps, .batch = batch, .micro = (int)micro, .seed = (uint64_t)seed};
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

/* What decides which step is the model. */
static PetscErrorCode ReadKeeping(ScoriaDeck deck, Training *t)
{
  PetscInt patience, keep, tuning;
  double share;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaDeckInt(deck, "train_patience", &patience));
  PetscCall(ScoriaDeckChoice(deck, "train_keep", &keep));
  PetscCall(ScoriaDeckReal(deck, "run_checkpoint_minutes", &t->every));
  if (patience > 0 && share == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "train_patience is %d, but no condition is left out to judge by: train_validation is 0", (int)patience);
  PetscCall(ScoriaDeckInt(deck, "train_consistency_steps", &tuning));
  PetscCall(ScoriaDeckReal(deck, "train_consistency_rate", &t->tuning_rate));
  t->tuning_steps = tuning;
  t->patience     = patience;
  t->keep_last    = keep == 1;
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
  PetscInt kind;
  PetscFunctionBeginUser;
  *spec = (ScoriaNetSpec){.d = ScoriaNormaliserSpace(norm)->n};
  PetscCall(ScoriaNormaliserSizes(norm, &spec->channels, &spec->cells, &spec->r, NULL));
  PetscCall(ScoriaDeckChoice(deck, "train_network", &kind));
  snprintf(spec->kind, sizeof spec->kind, "%s", scoria_networks[kind].name);
  spec->width = scoria_networks[kind].width;
  PetscCall(DeckSize(deck, "train_width", &spec->width));
  PetscCall(DeckSize(deck, "train_depth", &spec->depth));
  PetscCall(DeckSize(deck, "train_embed", &spec->embed));
  PetscCall(DeckSize(deck, "train_kernel", &spec->kernel));
  PetscCall(DeckSize(deck, "train_patch", &spec->patch));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTrainingSplit(ScoriaDeck deck, int64_t conditions, bool train[], int64_t *left_out)
{
  double share  = 0;
  PetscInt seed = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "train_validation", &share));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(TrainSplit(conditions, share, (uint64_t)seed, train, left_out));
  PetscFunctionReturn(0);
}

/* What the deck lets the normaliser use of the twin; without its baseline or its reference, the regression serves. */
static PetscErrorCode PermittedTwin(ScoriaDeck deck, const ScoriaTwin *twin, ScoriaTwin *permitted)
{
  bool baseline = true, logarithm = true;
  PetscFunctionBeginUser;
  *permitted = twin ? *twin : (ScoriaTwin){.solve = NULL};
  PetscCall(ScoriaDeckBool(deck, "train_twin", &baseline));
  PetscCall(ScoriaDeckBool(deck, "train_logarithm", &logarithm));
  if (!baseline) permitted->solve = NULL;
  for (int c = 0; c < SCORIA_MAX_FIELDS; c++)
    if (!twin || !logarithm) permitted->reference[c] = NAN;
  PetscFunctionReturn(0);
}

static PetscErrorCode FitNormaliser(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, const ScoriaTwin *twin,
                                    const bool train[], ScoriaNormaliser *norm)
{
  const ScoriaDatasetSpec *spec;
  ScoriaNormaliserOptions opt = {0};
  ScoriaTwin permitted;
  int nchannels, channel[SCORIA_MAX_FIELDS];
  PetscFunctionBeginUser;
  PetscCall(DeckSize(deck, "train_modes", &opt.modes));
  PetscCall(DeckSize(deck, "train_all_modes", &opt.all_modes));
  PetscCall(DeckSize(deck, "train_degree_mean", &opt.degree_mean));
  PetscCall(DeckSize(deck, "train_degree_scale", &opt.degree_scale));
  PetscCall(ScoriaDeckBool(deck, "train_relative", &opt.relative));
  PetscCall(ScoriaDeckBool(deck, "train_whitening", &opt.whitening));
  if (opt.whitening && opt.all_modes < opt.modes)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_all_modes is %d, fewer than train_modes, %d", opt.all_modes, opt.modes);
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  train_channels(spec, &nchannels, channel);
  if (nchannels == 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "training: the dataset has no field but eps");
  PetscCall(PermittedTwin(deck, twin, &permitted));
  PetscCall(ScoriaNormaliserFit(ScoriaRunComm(run), ds, nchannels, channel, train, &permitted, &opt, norm));
  for (int c = 0; c < nchannels; c++)
    if ((*norm)->relative[c])
      PetscCall(ScoriaSay(run, "  %s is learned as its value in the first cell and the differences from it",
                          spec->field[channel[c]].name));
  PetscFunctionReturn(0);
}

static PetscErrorCode WhitenRows(Training *t, ScoriaDataset ds, ScoriaNormaliser norm, const ScoriaTwin *twin,
                                 const bool train[])
{
  int64_t dropped[2];
  int r, R;
  PetscFunctionBeginUser;
  PetscCall(TrainDataCreate(ds, norm, twin, train, true, &t->train, &dropped[0]));
  PetscCall(TrainDataCreate(ds, norm, twin, train, false, &t->valid, &dropped[1]));
  PetscCall(ScoriaNormaliserSizes(norm, NULL, NULL, &r, &R));
  PetscCall(ScoriaSay(
      t->run, "  %lld rows to learn from, %lld to validate on, %lld left out; %d coordinates learned of %d kept",
      (long long)t->train.rows, (long long)t->valid.rows, (long long)(dropped[0] + dropped[1]), r, R));
  PetscCall(ScoriaLog(t->run, "whitened",
                      "\"rows\":%lld,\"validation_rows\":%lld,\"dropped\":%lld,\"modes\":%d,\"all_modes\":%d",
                      (long long)t->train.rows, (long long)t->valid.rows, (long long)(dropped[0] + dropped[1]), r, R));
  PetscFunctionReturn(0);
}

/* Takes over the normaliser, and the averages where there are several. */
static PetscErrorCode KeepModel(Training *t, ScoriaDeck deck, ScoriaDataset ds, ScoriaNormaliser norm,
                                const ScoriaNetSpec *netspec, ScoriaModel *model)
{
  const ScoriaDatasetSpec *spec;
  const double *x;
  const char *text;
  int channel[SCORIA_MAX_FIELDS];
  ScoriaModel m;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, NULL));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(PetscNew(&m));
  *m = (struct ScoriaModel_){.normaliser = norm,
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
                             .baseline   = t->kept.baseline};
  train_channels(spec, &m->nchannels, channel);
  for (int c = 0; c < m->nchannels; c++) m->field[c] = spec->field[channel[c]];
  PetscCall(PetscMalloc1(spec->cells, &m->x));
  PetscCall(PetscArraycpy(m->x, x, spec->cells));
  PetscCall(PetscStrallocpy(text, &m->deck));
  PetscCall(ModelNetCreate(m));
  (void)ema_rebuild(&t->kept.set, t->kept.width, net_parameters(m->net));
  m->tuned = t->tuned;
  if (t->kept.lengths > 1) {
    m->averages = t->kept.set;
    t->kept.set = (EmaSet){0};
  }
  *model = m;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaModelTrain(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, const ScoriaTwin *twin,
                                ScoriaModel *model)
{
  Training t = {.run = run, .deck = deck, .comm = ScoriaRunComm(run)};
  const ScoriaDatasetSpec *spec;
  ScoriaNormaliser norm;
  ScoriaNetSpec net;
  float *basis;
  bool *train;
  int64_t left_out;
  PetscFunctionBeginUser;
  PetscCall(ReadOptions(deck, &t.opt));
  PetscCall(ReadKeeping(deck, &t));
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  const int64_t conditions = spec->rows / spec->realisations;
  PetscCall(PetscMalloc1(conditions, &train));
  PetscCall(ScoriaTrainingSplit(deck, conditions, train, &left_out));
  PetscCall(CheckpointFind(run, deck, &t.begin));
  PetscCall(ScoriaCostBegin(run, "model.h5", t.begin.found, &t.cost));
  if (t.begin.found) {
    norm         = t.begin.norm;
    t.begin.norm = NULL;
  } else
    PetscCall(FitNormaliser(run, deck, ds, twin, train, &norm));
  t.norm = norm;
  PetscCall(WhitenRows(&t, ds, norm, twin, train));
  PetscCall(PetscFree(train));
  PetscCall(ReadSpec(deck, norm, &net));
  PetscCall(ModelBasis(norm, &net, &basis));
  PetscCall(TrainingRun(&t, &net));
  PetscCall(PetscFree(basis));
  net.basis = NULL;
  PetscCall(KeepModel(&t, deck, ds, norm, &net, model));
  PetscCall(ScoriaCostEnd(&t.cost));
  PetscCall(CheckpointDestroy(&t.begin));
  PetscCall(KeptDestroy(&t.kept));
  PetscCall(TrainDataDestroy(&t.train));
  PetscCall(TrainDataDestroy(&t.valid));
  PetscFunctionReturn(0);
}
