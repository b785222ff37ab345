/* Private to infer: what is asked, the particles at work, and the answer. */
#ifndef SCORIA_INFER_H
#define SCORIA_INFER_H

#include "scoria/results.h"
#include "scoria/study.h"

#define INFER_MAX_SENSORS 256
#define INFER_MAX_QUANTILES 32
#define INFER_TILE 128            /* particles evaluated at once: a tile of the network's */
#define INFER_PRIOR_READINGS 1024 /* draws of the prior whose readings are kept: spreads are then known to a tenth */
#define INFER_STAGES 3            /* of fields, expected before the first is known */
#define INFER_PILOT_TILES 8       /* of the summaries of both sides */

/* One reading: the value of a field at a place, and the standard deviation of its noise, normal and of its own. */
typedef struct {
  char field[SCORIA_NAME_SIZE];
  double x, value, sd;
  double y, z;    /* of whole fields */
  int places;     /* given of these; a field of one value needs none */
  bool with_unit; /* a unit of length stood behind a place */
  int channel;
  ScoriaQuantity at; /* the field there */
  ScoriaPoint point; /* the same of whole fields */
} InferSensor;

typedef struct {
  int n;
  int places;    /* numbers that tell a place: 1, of whole fields 2 or 3; 0, of imported fields: as each has axes */
  bool periodic; /* fields are, along y and z */
  InferSensor s[INFER_MAX_SENSORS];
  char *text; /* owned: all of them, as they are kept in the file */
} InferSensors;

/* From sensors_at, _value, _sd, or from the lines of sensors_file; fields and places are not checked yet.  Collective.
 */
PetscErrorCode InferSensorsRead(MPI_Comm comm, ScoriaDeck deck, InferSensors *sensors);
/* Attribute that has their text in files; a user error where a file, `path`, is made from others.  Collective. */
#define INFER_SENSORS "sensors"
PetscErrorCode InferSensorsCheck(const InferSensors *sensors, const char *path, ScoriaStore store);
/* The place of reading i along an axis; NAN: it has none. */
double infer_place(const InferSensors *sensors, int i, int axis);
/* What reading i is of, "c:4e-05:0.0001" with ":" as first and as between; the name alone where there is no place. */
void infer_sensor_text(const InferSensors *sensors, int i, const char *first, const char *between, size_t size,
                       char text[]);
/* Finds the fields and the places; of whole fields by the shape of each. */
PetscErrorCode InferSensorsPlaceWhole(InferSensors *sensors, const ScoriaFieldShape *shape);
PetscErrorCode InferSensorsPlace(InferSensors *sensors, const ScoriaFieldShape *shape);

/* What is asked. */
typedef struct {
  ScoriaFieldShape shape;
  InferSensors sensors;                         /* owned */
  double theta[SCORIA_MAX_CONDITIONS];          /* of the known conditions */
  int nunknown, unknown[SCORIA_MAX_CONDITIONS]; /* the others, by index */
  int nquantities, condition[SCORIA_MAX_DECK_QUANTITIES];
  ScoriaQuantity quantity[SCORIA_MAX_DECK_QUANTITIES];
  int nprobabilities;
  double probability[INFER_MAX_QUANTILES];
  int64_t count, keep; /* particles; of these, those that are written */
  const char *drawn;   /* borrowed: what the source's draws are called; NULL: fields */
  int moves;
  uint64_t seed;
  bool strict; /* a reading that is far from what is expected is refused */
  double far;  /* and in any case one that is so many standard deviations away; 0: none is */
} InferQuestion;

/* Which of the unknown ones condition k is; -1: it is known. */
int infer_unknown(const InferQuestion *q, int k);

enum { INFER_MEAN, INFER_SD, INFER_QUANTILES }; /* per column, then every quantile */

/* Columns: fields (channels, cells), quantities, sensors, unknown conditions. */
typedef struct {
  int columns, at_quantities, at_sensors, at_unknown;
  double *statistics[SCORIA_POSTERIOR_SIDES]; /* owned (2 + nprobabilities, columns) */
  double *kept;                               /* owned (keep, columns): of the posterior, on every rank */
  double spread[INFER_MAX_SENSORS];           /* SDs of the readings before, on the side where the reading lies */
  int nstages;
  ScoriaTemperingStage *stage; /* owned */
  double log_evidence, log_evidence_se;
  double forgotten; /* correlation of a stage up to which places count as forgotten */
} InferAnswer;

