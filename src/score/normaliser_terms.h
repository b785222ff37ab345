/* What normaliser_terms.c sums and normaliser_select.c chooses by. */
#ifndef SCORIA_SCORE_NORMALISER_TERMS_H
#define SCORIA_SCORE_NORMALISER_TERMS_H

#include "normaliser_fit.h"
#include "tile_sum.h"

#define TERMS_FOLDS 10

/* The moments of sets of pieces: the folds, which are all of them, and behind these the levels of data->level.  Of a
 * set X^T W [X Y] (p, p + q), sums of w y^2 (q), and of w. */
typedef struct {
  const NormDesign *design; /* borrowed */
  int p, q, most;
  int longest;            /* terms of a response at most */
  int *column;            /* owned (q): of Y */
  int d, *below;          /* owned (p, d): the term with a power of u_j less by one, or -1 */
  const NormPoly *poly;   /* borrowed: the first terms of the design */
  int levels;             /* sets behind the folds */
  const NormLevel *level; /* borrowed (levels) */
  int alone, cells;       /* see NormChooseTerms */
  double *centre, *scale; /* owned (p, Y's columns), the first row; (q) */
  double *squares;        /* owned (q) */
  double *X, *Z;          /* owned (most, p), (most, p + q): of a set's rows in a tile */
  double *part;           /* owned (size): of a tile */
  double *moments;        /* owned (TERMS_FOLDS + levels, size), on rank 0 */
  size_t size;
  TileSum sum;
} Terms;

/* in (p): the terms chosen for responses [first, first + q), all alike.  Local. */
PetscErrorCode TermsSelect(const Terms *s, int first, int q, bool in[]);

#endif
