/* ScoriaModelTrain: from a dataset and a deck to a model.  Split by condition, fit the normaliser, whiten all rows,
 * train on them, keep the averaged weights. */
#include "checkpoint.h"
#include "model.h"
#include "train_data.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define VALIDATIONS 50       /* in a training */
#define VALIDATION_ROWS 8192 /* at most */
#define SKIPS_ALLOWED 20     /* steps in a row whose gradient is not finite */

/* A training on its way. */
typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  MPI_Comm comm;
  TrainOptions opt;
  TrainData train, valid; /* valid.rows = 0: no condition was left out */
  Trainer trainer;
  ScoriaProgress bar;
  FILE *curve; /* train.jsonl, rank 0 only */
  bool curve_bad;
  double start, loss, validation, baseline;
  ScoriaNormaliser norm; /* borrowed */
  ScoriaCost cost;       /* owned */
  Checkpoint begin;      /* where an interrupted training had come to */
  uint32_t data;         /* CRC of the rows, for checkpoints */
  double every, saved;   /* seconds between checkpoints; when the last one was written */
} Training;

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
  PetscCall(ScoriaDeckReal(deck, "train_ema", &opt->adam.ema));
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
  if (opt.all_modes < opt.modes)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "train_all_modes is %d, fewer than train_modes, %d", opt.all_modes, opt.modes);
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  train_channels(spec, &nchannels, channel);
  if (nchannels == 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "training: the dataset has no field but eps");
  PetscCall(PermittedTwin(deck, twin, &permitted));
  PetscCall(ScoriaNormaliserFit(ScoriaRunComm(run), ds, nchannels, channel, train, &permitted, &opt, norm));
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
  PetscCall(ScoriaSay(t->run,
                      "  %lld rows to learn from, %lld to validate on, %lld left out; %d modes learned of %d kept",
                      (long long)t->train.rows, (long long)t->valid.rows, (long long)(dropped[0] + dropped[1]), r, R));
  PetscCall(ScoriaLog(t->run, "whitened",
                      "\"rows\":%lld,\"validation_rows\":%lld,\"dropped\":%lld,\"modes\":%d,\"all_modes\":%d",
                      (long long)t->train.rows, (long long)t->valid.rows, (long long)(dropped[0] + dropped[1]), r, R));
  PetscFunctionReturn(0);
}

/* On conditions left out; where there are none, on rows that were learned, which then only shows the loss without
 * noise. */
static PetscErrorCode Validate(Training *t)
{
  const TrainData *data = t->valid.rows > 0 ? &t->valid : &t->train;
  PetscFunctionBeginUser;
  PetscCall(TrainerValidate(t->trainer, data, PetscMin(data->rows, VALIDATION_ROWS), &t->validation, &t->baseline));
  PetscCall(TrainerCheck(t->trainer));
  PetscFunctionReturn(0);
}

