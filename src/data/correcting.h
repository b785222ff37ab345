/* Private to the correction of cheap rows: the two datasets, and how they belong together. */
#ifndef SCORIA_DATA_CORRECTING_H
#define SCORIA_DATA_CORRECTING_H

#include "making.h"
#include "scoria/bounds.h"
#include "scoria/correction.h"

#define CORRECTING_ROWS 64 /* of a condition that are read at a time, and give its mean and SD */

/* What is corrected of a field: with bounds their transform, with a reference that no row crosses ln|x - reference|. */
typedef struct {
  NormBounds bounds;
  double reference; /* or one of the bounds; NaN: none */
  double sign;      /* of x - reference, 0: values are corrected as they are */
} CorrectingValue;

typedef struct {
  ScoriaRun run;             /* borrowed, as are the next two */
  ScoriaDataset dear, cheap; /* dataset.h5, and the rows of the cheaper fidelity */
  const char *path;          /* of the latter, for messages */
  ScoriaDatasetSpec of_dear, of_cheap;
  int channels, dear_field[SCORIA_MAX_FIELDS], cheap_field[SCORIA_MAX_FIELDS];
  CorrectingValue value[SCORIA_MAX_FIELDS]; /* of the channels */
  int dear_eps, cheap_eps;                  /* fields of the porosity, -1: none */
  ScoriaHoldout holdout;                    /* owned: of dataset.h5 */
  int64_t conditions;                       /* of dataset.h5 */
  int64_t *match;         /* owned (conditions): the condition of the cheap rows that each is, -1: none */
  int64_t others, *other; /* owned (others): conditions that only the cheap rows have */
  double *unit;           /* owned (conditions + others, n): in [-1, 1] */
  int64_t realisations;   /* of a condition of corrected.h5 */
  uint64_t seed;
  bool pooled;           /* a condition has too few cheap rows for a spread of its own */
  double *m, *s;         /* owned (width): mean and SD of transformed cheap rows at condition `at`, or of all */
  int64_t at;            /* -1: of none */
  ScoriaRows some;       /* owned: scratch for rows of one condition, cheap ... */
  ScoriaRows few;        /* owned: ... and dear */
  double *row;           /* owned (3, width): scratch */
  double *work;          /* owned: scratch of correction_apply */
  ScoriaCorrection fit;  /* owned */
  int64_t pairs, paired; /* pairs that it learned from; conditions of dataset.h5 that the cheap rows have */
} Correcting;

/* Matches fields, cells and conditions, and chooses what is corrected of each field; what does not fit is a user error.
 * Collective. */
PetscErrorCode CorrectingOpen(ScoriaRun run, ScoriaDeck deck, ScoriaDataset dear, ScoriaDataset cheap, const char *path,
                              const ScoriaTwin *twin, Correcting *c);
/* Chooses c->value by all rows that are learned from or corrected.  Collective. */
PetscErrorCode CorrectingValues(Correcting *c, const ScoriaTwin *twin);
double correcting_value(const CorrectingValue *v, double x);
double correcting_value_back(const CorrectingValue *v, double y);
PetscErrorCode CorrectingClose(Correcting *c);
/* Reads pairs and fits.  Collective. */
PetscErrorCode CorrectingFit(Correcting *c);
/* Sets m and s for a condition of the cheap rows.  Local. */
PetscErrorCode CorrectingStandard(Correcting *c, int64_t condition);
/* Row i of rows to z (width): its transformed values, as m and s are of these. */
void correcting_standardise(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, double z[]);
bool correcting_held_back(const Correcting *c, int64_t condition, int64_t i); /* a row of dataset.h5 */

#endif
