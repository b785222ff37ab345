/* The loop of a training: steps, evaluations on the rows left out, checkpoints, and the choice of the average. */
#include "training.h"
#include "scoria/phases.h"
#include "train_data.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define VALIDATIONS 50        /* in a training */
#define VALIDATION_LEAST 2048 /* rows: with fewer, rows are used again with other noise */
#define VALIDATION_MOST 8192  /* rows */
#define SKIPS_ALLOWED 20      /* steps in a row whose gradient is not finite */
#define LEAST_GAIN 1e-3       /* in the loss: .0003 to .0008 for Gaussian laws of 5000 rows, .02 for two peaks */
#define WIDTHS 5              /* of the average, tried from the one length to the other */

/* On rows left out; where there are none, on rows that were learned, which then only shows the loss without
 * noise. */
static const TrainData *validation_data(const Training *t)
{
  return t->valid.rows > 0 ? &t->valid : &t->train;
}

static int64_t validation_rows(const Training *t)
{
  return PetscClipInterval(validation_data(t)->rows, VALIDATION_LEAST, VALIDATION_MOST);
}

static bool is_tuning(const Training *t)
{
  return t->opt.kind != TRAIN_DENOISER;
}

/* Of the first average; decides whether it is kept.  The loss of consistency tuning follows its schedule and says
 * nothing, that of distillation is of rows that are new in every step: there the average of the end is taken. */
static PetscErrorCode Evaluate(Training *t, int64_t step)
{
  PetscFunctionBeginUser;
  if (is_tuning(t)) {
    PetscCall(TrainerCheck(t->trainer));
    PetscFunctionReturn(0);
  }
  PetscCall(TrainerValidate(t->trainer, trainer_average(t->trainer, 0), validation_data(t), validation_rows(t),
                            &t->validation, &t->baseline, t->part));
  PetscCall(TrainerCheck(t->trainer));
  kept_offer(&t->kept, t->trainer, step, t->validation, t->part);
  PetscFunctionReturn(0);
}

/* One point of the curve of the tuning, in log.jsonl and consistency.jsonl or distilled.jsonl. */
static PetscErrorCode RecordTuning(Training *t, int64_t step, const TrainStep *last)
{
  char body[256] = "";
  PetscFunctionBeginUser;
  json_member(sizeof body, body, TRAIN_STEP, "%lld", (long long)step);
  json_member(sizeof body, body, TRAIN_LOSS, "%.8g", t->loss);
  if (t->opt.kind == TRAIN_CONSISTENCY)
    json_member(sizeof body, body, "gap", "%.6g", consistency_gap(step - 1, t->opt.steps));
  json_member(sizeof body, body, TRAIN_RATE, "%.6g", last->rate);
  json_member(sizeof body, body, "norm", "%.6g", last->norm);
  json_member(sizeof body, body, TRAIN_SECONDS, "%.3f", wall_seconds() - t->start);
  PetscCall(ScoriaLog(t->run, train_kind_names[t->opt.kind], "%s", body));
  curve_add(&t->curve, body);
  PetscFunctionReturn(0);
}

/* One point of the training curve, in log.jsonl and train.jsonl. */
static PetscErrorCode Record(Training *t, int64_t step, const TrainStep *last)
{
  const double seconds = wall_seconds() - t->start;
  char body[512]       = "";
  PetscFunctionBeginUser;
  json_member(sizeof body, body, TRAIN_STEP, "%lld", (long long)step);
  json_member(sizeof body, body, TRAIN_LOSS, "%.8g", t->loss);
  json_member(sizeof body, body, TRAIN_VALIDATION, "%.8g", t->validation);
  json_member(sizeof body, body, TRAIN_BASELINE, "%.8g", t->baseline);
  json_member(sizeof body, body, "excess", "%.8g", t->validation - t->baseline);
  json_member(sizeof body, body, TRAIN_RATE, "%.6g", last->rate);
  json_member(sizeof body, body, "norm", "%.6g", last->norm);
  json_member(sizeof body, body, TRAIN_SECONDS, "%.3f", seconds);
  json_member(sizeof body, body, "samples_per_second", "%.1f", (double)(step * t->opt.batch) / PetscMax(seconds, 1e-9));
  PetscCall(ScoriaLog(t->run, "train", "%s", body));
  curve_add(&t->curve, body);
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
  const Checkpoint now = {.tuning     = t->opt.kind,
                          .skips      = skips,
                          .lengthened = t->lengthened,
                          .blurred    = t->blurred,
                          .loss       = t->loss,
                          .seconds    = wall_seconds() - t->start,
                          .data       = t->data};
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_CHECKPOINT);
  PetscCall(CheckpointSave(t->run, t->deck, t->norm, t->trainer, &t->kept, &now));
  phase_end(SCORIA_PHASE_CHECKPOINT, 0);
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
  PetscCall(CurveClose(&t->curve));
  PetscCall(
      ScoriaStopped(t->run, "the training is kept at step %lld of %lld", (long long)step, (long long)t->opt.steps));
  PetscFunctionReturn(0);
}

