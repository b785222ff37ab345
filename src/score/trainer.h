/* The training loop from inside the room: works on whitened coordinates, knows nothing of files or normalisers. */
#ifndef SCORIA_SCORE_TRAINER_H
#define SCORIA_SCORE_TRAINER_H

#include "scoria/score.h"
#include "ema.h"
#include "net.h"
#include "optimiser.h"

/* Rows in memory: all of them on every rank, or rows [start[k], start[k + 1]) on rank k.  All members borrowed. */
typedef struct {
  int64_t rows;             /* of all ranks */
  const float *y;           /* (rows here, r) */
  const int32_t *condition; /* (rows here) row of u; NULL where d = 0 */
  const float *u;           /* (conditions, d) */
  const int64_t *start;     /* (ranks + 1), or NULL: all are here */
  /* A symmetry of the law, chosen by draw (4) in (0, 1), on a row y (r) of a training step; NULL: none is known. */
  void (*move)(void *ctx, const double draw[4], float y[]);
  void *ctx; /* of move */
} TrainData;

/* What is learned: the denoiser, from noisy rows; or, from the weights of that, what a sampler of the same name takes
 * few evaluations of (train_consistency.c, trainer_distil.c).  The numbers are those of checkpoints. */
typedef enum { TRAIN_DENOISER, TRAIN_CONSISTENCY, TRAIN_DISTILLED, TRAIN_KINDS } TrainKind;
extern const char *const train_kind_names[TRAIN_KINDS];

typedef struct {
  int64_t steps, batch; /* batch: rows of the global batch */
  int micro;            /* micro-batches; batch / micro rows each, rounded up, the last ones shorter */
  ScoriaProcess process;
  uint64_t seed;
  int64_t origin; /* steps before the first one, where it goes on from another training: keys of noise and shuffle */
  TrainKind kind;
  const float *share; /* (r) borrowed: of distillation, weights of the coordinates in the loss; NULL: all 1 */
  const float *worth; /* (r) borrowed: weights of the coordinates in TrainerGain, 1 on average; NULL: all 1 */
  double blur[SCORIA_MAX_CONDITIONS]; /* standard deviation of the noise on unit conditions in training, 0: none */
  OptimiserOptions adam;
} TrainOptions;

typedef struct {
  double loss; /* mean over batch and coordinates of |F - target|^2 */
  double rate, norm;
  bool skipped; /* the gradient was not finite on some rank */
} TrainStep;

typedef struct Trainer_ *Trainer;

/* Collective; the same arguments everywhere.  The network's weights are initialised from the seed. */
PetscErrorCode TrainerCreate(MPI_Comm comm, const ScoriaNetSpec *spec, const TrainOptions *opt, const TrainData *data,
                             Trainer *trainer);
PetscErrorCode TrainerDestroy(Trainer *trainer);
/* Before the first step of kind TRAIN_DISTILLED: weights (parameters) of the network `spec` whose flow is learned. */
PetscErrorCode TrainerTeach(Trainer trainer, const ScoriaNetSpec *spec, const float weights[]);
/* The next step.  Bits do not depend on the number of ranks. */
PetscErrorCode TrainerStep(Trainer trainer, TrainStep *result);
/* Loss of `weights` on `rows` rows of data, and the same for F = 0.  Rows, levels and noise are the same in every call
 * (rows of data are used again where there are fewer), so that two losses differ by far less than either is certain.
 * part (trainer_parts(rows); may be NULL): the loss in each of the parts whose mean it is, for their scatter. */
PetscErrorCode TrainerValidate(Trainer trainer, float weights[], const TrainData *data, int64_t rows, double *loss,
                               double *baseline, double part[]);
/* By how much `weights` lower the loss of the same rows below that of F = 0, and what it would have to be above to be
 * sure, from the scatter over distinct rows of the data or over their conditions, whichever asks for more: a row that
 * is used again with other noise, or another of the same condition, is not another one; of rows the chance is that of
 * their number, conditions, of which two are common, need differ by two standard errors only.  Coordinates count as
 * TrainOptions.worth says.  Collective. */
PetscErrorCode TrainerGain(Trainer trainer, float weights[], const TrainData *data, int64_t rows, double *gain,
                           double *sure);
/* That of a table (rows, 3) of them: gain, number of the row, number of its condition. */
PetscErrorCode TrainGainJudge(int64_t rows, const double table[], double *gain, double *sure);
/* Standard error of the mean of n gains of which those of a group depend on one another, and the number of groups; 0 of
 * one group.  Sorts. */
typedef struct {
  double group, gain;
} TrainGain;
double train_gain_error(int64_t n, TrainGain gain[], int64_t *groups);
/* In standard errors from so many rows: what a mean is above 0 by chance in one case of 40. */
double train_gain_chance(int64_t rows);
int64_t trainer_parts(Trainer trainer, int64_t rows);
/* The same parameters on every rank, or a defect. */
PetscErrorCode TrainerCheck(Trainer trainer);
ScoriaNet trainer_net(Trainer trainer);             /* borrowed: the weights of the last step */
float *trainer_average(Trainer trainer, int k);     /* borrowed: averaged weights, the k-th length */
EmaProfile trainer_profile(Trainer trainer, int k); /* of that average as it is now */

/* All that changes while it trains. */
#define TRAINER_VECTORS 5 /* weights, Adam's first and second moment, averaged weights of one or two lengths */
typedef struct {
  int64_t step, taken;            /* steps done; updates among them */
  int64_t count;                  /* parameters */
  int vectors;                    /* that there are */
  float *vector[TRAINER_VECTORS]; /* borrowed (count) each */
} TrainerState;
void trainer_state(Trainer trainer, TrainerState *state);
/* Sets the counters; the vectors are set through the state. */
void trainer_set(Trainer trainer, int64_t step, int64_t taken);

/* One noisy row at ln sigma: x = cos t y + sin t n, target = sin t y - cos t n, t = atan sigma; label = ln(sigma)/4.
 * These are c_in (y + sigma n) and (y - c_skip (y + sigma n)) / c_out of EDM with sigma_data = 1.  x holds n on entry.
 */
void train_noisy_row(int r, const float y[], double lnsigma, float x[], float target[], float *label);
/* Consistency tuning.  gap: 1 - s/t of step `step` of `steps`. */
double consistency_gap(int64_t step, int64_t steps);
/* ln sigma of an angle that is the share u of a right one. */
double consistency_level(double u);
/* The partner at s of a noisy row (x, target, label), and its label. */
void consistency_partner(int r, double gap, float label, const float x[], const float target[], float partner[],
                         float *partner_label);
/* The target of a noisy row becomes that of consistency; F: of the partner. */
void consistency_target(int r, double gap, float label, const float x[], const float F[], float target[]);
/* Inverse of the standard normal distribution function, p in (0, 1). */
double normal_quantile(double p);

#endif
