/* Private to the correction of cheap rows and its test: what it has found. */
#ifndef SCORIA_SCORE_CORRECTION_H
#define SCORIA_SCORE_CORRECTION_H

#include "normaliser.h"
#include "scoria/correction.h"
#include "waves.h"

#define CORRECTION_FOLDS 8
#define CORRECTION_DEGREE 2
#define CORRECTION_SHARE 4 /* pairs for each term, at least */

/* Of whole fields: y of a wave number is B^T x + a residual, x being modes of z at this wave number, their products
 * with u, and for the lateral mean polynomials in u. */
typedef struct {
  Waves waves; /* owned */
  int E;       /* channels nx */
  /* Of every class of wave numbers; owned (classes). */
  int *modes, *degree; /* that are used; degree -1: no polynomial */
  bool *crossed;
  int *terms;          /* of x */
  size_t *V_at, *B_at; /* where V (E, modes) and B (terms, E) of a class begin; and the length of all, in `all` */
  size_t V_all, B_all;
  double *V, *B; /* owned: a = z V has variance 1 */
  float *rest;   /* owned (kept, width): residuals */
} CorrectionWaves;

/* y = B^T x(u, z) + a residual, x being polynomials in u, modes of z, and their products with u. */
typedef struct ScoriaCorrection_ {
  int d, width, places, stride; /* z is looked at in `places` of its values, `stride` apart */
  int polynomials, modes, terms;
  NormPoly poly;
  double *V;            /* owned (places, modes) */
  double *centre;       /* owned (places) */
  double *B;            /* owned (terms, width); 0 for terms that are not used */
  int64_t kept;         /* pairs whose residuals are kept */
  double *u, *residual; /* owned (kept, d), (kept, width), of these */
  CorrectionWaves
      *of_waves; /* owned; NULL: rows are profiles, with all of the above but kept, u, d and width unused else
                  */
  ScoriaCorrectionChoice chosen;
} Correction;

/* x (terms) of a row z at u.  picked (places): scratch. */
void correction_terms(const Correction *c, const double u[], const double z[], double picked[], double x[]);

int correction_fold(uint64_t seed, int64_t condition);
int correction_power(const NormPoly *poly, int term); /* of all u together */

/* --------------------------------------------------------------------------------------------- of whole fields ---- */

PetscErrorCode CorrectionWavesCreate(int channels, const int shape[3], CorrectionWaves **waves);
/* Room for V and B, once modes, degree and crossed are known. */
PetscErrorCode CorrectionWavesSetUp(const Correction *c, CorrectionWaves *w);
PetscErrorCode CorrectionWavesShare(MPI_Comm comm, Correction *c);
PetscErrorCode CorrectionWavesDestroy(CorrectionWaves **waves);
int correction_waves_work(const Correction *c);
/* Coordinates (classes, wave_coordinates, E) of a field (channels, nz, ny, nx), and back; may not work in place. */
void correction_waves_to(const CorrectionWaves *w, const double field[], double rows[]);
void correction_waves_back(const CorrectionWaves *w, const double rows[], double field[]);
/* y of class k at polynomials `value` in u, from its coordinates z (wave_coordinates, E).  work
 * (correction_waves_work).
 */
void correction_waves_class(const Correction *c, int k, const double u[], const double value[], const double z[],
                            double work[], double y[]);
void correction_waves_apply(const Correction *c, const double u[], const float rest[], const uint32_t bits[4],
                            const double z[], double work[], double y[]);

#endif