static void progress_note(const Training *t, bool validated, size_t size, char note[])
{
  if (validated)
    snprintf(note, size, "loss %.4f, validation %.4f", t->loss, t->validation);
  else
    snprintf(note, size, "loss %.4f", t->loss);
}

/* Also of a checkpoint, where it is that of the end. */
static bool out_of_patience(const Training *t)
{
  return !is_tuning(t) && t->patience > 0 && t->kept.waited >= t->patience;
}

static PetscErrorCode Loop(Training *t)
{
  const int64_t steps = t->opt.steps, every = PetscMax(steps / VALIDATIONS, 1), first = t->begin.step + 1;
  TrainStep last;
  char note[64] = "";
  int skips     = t->begin.skips;
  bool over     = out_of_patience(t);
  PetscFunctionBeginUser;
  t->loss  = t->begin.loss;
  t->saved = wall_seconds();
  t->start = t->saved - t->begin.seconds;
  for (int64_t step = first; step <= steps && !over; step++) {
    PetscCall(OneStep(t, step, &skips, &last));
    if (step % every == 0 || step == steps) {
      PetscCall(Evaluate(t, step));
      PetscCall(is_tuning(t) ? RecordTuning(t, step, &last) : Record(t, step, &last));
      progress_note(t, !is_tuning(t), sizeof note, note);
      over = out_of_patience(t);
    } else if (step < first + every)
      progress_note(t, false, sizeof note, note);
    if (!is_tuning(t)) {
      kept_snapshot(&t->kept, t->trainer, step, steps);
      t->kept.ended = step;
    }
    PetscCall(ScoriaProgressUpdate(t->bar, (double)step, note));
    if (step < steps && !over)
      PetscCall(Pause(t, step, skips));
    else if (t->calibrates)
      PetscCall(Save(t, skips));
  }
  PetscFunctionReturn(0);
}

/* Validation loss of the average of a width at the kept step, into weights (count); error: of its profile.  In t->part
 * its parts. */
static PetscErrorCode Try(Training *t, double width, float weights[], double *error, double *loss)
{
  PetscFunctionBeginUser;
  *error = ema_rebuild(&t->kept.set, width, weights);
  PetscCall(TrainerValidate(t->trainer, weights, validation_data(t), validation_rows(t), loss, &t->baseline, t->part));
  PetscFunctionReturn(0);
}

/* Whether the loss with `weights` is not below that of the Gaussian alone, beyond the noise of the rows drawn and
 * beyond what the best of many evaluations is below it for laws that are Gaussian; unknown where nothing was left out.
 * gain: how much it is below, and what that would have to be. */
static PetscErrorCode AddsNothing(Training *t, float weights[], double gain[2], bool *nothing)
{
  PetscFunctionBeginUser;
  gain[0] = gain[1] = 0;
  *nothing          = false;
  if (!t->valid.rows) PetscFunctionReturn(0);
  PetscCall(TrainerGain(t->trainer, weights, &t->valid, validation_rows(t), &gain[0], &gain[1]));
  gain[1]  = fmax(gain[1], LEAST_GAIN);
  *nothing = gain[0] < gain[1];
  PetscFunctionReturn(0);
}