PetscErrorCode InferAnswerCreate(const InferQuestion *q, InferAnswer *a);
PetscErrorCode InferAnswerDestroy(InferAnswer *a);

/* infer_kept.c: where an inference that is stopped, or killed, keeps what it has done, beside its result. */
typedef struct {
  ScoriaRun run; /* borrowed, as are the next two */
  ScoriaDeck deck;
  const InferSensors *sensors;
  ScoriaMadeFrom made;
  const char *result;            /* borrowed: the name of the file that the answer is for */
  char name[PETSC_MAX_PATH_LEN]; /* of the checkpoint */
  double saved;                  /* [s] */
} InferKeeper;

PetscErrorCode InferKeeperCreate(ScoriaRun run, ScoriaDeck deck, const char *result, const InferSensors *sensors,
                                 InferKeeper *keeper);
/* A user error where a checkpoint, `path`, is of another model or of other readings.  Collective. */
PetscErrorCode InferCheckMade(const InferKeeper *keeper, const char *path, ScoriaStore store);
/* The checkpoint of a result that is complete goes: own: that this start has made.  Collective. */
PetscErrorCode InferForget(InferKeeper *keeper, bool own);

/* infer_whole_kept.c: how far the whole fields of particles are: tiles of the side at work that are done, and of an
 * earlier start, until they are taken, its sums. */
typedef struct {
  bool posterior;
  int64_t done, nsums, nextremes, *sums; /* sums, extremes: owned */
  double *extremes;
  int tile;
} InferFields;

/* What an earlier start has kept, if any; keeper NULL: nothing.  `at` comes with its tile.  Collective, as are the next
 * two. */
PetscErrorCode InferFieldsFind(InferKeeper *keeper, const InferQuestion *q, InferFields *at, InferAnswer *a);
/* Between two rounds of tiles: a checkpoint where it is time; fails as ScoriaStopped where the run is to stop, behind a
 * checkpoint.  Of a->kept every rank has what it has drawn; rank 0 has all after a checkpoint. */
PetscErrorCode InferFieldsMeet(InferKeeper *keeper, ScoriaPace *pace, const InferQuestion *q, const InferFields *at,
                               ScoriaSummary summary, InferAnswer *a);
PetscErrorCode InferFieldsForget(InferKeeper *keeper, bool own); /* as InferForget */
/* The sums of the earlier start to a summary over the same pilot.  Local. */
PetscErrorCode InferFieldsTake(InferFields *at, ScoriaSummary summary);

/* infer_temper.c: from the prior, a source with latents, to the posterior; keeper: NULL: keeps nothing.  Collective. */
PetscErrorCode InferRun(ScoriaRun run, InferKeeper *keeper, ScoriaSource prior, const InferQuestion *q, InferAnswer *a);

/* infer_whole.c: the same of whole fields; from a source that has scores (source_scores_each) at known conditions.  A
 * user error where it takes more than memory [byte].  Collective. */
PetscErrorCode InferRunWhole(ScoriaRun run, InferKeeper *keeper, ScoriaSource prior, double memory,
                             const InferQuestion *q, InferAnswer *a);
bool infer_whole(const InferQuestion *q); /* whether a field is a plane or a volume */
/* Numbers that tell a place among cells (nx, ny, nz): 1, 2 or 3. */
int infer_axes(const int cells[3]);
/* Those of the field that has most. */
int infer_most_axes(const ScoriaFieldShape *shape);

/* The largest correlation of a stage: of places before and after its moves. */
double infer_correlation(const InferAnswer *a);

/* Whether reading i is so far from what the prior expects that no noise explains it, and a line that says how far. */
#define INFER_LINE 320
bool infer_reading_is_far(const InferQuestion *q, const InferAnswer *a, int i, char line[INFER_LINE]);

