/* scoria/score.h - the conditional score-based generative model: normaliser, networks, training, samplers.
 *
 * A sample of the law p(x | theta) of the fields x (C, L) is made in three steps: whitened coordinates y are drawn by a
 * diffusion sampler from the learned denoiser; the conditional normaliser maps y to the deviation of transformed fields
 * from their conditional mean; the inverse transform gives x.  The porosity is never seen.
 *
 * Method: EDM preconditioning and loss after Karras et al. (2022); FiLM after Perez et al. (2018). */
#ifndef SCORIA_SCORE_H
#define SCORIA_SCORE_H

#include "io.h"

extern const ScoriaKey scoria_score_keys[]; /* train_*, sample_* */

/* ------------------------------------------------------------------------------------- the deterministic twin ---- */

/* Baseline fields (C, cells along x) at theta, handed over by the command (the PDE at a homogeneous porosity); solve is
 * NULL for data that has no equations.  reference[c] is the value that channel c tends to (c_R for the concentration),
 * NaN where it has none: a channel with a reference whose sign of x - reference is constant over the data is modelled
 * as ln|x - reference|. */
typedef struct {
  PetscErrorCode (*solve)(void *ctx, const double theta[], double fields[]);
  /* Unit normals g (cells) behind the porosities (cells) of a row at theta, false where these have none; NULL: not
   * known.  Their moments over the rows are known, and rows are weighted to have them. */
  bool (*normals)(void *ctx, const double theta[], int64_t cells, const double eps[], double g[]);
  /* The ends of the channels at theta: near (C), which no row has values on both sides of, and far (C, cells along x),
   * which none comes up to, as far as is known; NaN: no such end.  NULL: not known. */
  PetscErrorCode (*ends)(void *ctx, const double theta[], double near[], double far[]);
  void *ctx; /* borrowed */
  double reference[SCORIA_MAX_FIELDS];
  bool bounded[SCORIA_MAX_FIELDS]; /* channels that stay inside an interval, one end of which may be infinite; where
                                    * x - reference keeps its sign, inside what the reference leaves of it */
  double bounds[SCORIA_MAX_FIELDS][2];
  bool derived[SCORIA_MAX_FIELDS]; /* channels that follow from the others and what is not modelled: they
                                    * weigh less in the choice of modes */
  bool leading[SCORIA_MAX_FIELDS]; /* the channel, if any, whose smooth part along y and z the waves of the others go by
                                    */
} ScoriaTwin;

/* ---------------------------------------------------------------------------------------------- normaliser ---- */

/* x (C, L)  ->  v = transform(x) - transform(twin)  ->  z = (w - m(u)) / s(u)  ->  a = V^T z (R modes)
 *           ->  b_k = a_k / D_k(u) - mu_k(u)  ->  y_k = (b_k - sum_{l<k} phi_kl(u) b_l) / d_k(u),
 * polynomials in the unit coordinates u of the varying conditions: m and mu of degree_mean, ln s, ln D and ln d of
 * degree_scale, phi of degree_scale but at most 2.  For Gaussian data y is N(0, I) at every theta.  The first r of the
 * R coordinates are what the network learns; the rest are left Gaussian.  w is v but in relative channels, whose level
 * varies much more than their shape: there w = (v_0, v_1 - v_0, ..., v_{L-1} - v_0).  Without whitening y = z, and all
 * of it that varies is learned. */
typedef struct ScoriaNormaliser_ *ScoriaNormaliser;

/* modes: r, all_modes: R; each may be NULL.  Local. */
PetscErrorCode ScoriaNormaliserSizes(ScoriaNormaliser norm, int *channels, int *cells, int *modes, int *all_modes);

/* Sets the condition that encode and decode work at: evaluates the twin and the polynomials.  Local. */
PetscErrorCode ScoriaNormaliserAt(ScoriaNormaliser norm, const ScoriaTwin *twin, const double theta[]);
/* fields (n, C, L) -> y (n, R).  A field outside the transform's domain gives NaN coordinates. */
void normaliser_encode(ScoriaNormaliser norm, int64_t n, const double fields[], double y[]);
/* y (n, R) -> fields (n, C, L). */
void normaliser_decode(ScoriaNormaliser norm, int64_t n, const double y[], double fields[]);

/* --------------------------------------------------------------------------------------------------- model ---- */

/* Normaliser, network weights (EMA) and process: all that sampling needs, besides the twin. */
typedef struct ScoriaModel_ *ScoriaModel;