/* With two lengths, the best of a few widths between them; with one, that.  The table goes into train.jsonl. */
static PetscErrorCode Choose(Training *t)
{
  const double *ema = t->opt.adam.ema;
  const int widths  = t->kept.lengths > 1 ? WIDTHS : 1;
  char body[1024] = "", averages[640] = "";
  double best = 0, gain[2] = {0};
  float *weights;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(t->kept.set.count, &weights));
  json_member(sizeof body, body, TRAIN_STEP, "%lld", (long long)t->kept.ended);
  json_member(sizeof body, body, TRAIN_KEPT_STEP, "%lld", (long long)t->kept.step);
  int used = 0;
  for (int i = 0; i < widths; i++) {
    const double width = i == 0            ? ema[0]
                         : i == widths - 1 ? ema[1]
                                           : ema[0] * pow(ema[1] / ema[0], (double)i / (widths - 1));
    double error, loss;
    PetscCall(Try(t, width, weights, &error, &loss));
    used += snprintf(averages + used, sizeof averages - (size_t)used,
                     "%s{\"width\":%.6g,\"profile_error\":%.3g,\"validation\":%.8g}", i ? "," : "", width, error, loss);
    if (i > 0 && !(loss < best)) continue;
    best          = loss;
    t->kept.width = width;
    PetscCall(AddsNothing(t, weights, gain, &t->kept.gaussian));
  }
  json_member(sizeof body, body, "averages", "[%s]", averages);
  json_member(sizeof body, body, TRAIN_WIDTH, "%.6g", t->kept.width);
  json_member(sizeof body, body, TRAIN_KEPT_LOSS, "%.8g", best);
  json_member(sizeof body, body, "kept_baseline", "%.8g", t->baseline);
  json_member(sizeof body, body, "gain", "%.6g", gain[0]);
  json_member(sizeof body, body, "least_gain", "%.6g", gain[1]);
  json_member(sizeof body, body, "adopted", "\"%s\"", t->kept.gaussian ? "gaussian" : "network");
  json_member(sizeof body, body, TRAIN_LENGTHENED, "%lld", (long long)t->lengthened);
  t->kept.loss       = best;
  t->kept.train_loss = t->loss;
  t->kept.baseline   = t->baseline;
  PetscCall(ScoriaLog(t->run, LOG_KEPT, "%s", body));
  curve_add(&t->curve, body);
  PetscCall(PetscFree(weights));
  PetscFunctionReturn(0);
}

static PetscErrorCode Say(Training *t)
{
  PetscFunctionBeginUser;
  if (t->kept.ended < t->opt.steps)
    PetscCall(ScoriaSay(t->run, "  ended at step %lld: %lld evaluations without improvement (train_patience)",
                        (long long)t->kept.ended, (long long)t->kept.waited));
  if (t->kept.step < t->kept.ended)
    PetscCall(ScoriaSay(t->run, "  the model is that of step %lld, whose validation loss is the lowest",
                        (long long)t->kept.step));
  if (t->kept.lengths > 1)
    PetscCall(ScoriaSay(t->run, "  average of relative width %.3g, chosen by validation", t->kept.width));
  PetscCall(ScoriaSay(t->run, "  %s loss %.4f, %.4f for the Gaussian part alone",
                      t->valid.rows ? "validation" : "training", t->kept.loss, t->kept.baseline));
  if (!t->valid.rows)
    PetscCall(ScoriaSay(t->run, "  WARNING: too few rows to leave some out for validation: whether the network has "
                                "learned the rows by heart is not known; -sample_source gaussian draws without it"));
  if (t->kept.gaussian)
    PetscCall(ScoriaSay(t->run, "  the network adds nothing to the Gaussian where it shows, beyond chance, on the rows "
                                "left out: the Gaussian is "
                                "what is sampled (sample_source)"));
  PetscFunctionReturn(0);
}

/* Trainer and what is kept, at the beginning. */
static PetscErrorCode Begin(Training *t, const ScoriaNetSpec *spec)
{
  PetscFunctionBeginUser;
  PetscCall(TrainerCreate(t->comm, spec, &t->opt, &t->train, &t->trainer));
  PetscCall(ScoriaSay(t->run, "  network %s: %lld parameters, %.2f MFLOP per evaluation", spec->kind,
                      (long long)net_parameter_count(trainer_net(t->trainer)),
                      net_flops(trainer_net(t->trainer)) * 1e-6));
  PetscCall(KeptCreate(t->opt.adam.ema[1] > 0 ? 2 : 1, t->keep_last || t->valid.rows == 0,
                       net_parameter_count(trainer_net(t->trainer)), trainer_parts(t->trainer, validation_rows(t)),
                       &t->kept));
  PetscCall(PetscMalloc1(t->kept.parts, &t->part));
  PetscCall(TrainDataDigest(t->comm, &t->train, spec->r, spec->d, &t->data));
  PetscFunctionReturn(0);
}

