/* Normal equations of the terms of every class of wave numbers, by folds of the conditions, and the choice of terms. */
#ifndef SCORIA_SCORE_CORRECTION_EQUATIONS_H
#define SCORIA_SCORE_CORRECTION_EQUATIONS_H

#include "correction.h"

#define EQUATIONS_FOLDS (CORRECTION_FOLDS / 2) /* each takes as much memory as all pairs */

/* Terms of class k, in this order: polynomials, of the lateral mean (k = 0) alone; M modes; these times d conditions.
 */
typedef struct {
  const Waves *waves;   /* borrowed */
  const NormPoly *poly; /* borrowed */
  int E, d, M;
  int64_t n;                          /* pairs */
  double *sums;                       /* owned (folds, and all together; all) */
  size_t *at, all;                    /* owned (classes): where those of a class begin; of all classes */
  double *G, *B, *GB, *error, *least; /* owned: of a choice; of the best (E) */
  int *list;                          /* owned: terms of a choice */
} CorrectionEquations;

typedef struct {
  int degree, modes; /* degree -1: no polynomial */
  bool crossed;
} CorrectionTerms;

/* Of at most `modes` modes: of fewer where the sums would take too much memory. */
PetscErrorCode CorrectionEquationsCreate(const Waves *waves, const NormPoly *poly, int E, int d, int modes,
                                         CorrectionEquations *q);
PetscErrorCode CorrectionEquationsDestroy(CorrectionEquations *q);
int correction_equations_terms(const CorrectionEquations *q, int k);
/* A pair at a condition of a fold: terms X (coordinates, terms) and y (coordinates, E) of class k. */
void correction_equations_add(CorrectionEquations *q, int fold, int k, const double X[], const double y[]);
/* After the last of n pairs. */
void correction_equations_close(CorrectionEquations *q, int64_t n);
/* The terms of class k, of at most `modes` modes, that leave least at conditions of other folds; adds to before and
 * after (E) the sums of squares that there are, and that they leave. */
CorrectionTerms correction_equations_choose(CorrectionEquations *q, int k, int modes, double before[], double after[]);
/* Coefficients B (terms chosen, E) of all pairs; how many terms, -1: they cannot be had. */
int correction_equations_solve(CorrectionEquations *q, int k, const CorrectionTerms *chosen, double B[]);

#endif
