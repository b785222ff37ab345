/* Private to infer: what is asked, the particles at work, and the answer. */
#ifndef SCORIA_INFER_H
#define SCORIA_INFER_H

#include "scoria/results.h"
#include "scoria/study.h"

#define INFER_MAX_SENSORS 256
#define INFER_MAX_QUANTILES 32
#define INFER_TILE 128 /* particles evaluated at once: a tile of the network's */

/* One reading: the value of a field at a place, and the standard deviation of its noise, normal and of its own. */
typedef struct {
  char field[SCORIA_NAME_SIZE];
  double x, value, sd;
  double y, z; /* of whole fields */
  int channel;
  ScoriaQuantity at; /* the field there */
  ScoriaPoint point; /* the same of whole fields */
} InferSensor;

typedef struct {
  int n;
  int places; /* numbers that tell a place: 1, of whole fields 2 or 3 */
  InferSensor s[INFER_MAX_SENSORS];
  char *text; /* owned: all of them, as they are kept in the file */
} InferSensors;

/* From sensors_at, _value, _sd, or from the lines of sensors_file; fields and places are not checked yet.  Collective.
 */
PetscErrorCode InferSensorsRead(MPI_Comm comm, ScoriaDeck deck, InferSensors *sensors);
/* "x", "x y", "x y z": the places of a reading. */
const char *infer_places(const InferSensors *sensors);
/* Finds the fields and the places; of whole fields, which are periodic along y and z, by their shape. */
PetscErrorCode InferSensorsPlaceWhole(InferSensors *sensors, const ScoriaFieldShape *shape);
PetscErrorCode InferSensorsPlace(InferSensors *sensors, int channels, const ScoriaField field[], int cells,
                                 const double x[]);

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
  int moves;
  uint64_t seed;
  bool strict; /* a reading that is far from what is expected is refused */
} InferQuestion;

/* Which of the unknown ones condition k is; -1: it is known. */
int infer_unknown(const InferQuestion *q, int k);

enum { INFER_MEAN, INFER_SD, INFER_QUANTILES }; /* per column, then every quantile */

/* Columns: fields (channels, cells), quantities, sensors, unknown conditions. */
typedef struct {
  int columns, at_quantities, at_sensors, at_unknown;
  double *statistics[SCORIA_POSTERIOR_SIDES]; /* owned (2 + nprobabilities, columns) */
  double *kept;                               /* owned (keep, columns): of the posterior, on every rank */
  int nstages;
  ScoriaTemperingStage *stage; /* owned */
  double log_evidence, log_evidence_se;
} InferAnswer;

PetscErrorCode InferAnswerCreate(const InferQuestion *q, InferAnswer *a);
PetscErrorCode InferAnswerDestroy(InferAnswer *a);
/* infer_temper.c: from the prior, a source with latents, to the posterior.  Collective. */
PetscErrorCode InferRun(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, InferAnswer *a);

/* infer_whole.c: the same of whole fields at known conditions, from a source that has scores (source_has_scores); a
 * user error where it takes more than run_memory, gigabytes.  Collective. */
PetscErrorCode InferRunWhole(ScoriaRun run, ScoriaSource prior, double gigabytes, const InferQuestion *q,
                             InferAnswer *a);
bool infer_whole(const InferQuestion *q);

/* How many stages of tempering seem to be left after n: temperatures rise by nearly equal factors; NaN after the first.
 */
double infer_stages_left(int n, const ScoriaTemperingStage stage[]);

/* Whether reading i is so far from what the prior expects that no noise explains it, and a line that says how far. */
#define INFER_LINE 320
bool infer_reading_is_far(const InferQuestion *q, const InferAnswer *a, int i, char line[INFER_LINE]);

/* Particles of latents and unknown conditions, and the fields of a tile of them. */
typedef struct {
  MPI_Comm comm;
  const InferQuestion *q; /* borrowed, as is the next */
  const InferAnswer *a;
  ScoriaSource prior;                                  /* borrowed */
  int modes, dimension;                                /* of a particle: the modes, then the unknown conditions */
  ScoriaPace pace;                                     /* rounds of tiles of every rank */
  double *fields, *thetas, *latent;                    /* owned: of a tile */
  ScoriaQuantity quantity[SCORIA_MAX_DECK_QUANTITIES]; /* at the condition of a row */
} InferParticles;

PetscErrorCode InferParticlesCreate(ScoriaRun run, ScoriaSource prior, const InferQuestion *q, const InferAnswer *a,
                                    InferParticles *p);
PetscErrorCode InferParticlesDestroy(InferParticles *p);
/* ScoriaTemperingSpec.evaluate; ctx is an InferParticles.  All ranks meet between two rounds of tiles; fails as
 * ScoriaStopped where the run is to stop.  Collective. */
PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[]);
/* Statistics of one side, of particles z (count, dimension), and of the posterior those that are kept, into a.
 * Collective. */
PetscErrorCode InferSummarise(InferParticles *p, int side, const double z[], InferAnswer *a);

/* infer_write.c; prior: the name of the source. */
PetscErrorCode InferWriteStore(MPI_Comm comm, const char *path, const char *deck, const char *prior,
                               const InferQuestion *q, const InferAnswer *a);
PetscErrorCode InferWriteJson(MPI_Comm comm, const char *path, const char *prior, const InferQuestion *q,
                              const InferAnswer *a);
PetscErrorCode InferSayTable(ScoriaRun run, const InferQuestion *q, const InferAnswer *a);

#endif
