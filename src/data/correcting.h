/* Private to the correction of cheap rows: the two datasets, and how they belong together. */
#ifndef SCORIA_DATA_CORRECTING_H
#define SCORIA_DATA_CORRECTING_H

#include "making.h"
#include "score/correction.h"

typedef struct {
  ScoriaRun run;             /* borrowed, as are the next two */
  ScoriaDataset dear, cheap; /* dataset.h5, and the rows of the cheaper fidelity */
  const char *path;          /* of the latter, for messages */
  ScoriaDatasetSpec of_dear, of_cheap;
  int channels, dear_field[SCORIA_MAX_FIELDS], cheap_field[SCORIA_MAX_FIELDS];
  int dear_eps, cheap_eps; /* fields of the porosity, -1: none */
  ScoriaHoldout holdout;   /* owned: of dataset.h5 */
  int64_t conditions;      /* of dataset.h5 */
  int64_t *match;          /* owned (conditions): the condition of the cheap rows that each is, -1: none */
  int64_t others, *other;  /* owned (others): conditions that only the cheap rows have */
  double *unit;            /* owned (conditions + others, n): in [-1, 1] */
  int64_t realisations;    /* of a condition of corrected.h5 */
  uint64_t seed;
  bool pooled;           /* a condition has too few cheap rows for a spread of its own */
  double *m, *s;         /* owned (width): mean and SD of the cheap rows at condition `at`, or of all */
  int64_t at;            /* -1: of none */
  ScoriaRows some;       /* owned: scratch for rows of one condition, cheap ... */
  ScoriaRows few;        /* owned: ... and dear */
  double *row;           /* owned (3, width): scratch */
  double *work;          /* owned: scratch of correction_apply */
  Correction fit;        /* owned */
  int64_t pairs, paired; /* pairs that it learned from; conditions of dataset.h5 that the cheap rows have */
} Correcting;

/* Matches fields, cells and conditions; what does not fit is a user error.  Collective. */
PetscErrorCode CorrectingOpen(ScoriaRun run, ScoriaDeck deck, ScoriaDataset dear, ScoriaDataset cheap, const char *path,
                              Correcting *c);
PetscErrorCode CorrectingClose(Correcting *c);
/* Reads pairs and fits.  Collective. */
PetscErrorCode CorrectingFit(Correcting *c);
/* Sets m and s for a condition of the cheap rows.  Local. */
PetscErrorCode CorrectingStandard(Correcting *c, int64_t condition);
/* Row i of rows to z (width), as m and s are. */
void correcting_standardise(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, double z[]);
bool correcting_held_back(const Correcting *c, int64_t condition, int64_t i); /* a row of dataset.h5 */

#endif
