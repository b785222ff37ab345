/* Private to physics: what an ensemble is made of (ensemble.c), and its rows are computed with (ensemble_rows.c). */
#ifndef SCORIA_PHYSICS_ENSEMBLE_H
#define SCORIA_PHYSICS_ENSEMBLE_H

#include "internal.h"
#include "porosity.h"
#include "solver.h"

struct ScoriaEnsemble_ {
  ScoriaGroups groups; /* owned */
  const ScoriaProblem *problem;
  void *parameters; /* owned */
  ScoriaShape shape;
  ScoriaDesign design; /* owned; NULL: it was made for any theta */
  ScoriaGrid grid;
  ScoriaPorosity porosity; /* owned */
  ScoriaSolver solver;     /* owned: of the group */
  ScoriaSolver twin;       /* owned unless it is the solver: one-dimensional, for single ranks */
  ScoriaDatasetSpec spec;
  bool law_varies;                           /* whether the twin's porosity hangs on theta */
  int ell;                                   /* index of the correlation length in theta */
  int nderived, derived[MAX_DERIVED_FIELDS]; /* rows of the problem's */
  int outputs; /* fields of the problem, its derived ones last; then comes eps, then lateral standard deviations */
  bool whole;  /* rows hold whole fields */
  bool lateral_sd;
  double twin_eps;
  double *x;       /* owned: (spec_centres) */
  double *profile; /* owned: (nx) */
  double *eps;     /* owned: this rank's own cells */
  double *own;     /* owned: scratch of that size */
};

#endif
