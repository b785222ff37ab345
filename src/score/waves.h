/* Wave numbers of a lateral grid that is periodic in y and z: transforms of real fields (nz, ny, nx) over y and z, and
 * which wave numbers are equal up to sign. */
#ifndef SCORIA_SCORE_WAVES_H
#define SCORIA_SCORE_WAVES_H

#include <petscsys.h>
#include <fftw3.h>
#include <stdbool.h>

#define WAVES_MEMBERS 2 /* wave numbers of a class, of which none is another's negative: (kz, ky) and (-kz, ky) */

/* The wave numbers (+-kz, +-ky). */
typedef struct {
  int kz, ky;                                      /* magnitudes */
  int members;                                     /* independent ones */
  bool real;                                       /* it is its own negative: the transform of a real field is real */
  int at[WAVES_MEMBERS], conjugate[WAVES_MEMBERS]; /* where they stand in a half spectrum; their negatives, or -1 */
} WaveClass;

typedef struct {
  int nx, ny, nz, C;
  int half; /* wave numbers of a half spectrum: nz (ny / 2 + 1) */
  int classes;
  WaveClass *class;           /* owned: by kz^2 + ky^2, the lateral mean first */
  fftw_complex *spectrum;     /* owned (C, half, nx) */
  double *grid;               /* owned (C, nz, ny, nx) */
  fftw_plan forward;          /* owned: grid to spectrum */
  fftw_plan back;             /* owned: spectrum to grid, where nx is odd; NULL where it is even, and then */
  fftw_plan along_z, along_y; /* owned, in place: of a spectrum's waves of one ky; of a plane of the grid in pairs */
} Waves;

PetscErrorCode WavesCreate(int C, int nx, int ny, int nz, Waves *waves);
PetscErrorCode WavesDestroy(Waves *waves);
/* The spectrum of no waves, to put some with ky <= most into; and the grid of such a spectrum, which is destroyed. */
void waves_clear(const Waves *waves, int most);
void waves_back(const Waves *waves, int most);
/* Coordinates that a mode of a class has: 1, 2 or 4. */
int wave_coordinates(const WaveClass *c);
/* Coordinate j of a class at a lateral place: a real function that is orthonormal over them. */
double wave_value(const Waves *waves, const WaveClass *c, int j, int y, int z);
/* Orthonormal coordinates (wave_coordinates, C nx) of a class: real and imaginary parts in turn, from the spectrum that
 * `forward` left; and back into it. */
void waves_take(const Waves *waves, const WaveClass *c, double rows[]);
void waves_put(const Waves *waves, const WaveClass *c, const double rows[]);
/* The half spectrum of which waves_back makes the covariance of a field with its first lateral place, from the variance
 * (C nx) of a coordinate of every class; and these from what `forward` makes of the covariance. */
void waves_put_power(const Waves *waves, const WaveClass *c, const double power[]);
void waves_take_power(const Waves *waves, const WaveClass *c, double power[]);
/* Coordinates (wave_coordinates) of one mode of a field that is shifted by (sy, sz) cells, after it was mirrored along
 * y or z where asked.  May work in place. */
void waves_move(const Waves *waves, const WaveClass *c, int sy, int sz, bool mirror_y, bool mirror_z, float y[]);

#endif