typedef struct ScoriaProcessRow_ ScoriaProcessRow;

/* How noise was drawn in training, with EDM preconditioning in whitened coordinates (sigma_data = 1). */
typedef struct {
  double P_mean, P_std;        /* edm: ln sigma of training */
  const ScoriaProcessRow *row; /* NULL: edm */
} ScoriaProcess;

/* Rows of an imported dataset that no part of the training sees, for a verdict on the model: all rows of some
 * conditions, or, where there are too few conditions to spare any, some rows of every condition.  Both 0: none. */
typedef struct {
  int64_t conditions, realisations; /* of the dataset */
  int64_t number, *condition;       /* owned (number): the conditions, ascending */
  int64_t rows, *row;               /* owned (rows): of every condition instead, ascending from 0 */
  ScoriaShuffle order;              /* of the rows of a condition: those at the first `rows` places */
} ScoriaHoldout;
#define SCORIA_HOLDOUT_LEAST 20 /* usable rows of a verdict; where fewer could be held back, none are */

/* Rows of a condition of imported data: where most of those stored are marked as failed, since one condition has many
 * more than the others, their mean number. */
int64_t holdout_typical(const ScoriaDatasetSpec *spec, int64_t failed);
/* The held-back rows by condition: how many conditions have some, and of each how many; the row of the
 * dataset that is the i-th of the k-th condition. */
int64_t holdout_conditions(const ScoriaHoldout *holdout);
int64_t holdout_each(const ScoriaHoldout *holdout);
int64_t holdout_row(const ScoriaHoldout *holdout, int64_t k, int64_t i);

/* Where inside their ranges the conditions of a training lie (src/score/reach.c), in unit conditions (d). */
typedef struct {
  int d; /* conditions, all of them; 0: not known */
  double mean[SCORIA_MAX_CONDITIONS], covariance[SCORIA_MAX_CONDITIONS * SCORIA_MAX_CONDITIONS];
  double axis[SCORIA_MAX_CONDITIONS * SCORIA_MAX_CONDITIONS]; /* rows: axes of the covariance, over their spreads */
  double farthest; /* of the squared distances of these conditions from their mean, along these axes */
} ScoriaReach;
/* How many times as far from the mean of these conditions as their law goes, up to the corners of their ranges where
 * they fill these: above 1, unit conditions u are extrapolation, inside of all ranges too.  0 where it is not known. */
double reach_excess(const ScoriaReach *reach, const double u[]);

/* Those of a dataset as the deck's import_holdout says; none of a dataset that is not imported.  Collective. */
PetscErrorCode ScoriaHoldoutChoose(MPI_Comm comm, ScoriaDeck deck, ScoriaDataset ds, ScoriaHoldout *holdout);
PetscErrorCode ScoriaHoldoutDestroy(ScoriaHoldout *holdout);
bool holdout_has(const ScoriaHoldout *holdout, int64_t row);

/* Trains as the deck's train_* say, on ds, or on what rows of a cheaper fidelity have made of it (ScoriaCorrect; NULL:
 * nothing): more rows of its conditions, which come first, and none of those held back.  Conditions are split into
 * training and validation ones.  The result does not depend on the number of ranks, bit for bit, nor on how often it
 * was interrupted: train.ckpt in the run directory is resumed, or normaliser.ckpt before there is one; nor on whether
 * the weights for a sampler of few evaluations come at once or later (ScoriaModelUntuned).  ScoriaModelTrained is for
 * the caller to call once the model is safe. Progress and log go to run; model.h5 is not written here.  Collective on
 * the run's comm. */
PetscErrorCode ScoriaModelTrain(ScoriaRun run, ScoriaDeck deck, ScoriaDataset ds, ScoriaDataset corrected,
                                const ScoriaTwin *twin, ScoriaModel *model);
/* Whether the run directory has a model of this deck, but without the weights for a sampler of few evaluations that the
 * deck asks for (train_distilled_steps, train_consistency_steps): ScoriaModelTrain then learns only these.  Collective.
 */