/* The lines of a training curve up to a step, in a text of its own: those after it will be written again. */
static PetscErrorCode KeptCurve(const char *path, int64_t step, char **kept)
{
  char line[1024];
  long size  = 0;
  FILE *file = fopen(path, "r");
  PetscFunctionBeginUser;
  if (file && !fseek(file, 0, SEEK_END)) size = ftell(file);
  PetscCall(PetscCalloc1(size + 1, kept));
  if (!file) PetscFunctionReturn(0);
  rewind(file);
  for (char *at = *kept; fgets(line, sizeof line, file);) {
    long long number;
    if (sscanf(line, "{\"step\":%lld", &number) != 1 || number > step || !strchr(line, '\n')) break;
    at = stpcpy(at, line);
  }
  fclose(file);
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenCurve(Training *t)
{
  char path[PETSC_MAX_PATH_LEN], line[PETSC_MAX_PATH_LEN + 64], *kept = NULL;
  PetscMPIInt rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(t->run, "train.jsonl", sizeof path, path));
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  if (rank == 0) PetscCall(KeptCurve(path, t->begin.found ? t->begin.step : 0, &kept));
  PetscCall(ScoriaWriteText(t->comm, path, kept ? kept : ""));
  PetscCall(PetscFree(kept));
  if (rank == 0) t->curve = fopen(path, "a");
  snprintf(line, sizeof line, "%s: cannot be written", path);
  PetscCall(ScoriaAgree(t->comm, rank == 0 && !t->curve ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseCurve(Training *t)
{
  bool bad = t->curve_bad;
  PetscFunctionBeginUser;
  if (t->curve) bad = fclose(t->curve) != 0 || bad;
  t->curve = NULL;
  PetscCall(ScoriaAgree(t->comm, bad ? SCORIA_EXIT_IO : SCORIA_EXIT_OK,
                        "train.jsonl: a line could not be written (disk full?)"));
  PetscFunctionReturn(0);
}

/* One point of the training curve, in log.jsonl and train.jsonl. */
static PetscErrorCode Record(Training *t, int64_t step, const TrainStep *last)
{
  const double seconds = wall_seconds() - t->start;
  char body[512];
  PetscFunctionBeginUser;
  snprintf(
      body, sizeof body,
      "\"step\":%lld,\"loss\":%.8g,\"validation\":%.8g,\"baseline\":%.8g,\"excess\":%.8g,\"lr\":%.6g,\"norm\":%.6g,"
      "\"seconds\":%.3f,\"samples_per_second\":%.1f",
      (long long)step, t->loss, t->validation, t->baseline, t->validation - t->baseline, last->rate, last->norm,
      seconds, (double)(step * t->opt.batch) / PetscMax(seconds, 1e-9));
  PetscCall(ScoriaLog(t->run, "train", "%s", body));
  if (t->curve) t->curve_bad = fprintf(t->curve, "{%s}\n", body) < 0 || fflush(t->curve) != 0 || t->curve_bad;
  PetscFunctionReturn(0);
}

/* One step, with the loss averaged over the last steps. */
static PetscErrorCode OneStep(Training *t, int64_t step, int *skips, TrainStep *last)
{
  PetscFunctionBeginUser;
  PetscCall(TrainerStep(t->trainer, last));
  *skips = last->skipped ? *skips + 1 : 0;
  if (last->skipped) PetscCall(ScoriaLog(t->run, "skip", "\"step\":%lld", (long long)step));
  if (*skips > SKIPS_ALLOWED)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "training diverged at step %lld: %d steps in a row were not finite; lower train_learning_rate",
                (long long)step, *skips);
  if (!last->skipped) t->loss = step == 1 ? last->loss : t->loss + (last->loss - t->loss) / PetscMin((double)step, 50);
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(Training *t, int skips)
{
  const Checkpoint now = {.skips = skips, .loss = t->loss, .seconds = wall_seconds() - t->start, .data = t->data};
  PetscFunctionBeginUser;
  PetscCall(CheckpointSave(t->run, t->deck, t->norm, t->trainer, &now));
  PetscCall(ScoriaCostKeep(t->cost, true));
  t->saved = wall_seconds();
  PetscFunctionReturn(0);
}

/* After a step that is not the last: a checkpoint when it is time by rank 0's clock, or when the training is to stop.
 */
static PetscErrorCode Pause(Training *t, int64_t step, int skips)
{
  bool stop;
  int due = wall_seconds() - t->saved > t->every;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStopAsked(t->run, &stop));
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, t->comm));
  if (due || stop) PetscCall(Save(t, skips));
  if (!stop) PetscFunctionReturn(0);
  PetscCall(CloseCurve(t));
  PetscCall(
      ScoriaStopped(t->run, "the training is kept at step %lld of %lld", (long long)step, (long long)t->opt.steps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Loop(Training *t)
{
  const int64_t steps = t->opt.steps, every = PetscMax(steps / VALIDATIONS, 1), first = t->begin.step + 1;
  TrainStep last;
  char note[64] = "";
  int skips     = t->begin.skips;
  PetscFunctionBeginUser;
  t->loss  = t->begin.loss;
  t->saved = wall_seconds();
  t->start = t->saved - t->begin.seconds;
  for (int64_t step = first; step <= steps; step++) {
    PetscCall(OneStep(t, step, &skips, &last));
    if (step % every == 0 || step == steps) {
      PetscCall(Validate(t));
      PetscCall(Record(t, step, &last));
      snprintf(note, sizeof note, "loss %.4f, validation %.4f", t->loss, t->validation);
    } else if (step < first + every)
      snprintf(note, sizeof note, "loss %.4f", t->loss);
    PetscCall(ScoriaProgressUpdate(t->bar, (double)step, note));
    if (step < steps) PetscCall(Pause(t, step, skips));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode RunTraining(Training *t, const ScoriaNetSpec *spec)
{
  PetscFunctionBeginUser;
  PetscCall(TrainerCreate(t->comm, spec, &t->opt, &t->train, &t->trainer));
  PetscCall(ScoriaSay(t->run, "  network %s: %lld parameters, %.2f MFLOP per evaluation", spec->kind,
                      (long long)net_parameter_count(trainer_net(t->trainer)),
                      net_flops(trainer_net(t->trainer)) * 1e-6));
  t->data = checkpoint_data(&t->train, spec->r);
  if (t->begin.found) PetscCall(CheckpointApply(t->run, &t->begin, t->data, t->trainer));
  PetscCall(OpenCurve(t));
  PetscCall(ScoriaProgressCreate(t->run, "train", "steps", (double)t->opt.steps, &t->bar));
  PetscCall(ScoriaProgressFrom(t->bar, (double)t->begin.step));
  PetscCall(Loop(t));
  PetscCall(ScoriaProgressDestroy(&t->bar));
  PetscCall(CloseCurve(t));
  PetscCall(ScoriaSay(t->run, "  validation loss %.4f, %.4f for the Gaussian part alone", t->validation, t->baseline));
  PetscFunctionReturn(0);
}

/* Takes over the normaliser. */
static PetscErrorCode KeepModel(const Training *t, ScoriaDeck deck, ScoriaDataset ds, ScoriaNormaliser norm,
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
                             .steps      = t->opt.steps,
                             .seed       = t->opt.seed,
                             .loss       = t->loss,
                             .validation = t->validation,
                             .baseline   = t->baseline};
  train_channels(spec, &m->nchannels, channel);
  for (int c = 0; c < m->nchannels; c++) m->field[c] = spec->field[channel[c]];
  PetscCall(PetscMalloc1(spec->cells, &m->x));
  PetscCall(PetscArraycpy(m->x, x, spec->cells));
  PetscCall(PetscStrallocpy(text, &m->deck));
  PetscCall(ModelNetCreate(m));
  PetscCall(PetscArraycpy(net_parameters(m->net), trainer_average(t->trainer), net_parameter_count(m->net)));
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
  PetscCall(ScoriaDeckReal(deck, "run_checkpoint_minutes", &t.every));
  t.every *= 60;
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
  PetscCall(RunTraining(&t, &net));
  PetscCall(PetscFree(basis));
  net.basis = NULL;
  PetscCall(KeepModel(&t, deck, ds, norm, &net, model));
  PetscCall(ScoriaCostEnd(&t.cost));
  PetscCall(CheckpointDestroy(&t.begin));
  PetscCall(TrainerDestroy(&t.trainer));
  PetscCall(TrainDataDestroy(&t.train));
  PetscCall(TrainDataDestroy(&t.valid));
  PetscFunctionReturn(0);
}