/* Weights that are the model, into weights (parameters). */
static void adopted(const Training *t, float weights[])
{
  (void)ema_rebuild(&t->kept.set, t->kept.width, weights);
}

static PetscErrorCode Teach(Training *t, const ScoriaNetSpec *spec)
{
  float *weights;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(t->kept.set.count, &weights));
  adopted(t, weights);
  PetscCall(TrainerTeach(t->trainer, spec, weights));
  PetscCall(PetscFree(weights));
  PetscFunctionReturn(0);
}

/* Steps of the trainer at hand, from the beginning or from the checkpoint, and their curve. */
static PetscErrorCode Run(Training *t, const ScoriaNetSpec *spec, const char *name, const char *curve)
{
  PetscFunctionBeginUser;
  if (t->begin.found) PetscCall(CheckpointApply(t->run, &t->begin, t->data, t->trainer, &t->kept));
  if (t->opt.kind == TRAIN_DISTILLED) PetscCall(Teach(t, spec));
  PetscCall(CurveOpen(t->run, curve, t->begin.step, &t->curve));
  PetscCall(ScoriaProgressCreate(t->run, name, "steps", (double)t->opt.steps, &t->bar));
  PetscCall(ScoriaProgressFrom(t->bar, (double)t->begin.step));
  PetscCall(Loop(t));
  PetscCall(ScoriaProgressDestroy(&t->bar));
  PetscFunctionReturn(0);
}

/* From the weights of the model; the average of the first length is what is tuned. */
static PetscErrorCode Tune(Training *t, const ScoriaNetSpec *spec)
{
  const TrainOptions before = t->opt;
  char curve[32];
  PetscFunctionBeginUser;
  snprintf(curve, sizeof curve, "%s.jsonl", train_kind_names[t->tuning]);
  PetscCall(TrainerDestroy(&t->trainer));
  t->opt.kind        = t->tuning;
  t->opt.origin      = before.steps;
  t->opt.steps       = t->tuning_steps;
  t->opt.adam.rate   = t->tuning_rate;
  t->opt.share       = t->share;
  t->opt.adam.ema[1] = 0;
  PetscCall(TrainerCreate(t->comm, spec, &t->opt, &t->train, &t->trainer));
  if (!t->begin.found) adopted(t, net_parameters(trainer_net(t->trainer)));
  PetscCall(Run(t, spec, "tune", curve));
  PetscCall(CurveClose(&t->curve));
  PetscCall(PetscMalloc1(t->kept.set.count, &t->tuned));
  PetscCall(PetscArraycpy(t->tuned, trainer_average(t->trainer, 0), t->kept.set.count));
  t->opt = before;
  PetscFunctionReturn(0);
}

PetscErrorCode TrainingRun(Training *t, const ScoriaNetSpec *spec)
{
  PetscFunctionBeginUser;
  t->lengthened = t->begin.lengthened;
  t->blurred    = !t->begin.found || t->begin.blurred;
  if (!t->blurred) memset(t->opt.blur, 0, sizeof t->opt.blur); /* as it was begun */
  PetscCall(Begin(t, spec));
  if (t->from)
    PetscCall(TunedKept(t));
  else if (!t->begin.tuning) {
    PetscCall(Run(t, spec, "train", TRAIN_FILE));
    PetscCall(Choose(t));
    PetscCall(CurveClose(&t->curve));
    PetscCall(Say(t));
    PetscCall(CheckpointDestroy(&t->begin));
  }
  if (t->tuning != TRAIN_DENOISER) PetscCall(Tune(t, spec));
  PetscCall(TrainerDestroy(&t->trainer));
  PetscCall(PetscFree(t->part));
  PetscCall(PetscFree(t->share));
  PetscFunctionReturn(0);
}