PetscErrorCode ScoriaModelUntuned(ScoriaRun run, ScoriaDeck deck, bool *untuned);
/* Removes the checkpoints of a training.  Collective. */
PetscErrorCode ScoriaModelTrained(ScoriaRun run);
PetscErrorCode ScoriaModelDestroy(ScoriaModel *model);
PetscErrorCode ScoriaModelSave(ScoriaModel model, MPI_Comm comm, const char *path, const char *deck);
PetscErrorCode ScoriaModelLoad(MPI_Comm comm, const char *path, ScoriaModel *model);
PetscErrorCode ScoriaModelDeck(ScoriaModel model, const char **deck); /* resolved deck it was trained with, borrowed */
/* Of a model that was loaded: its identity, and those of the dataset it was trained on and of the structure that the
 * porosities there are crops of, "" where there is none, or the file is of an earlier version, which did not tell. */
const char *model_identity(ScoriaModel model);
const char *model_dataset(ScoriaModel model);
const char *model_library(ScoriaModel model);
/* Whether its conditional Gaussian is what is drawn, not the network: as training chose, or ScoriaModelChoose. */
bool model_is_gaussian(ScoriaModel model);
bool model_has_network(ScoriaModel model); /* one that has been trained (train_steps) */
/* The source that sample_source asks for, and the weights that the deck's other sample_* ask for: those for
 * sampler consistency or distilled, or the average of relative width sample_ema, where that is set, instead of the one
 * that train chose.  path: of the model, for messages.  Local. */
PetscErrorCode ScoriaModelChoose(ScoriaModel model, ScoriaDeck deck, const char *path);
const ScoriaHoldout *model_holdout(ScoriaModel model);     /* borrowed */
const ScoriaReach *model_reach(ScoriaModel model);         /* borrowed */
ScoriaNormaliser ScoriaModelNormaliser(ScoriaModel model); /* borrowed */
const ScoriaSpace *ScoriaModelSpace(ScoriaModel model);
bool ScoriaModelFloat64(ScoriaModel model); /* whether the fields that it was trained on were in double precision */
void model_shape(ScoriaModel model, int shape[3]); /* cells along x, y, z, as in ScoriaDatasetSpec */
/* Names and units of its channels, x (spec_centres of that shape). */
PetscErrorCode ScoriaModelFields(ScoriaModel model, int *nchannels, const ScoriaField **field, int *cells,
                                 const double **x);

/* --------------------------------------------------------------------------------------------------- samplers ---- */

/* E[y | y + sigma noise] for n rows: exact in tests, the network in use. */
typedef struct {
  int r;
  void *ctx;                                                                   /* borrowed */
  void (*denoise)(void *ctx, int n, const float x[], double sigma, float D[]); /* (n, r) */
} ScoriaDenoiser;

typedef struct {
  const char *kind; /* row of scoria_samplers */
  int steps;
  double sigma_max, sigma_min;
  double power; /* exponent of the angle grid t_i = t_max (1 - i/n)^p */
  uint64_t seed;
  bool bfloat16;                   /* the network's large products in bfloat16 */
  const ScoriaProcessRow *process; /* what pc, em, heun and dpmpp2m step along; NULL: the model's, edm without one */
  double snr;                      /* pc: signal-to-noise ratio of a corrector step */
  const float *noise;              /* (n, r) borrowed: the initial noise, standard normal; NULL: keyed by id */
} ScoriaSamplerOptions;

typedef struct {
  const char *name;
  const char *help;
  int order;       /* of the error in 1 / steps: of paths, of the law where stochastic; 0: for tuned networks */
  bool stochastic; /* draws noise at every step; where not, it follows the probability flow */
  int (*evaluations)(int steps); /* denoiser calls per sample */
  /* y (n, r) out; work (sampler_work_floats(n, r)); sample i's noise is keyed by id[i]. */
  void (*run)(const ScoriaSamplerOptions *opt, const ScoriaDenoiser *den, int n, const uint64_t id[], float work[],
              float y[]);
} ScoriaSamplerRow;

const ScoriaSamplerRow *sampler_find(const char *name); /* NULL: there is none */
bool sampler_is_tuned(const ScoriaSamplerRow *row);     /* it is for weights of its own, not for denoisers */

bool sampler_bfloat16_is_fast(void); /* whether this processor multiplies bfloat16 */

/* Reads sample_*.  */
PetscErrorCode ScoriaSamplerFromDeck(ScoriaDeck deck, ScoriaSamplerOptions *opt);

/* n fields (n, C, L) at theta, sample i keyed by id first_id + i: local, the same whatever n, tile or rank.  gaussian:
 * the conditional Gaussian of the normaliser alone, without the network (the baseline). */