/* infer_misfit.c.  Reading i less the posterior mean there, in units of noise and posterior SD together. */
double infer_residual(const InferQuestion *q, const InferAnswer *a, int i);
typedef struct {
  double squares;     /* sum of those of all residuals */
  double probability; /* of squares as large, at most, where the model is right */
} InferMisfit;
/* Whether the posterior is so far from the readings that nothing the model knows explains them, and a line that says
 * how far. */
bool infer_misfit(const InferQuestion *q, const InferAnswer *a, InferMisfit *misfit, char line[INFER_LINE]);

/* How far the work has come, and what is left of it as it seems (infer_progress.c). */
typedef enum { INFER_FIELDS, INFER_CONDITIONS, INFER_KINDS } InferKind; /* of rounds of tiles */
typedef struct {
  ScoriaProgress bar;                             /* owned */
  int64_t round;                                  /* particles of a round, of all ranks */
  double done[INFER_KINDS], seconds[INFER_KINDS]; /* rounds so far, and the time that they took */
  double later[INFER_KINDS];                      /* rounds expected after the call at work */
  double began;                                   /* [s] the round at work */
  char note[96];
} InferProgress;

PetscErrorCode InferProgressCreate(ScoriaRun run, const char *unit, InferProgress *w);
PetscErrorCode InferProgressDestroy(InferProgress *w);
/* Rounds that are expected after the next call of InferRounds; what is done now, in a few words. */
void infer_progress_expect(InferProgress *w, double fields, double conditions, const char *note);
/* Rounds that n particles take. */
double infer_progress_rounds(const InferProgress *w, int64_t n);
/* One more is made; `left` of the call at work. */
PetscErrorCode InferProgressRound(InferProgress *w, InferKind kind, int64_t left);

/* The law that tempering starts from (infer_reference.c). */
typedef struct InferReference_ *InferReference;

/* What of an inference is finished: the prior's statistics, the surrogate, the unknown conditions. */
typedef enum { INFER_NOTHING, INFER_PRIOR, INFER_SURROGATE, INFER_CONDITIONED } InferDone;

/* Particles of latents and unknown conditions, and the fields of a tile of them. */
typedef struct InferParticles_ InferParticles;
struct InferParticles_ {
  MPI_Comm comm;
  const InferQuestion *q; /* borrowed, as are the next three */
  InferAnswer *a;
  InferKeeper *keeper; /* NULL: nothing is kept */
  ScoriaSource prior;
  InferDone done;
  ScoriaTempering tempering; /* owned: of the conditions, or of the fields where those are done; NULL: none yet */
  InferReference reference;  /* owned; NULL: particles are latents and conditions themselves */
  int modes, dimension;      /* latents; of a particle, whose last are unknown conditions */
  ScoriaPace pace;           /* rounds of tiles of every rank */
  InferProgress progress;    /* owned */
  ScoriaTempering at_work;   /* borrowed; NULL: none */
  int stages_left;           /* of it after the one at work, as it seems; -1: not known */
  double last;               /* rounds of fields that are certain to come after all tempering */
  double *readings;          /* owned (nreadings, sensors): what the first draws of the prior read */
  int64_t nreadings;
  double *fields, *thetas, *latent;                    /* owned: of a tile */
  double *evidence, *likely;                           /* owned: of a tile, by the reference */
  ScoriaQuantity quantity[SCORIA_MAX_DECK_QUANTITIES]; /* at the condition of a row */
  /* Between two rounds of tiles, the first of a call of InferRounds where it `begins`: a checkpoint where it is time;
   * fails as ScoriaStopped where the run is to stop, behind a checkpoint.  Collective. */
  PetscErrorCode (*meet)(InferParticles *p, bool begins);
};

PetscErrorCode InferParticlesCreate(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, InferAnswer *a,
                                    InferParticles *p);
PetscErrorCode InferParticlesDestroy(InferParticles *p);
/* A tempering of the unknown conditions or of fields; empty: to be filled.  Collective. */
PetscErrorCode InferTemperingCreate(InferParticles *p, bool fields, ScoriaTempering from, bool empty,
                                    ScoriaTempering *t);
/* infer_kept.c: what an earlier start has kept, if any; p keeps what it does from here on, but for keeper NULL.
 * Collective. */
