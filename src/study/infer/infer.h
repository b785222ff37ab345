/* Private to infer: readings, the posterior's particles, and what is told of them. */
#ifndef SCORIA_INFER_H
#define SCORIA_INFER_H

#include "scoria/study.h"

#define INFER_MAX_SENSORS 256
#define INFER_MAX_QUANTILES 32
#define INFER_TILE 128 /* particles evaluated at once: a tile of the network's */

/* One reading: the value of a field at a place, and the standard deviation of its noise, normal and of its own. */
typedef struct {
  char field[SCORIA_NAME_SIZE];
  double x, value, sd;
  int channel;
  ScoriaQuantity at; /* the field there */
} InferSensor;

typedef struct {
  int n;
  InferSensor s[INFER_MAX_SENSORS];
  char *text; /* owned: all of them, as they are kept in the file */
} InferSensors;

/* From sensors_at, _value, _sd, or from the lines of sensors_file; what they measure is not looked at yet.  Collective.
 */
PetscErrorCode InferSensorsRead(MPI_Comm comm, ScoriaDeck deck, InferSensors *sensors);
/* Finds the fields and the places. */
PetscErrorCode InferSensorsPlace(InferSensors *sensors, int channels, const ScoriaField field[], int cells,
                                 const double x[]);

enum { INFER_MEAN, INFER_SD, INFER_QUANTILES }; /* per column, then every quantile */
enum { INFER_PRIOR, INFER_POSTERIOR, INFER_SIDES };

typedef struct {
  MPI_Comm comm;
  ScoriaRun run;
  ScoriaDeck deck;
  ScoriaSource prior; /* borrowed */
  InferSensors sensors;
  ScoriaTempering particles; /* owned */
  int64_t count, keep;
  int dimension, modes; /* of a particle: the modes, then the unknown conditions */

  int channels, cells, m; /* m = channels * cells */
  const ScoriaField *field;
  const double *x;
  const ScoriaSpace *space;
  double theta[SCORIA_MAX_CONDITIONS]; /* of the known conditions */
  int nfree, free[SCORIA_MAX_CONDITIONS];
  int nquantities, condition[SCORIA_MAX_DECK_QUANTITIES];
  ScoriaQuantity quantity[SCORIA_MAX_DECK_QUANTITIES];
  int nprobabilities;
  double probability[INFER_MAX_QUANTILES];

  /* Columns of what is told: fields (m), quantities, sensors, unknown conditions. */
  int columns, at_quantities, at_sensors, at_free;
  double *told[INFER_SIDES];        /* owned (2 + nprobabilities, columns) */
  double *kept;                     /* owned (keep, columns): of the posterior, on every rank */
  double *fields, *thetas, *latent; /* owned: of a tile */

  ScoriaPace pace; /* rounds of tiles of every rank */
  int nstages;
  ScoriaTemperingStage *stage; /* owned */
  double log_evidence, log_evidence_se;
} Infer;

/* Columns (n, columns) of particles first + i at z (n, dimension), n <= INFER_TILE.  Local. */
PetscErrorCode InferColumns(Infer *f, int64_t first, int64_t n, const double z[], double rows[]);
/* ScoriaTemperingSpec.evaluate; ctx is an Infer.  All ranks meet between two rounds of tiles; fails as ScoriaStopped
 * where the run is to stop.  Collective. */
PetscErrorCode InferEvaluate(void *ctx, int64_t first, int64_t n, const double z[], double log_likelihood[]);
/* told[side] of the particles as they are, and, of the posterior, kept.  Collective. */
PetscErrorCode InferTell(Infer *f, int side);

/* Whether reading i is so far from what the prior expects that no noise explains it, and a line that says how far. */
#define INFER_LINE 320
bool infer_reading_is_far(const Infer *f, int i, char line[INFER_LINE]);
PetscErrorCode InferWriteStore(const Infer *f, const char *path);
PetscErrorCode InferWriteJson(const Infer *f, const char *path);
PetscErrorCode InferSayTable(const Infer *f);
/* Which of the unknown ones condition k is; -1: it is known. */
int infer_unknown(const Infer *f, int k);

#endif