PetscErrorCode ScoriaModelSample(ScoriaModel model, const ScoriaTwin *twin, const ScoriaSamplerOptions *opt,
                                 const double theta[], uint64_t first_id, int64_t n, bool gaussian, double fields[]);

/* ------------------------------------------------------------------------------------------------- likelihood ---- */

typedef struct {
  int steps;  /* of Runge and Kutta's method of order 4 */
  int probes; /* of Hutchinson's estimate of the trace; 0: the exact trace, r pulls */
  uint64_t seed;
  void (*passed)(void *to, double rows); /* NULL: none; told of work done, in rows, since it was called last */
  void *to;                              /* borrowed */
} ScoriaLikelihoodOptions;

/* Fields (n, C, L) that a deterministic sampler, or (gaussian) the conditional Gaussian, makes of latents (n, R): the
 * initial noise of the learned modes, then the Gaussian modes.  Latents that are N(0, I) give samples of the model.
 * theta: of every row (n, conditions) where `each`, else (conditions) of all.  Row i is number first + i of a list: its
 * bits do not depend on how the list is split.  Local. */
PetscErrorCode ScoriaModelTransport(ScoriaModel model, const ScoriaTwin *twin, const ScoriaSamplerOptions *opt,
                                    bool gaussian, int64_t first, int64_t n, bool each, const double theta[],
                                    const double latent[], double fields[]);

/* Of how many normal scores, which are linear in its latents, a value of the conditional Gaussian's fields is a
 * function; it increases with the first.  0: it is none. */
int model_scores_each(ScoriaModel model);
/* At theta: the scores of value cell[i] of a field (C, L) are mean (n, each) + weight (n, each, R) times the latents;
 * and at the theta of the last call the values of such scores (n, each).  Local. */
PetscErrorCode ScoriaModelScores(ScoriaModel model, const ScoriaTwin *twin, const double theta[], int n,
                                 const int cell[], double mean[], double weight[]);
void model_values(ScoriaModel model, int n, const int cell[], const double score[], double value[]);

/* Each (n), borrowed.  A field with no coordinates (outside the transform's domain) has density 0: -infinity. */
typedef struct {
  double *log_density; /* nats, of the R whitened coordinates y: learned ones by the flow, the others N(0, 1); NULL: not
                          wanted, as log_volume may be */
  double *gaussian;    /* the same under the conditional Gaussian, y ~ N(0, I) */
  double *log_volume;  /* ln sqrt(det(J^T J)), J = d fields / d y (C L, R), at the field that y decodes to */
} ScoriaLogDensity;

/* Densities of n rows of fields (n, C, L) at theta (n, conditions).  The model's fields lie on an R-dimensional surface
 * (R modes): log_density - log_volume is their density with respect to its surface measure in the fields' units; what a
 * row has beside the surface is not judged.  Row i is number first + i of a list, and keyed by id[i]: its bits do not
 * depend on how the list is split.  Local. */
PetscErrorCode ScoriaModelLogDensity(ScoriaModel model, const ScoriaTwin *twin, const ScoriaLikelihoodOptions *opt,
                                     int64_t first, int64_t n, const uint64_t id[], const double theta[],
                                     const double fields[], const ScoriaLogDensity *out);
/* Bytes that log_volume of a row takes. */
double model_volume_bytes(ScoriaModel model);

/* Sets log_learned in `space`, that of ds: which conditions take few values that are more even in their logarithm.
 * Collective. */
PetscErrorCode ScoriaSpaceLearned(MPI_Comm comm, ScoriaDataset ds, ScoriaSpace *space);

/* Which conditions of a dataset training leaves to validation, or are held back, each told by itself; and which rows of
 * the others, where conditions are few.  Reads train_validation.  holdout: of the model, borrowed. */
typedef struct {
  ScoriaShuffle shuffle; /* of the conditions: those at the first `places`, and those held back, are left out */
  int64_t places, left_out;
  const ScoriaHoldout *holdout;
  int64_t realisations; /* rows of a condition: at the places from `first` on, `rows` of each are left out */
  int64_t rows, first;
  ScoriaShuffle order;
} ScoriaSplit;
PetscErrorCode ScoriaTrainingSplit(ScoriaDeck deck, int64_t conditions, int64_t realisations,
                                   const ScoriaHoldout *holdout, ScoriaSplit *split);
bool split_leaves_out(const ScoriaSplit *split, int64_t condition);
bool split_learns(const ScoriaSplit *split, int64_t row); /* whether the model has learned from it */

#endif