PetscErrorCode InferKept(InferKeeper *keeper, InferParticles *p);
/* All conditions (n), those unknown being x in (-1, 1). */
void infer_take_theta(const InferQuestion *q, const double x[], double theta[]);
/* p->fields (n, m) of p->latent at p->thetas.  Local. */
PetscErrorCode InferTransport(InferParticles *p, int64_t first, int64_t n);
/* Draws of the source that fitting the reference takes. */
int64_t infer_reference_draws(const InferQuestion *q, int modes);
/* What every sensor would read (sensors), without noise. */
void infer_readings(const InferQuestion *q, const double fields[], double reading[]);
/* This rank's tiles of n items, which on another are `most` tiles at most; all ranks meet between two rounds of tiles
 * (p->meet), and what fails on one fails on all.  Collective. */
typedef PetscErrorCode (*InferTile)(InferParticles *p, int64_t start, int64_t part, void *ctx);
PetscErrorCode InferRounds(InferParticles *p, InferKind kind, int64_t n, int64_t most, InferTile tile, void *ctx);
/* This rank's part of items that are dealt to the ranks by whole tiles: n from first on (none: n <= 0); `most` tiles at
 * most on any rank.  Local. */
typedef struct {
  int64_t first, n, most;
} InferShare;
PetscErrorCode InferShareOf(const InferParticles *p, int64_t count, InferShare *share);
/* ScoriaTemperingSpec.evaluate; ctx is an InferParticles with a reference.  All ranks meet between two rounds of tiles;
 * fails as ScoriaStopped where the run is to stop.  Collective.
 * InferEvaluateConditions: of particles that are unknown conditions alone, the likelihood of the reference. */
PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                             double log_base[]);
PetscErrorCode InferEvaluateConditions(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[],
                                       double log_base[]);
/* What the sensors read, readings (n, sensors) on every rank, of n fields that `probe` says the latents of, and the
 * unknown conditions in (-1, 1).  Stops as InferEvaluate.  Collective. */
PetscErrorCode InferProbe(InferParticles *p, int64_t n,
                          void (*probe)(void *ctx, int64_t i, double latent[], double x[]), void *ctx,
                          double readings[]);

/* Draw i of the prior: latents (modes), and the unknown conditions as normals u. */
void infer_prior_draw(const InferQuestion *q, int modes, int64_t i, double latent[], double u[]);
/* Conditions are uniform beforehand, logarithmic ones in the logarithm: x = 2 Phi(u) - 1 of n normals. */
void infer_unit(int n, const double u[], double x[]);

/* Fits the reference to the source, p->prior.  Collective. */
PetscErrorCode InferReferenceCreate(const InferParticles *p, InferReference *reference); /* local, not fitted */
PetscErrorCode InferReferenceFit(InferParticles *p, InferReference reference);
PetscErrorCode InferReferenceDestroy(InferReference *reference);
/* What the fit has found, as ScoriaTemperingPieces. */
PetscErrorCode InferReferencePieces(InferReference reference, ScoriaPiece piece, void *ctx);
int infer_reference_dimension(const InferReference reference); /* of a particle */
/* ln of the density of the readings at the unknown conditions u (n, nunknown), normals. */
void infer_reference_conditions(InferReference reference, int64_t n, const double u[], double log_evidence[]);
/* Of particles z (n, dimension): latents (n, modes); that density at their conditions, and the density of the readings
 * given the latents, by the reference; either may be NULL. */
void infer_reference_particles(InferReference reference, int64_t n, const double z[], double latent[],
                               double log_evidence[], double log_likelihood[]);
/* Statistics of one side, of particles z (count, dimension), and of the posterior those that are kept, into a; of the
 * prior the readings of the first draws, into p->readings.  Collective. */
PetscErrorCode InferSummarise(InferParticles *p, int side, const double z[], InferAnswer *a);

/* infer_write.c; prior: the name of the source. */
PetscErrorCode InferWriteStore(MPI_Comm comm, const char *path, const char *deck, const char *prior,
                               const InferQuestion *q, const InferAnswer *a);
PetscErrorCode InferWriteJson(MPI_Comm comm, const char *path, const char *prior, const InferQuestion *q,
                              const InferAnswer *a);
PetscErrorCode InferSayTable(ScoriaRun run, const InferQuestion *q, const InferAnswer *a);

#endif
