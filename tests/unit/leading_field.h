/* Normalisers of whole fields whose first channel is the leading one: the fit, and what must hold of any of them. */
#ifndef SCORIA_TESTS_LEADING_FIELD_H
#define SCORIA_TESTS_LEADING_FIELD_H

#include "row_dataset.h"
#include "score/lateral_fit.h"
#include "score/train_data.h"
#include "scoria/linalg.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { LEADING_MOST = 64 }; /* conditions of a dataset */

/* Of two fields, all conditions to learn from.  Collective. */
static inline void fit_leading_field(MPI_Comm comm, const char *path, double energy, ScoriaNormaliser *norm)
{
  const ScoriaNormaliserOptions opt = {
      .modes = 8, .degree_mean = 2, .degree_scale = 2, .whitening = true, .energy = energy};
  const int channel[2] = {0, 1};
  ScoriaTwin twin      = {.leading = {true}, .reference = {NAN, NAN}};
  bool train[LEADING_MOST];
  ScoriaDataset ds;
  for (int i = 0; i < LEADING_MOST; i++) train[i] = true;
  const TrainSplit split = {.list = train};
  CHECK(ScoriaDatasetOpen(comm, path, &ds));
  const NormInput in  = {.comm = comm, .ds = ds, .channel = channel, .split = &split, .twin = &twin};
  const NormTask task = {.options = &opt};
  CHECK(NormaliserCreate(&scoria_bases[1], ds, 2, &twin, &opt, norm));
  CHECK(NormaliserPrepare(*norm, &in, &task));
  CHECK(ScoriaDatasetClose(&ds));
}

static inline int all_coordinates(ScoriaNormaliser norm)
{
  int R;
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &R));
  return R;
}

/* There and back, of fields (m) that are `far` times as far out as those of the law; 1e-8 of rounding through the
 * inverse of knots, and where waves are iterated to 1e-11, what waves of .02 of a standard deviation see of that. */
static inline void check_inverted(ScoriaNormaliser norm, double u, int m, int draws, double far)
{
  const int R = all_coordinates(norm);
  double *field, *y, *back, worst = 0;
  CHECK(PetscMalloc3(R, &y, R, &back, m, &field));
  CHECK(ScoriaNormaliserAt(norm, NULL, &u));
  for (int i = 0; i < draws; i++) {
    rng_normal(5, SCORIA_STREAM_REMAINDER, (uint64_t)i, 0, R, y);
    for (int k = 0; k < R; k++) y[k] *= far;
    normaliser_decode(norm, 1, y, field);
    normaliser_encode(norm, 1, field, back);
    for (int k = 0; k < R; k++) worst = fmax(worst, fabs(back[k] - y[k]));
  }
  printf("# worst %g\n", worst);
  assert_true(worst < 1e-8);
  CHECK(PetscFree3(y, back, field));
}

/* Values of single cells, of `each` scores, are those of the field (m). */
static inline void check_cells(ScoriaNormaliser norm, double u, int m, int each)
{
  const int R = all_coordinates(norm);
  double *field, *y, *weight, *mean, *score, *value;
  int *cell;
  CHECK(PetscCalloc4(R, &y, each * m * R, &weight, each * m, &mean, each * m, &score));
  CHECK(PetscCalloc3(m, &field, m, &value, m, &cell));
  CHECK(ScoriaNormaliserAt(norm, NULL, &u));
  for (int i = 0; i < m; i++) cell[i] = m - 1 - i;
  assert_int_equal(norm->basis->scores_each(norm->self), each);
  norm->basis->scores(norm->self, m, cell, mean, weight);
  rng_normal(5, SCORIA_STREAM_SAMPLE, 0, 0, R, y);
  normaliser_decode(norm, 1, y, field);
  for (int i = 0; i < each * m; i++) {
    score[i] = mean[i];
    for (int k = 0; k < R; k++) score[i] += weight[i * R + k] * y[k];
  }
  norm->basis->values(norm->self, m, cell, score, value);
  for (int i = 0; i < m; i++) assert_true(fabs(value[i] - field[cell[i]]) < 1e-10 * (1 + fabs(value[i])));
  CHECK(PetscFree4(y, weight, mean, score));
  CHECK(PetscFree3(field, value, cell));
}

/* The volume is that of numerical derivatives; between knots, where steps of 1e-6 stay, fields (m) are smooth. */
static inline void check_volume(ScoriaNormaliser norm, double u, int m)
{
  const double h = 1e-6;
  const int R    = all_coordinates(norm);
  double *up, *down, *y, *J, *gram, *work, sum = 0;
  CHECK(PetscMalloc6(m, &up, m, &down, R, &y, R * m, &J, R * R, &gram, norm->basis->volume_work(norm->self), &work));
  CHECK(ScoriaNormaliserAt(norm, NULL, &u));
  rng_normal(5, SCORIA_STREAM_REMAINDER, 3, 0, R, y);
  for (int k = 0; k < R; k++) {
    y[k] += h;
    normaliser_decode(norm, 1, y, up);
    y[k] -= 2 * h;
    normaliser_decode(norm, 1, y, down);
    y[k] += h;
    for (int i = 0; i < m; i++) J[k * m + i] = (up[i] - down[i]) / (2 * h);
  }
  la_gemm(false, true, R, R, m, 1, J, m, J, m, 0, gram, R);
  assert_true(la_cholesky(R, gram));
  for (int k = 0; k < R; k++) sum += log(gram[k * R + k]);
  const double volume = norm->basis->log_volume(norm->self, y, work);
  printf("# %g, by differences %g\n", volume, sum);
  assert_true(fabs(volume - sum) < 1e-4 * R);
  CHECK(PetscFree6(up, down, y, J, gram, work));
}

/* Fields (m) of the same bits where it was fitted by one rank, and where it was loaded from a file, which is left at
 * store_path.  Collective. */
static inline void check_bits(ScoriaNormaliser norm, ScoriaNormaliser alone, const char *store_path, double u, int m)
{
  const int R = all_coordinates(norm);
  double *field, *y;
  ScoriaNormaliser loaded;
  ScoriaStore store;
  MPI_Barrier(PETSC_COMM_WORLD);
  (void)unlink(store_path);
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, store_path, "model", "", &store));
  CHECK(NormaliserSave(norm, store));
  CHECK(ScoriaStoreClose(&store));
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, store_path, "model", &store));
  CHECK(NormaliserLoad(store, &loaded));
  CHECK(ScoriaStoreClose(&store));
  const ScoriaNormaliser of[] = {norm, alone, loaded};
  CHECK(PetscMalloc2(R, &y, 3 * m, &field));
  rng_normal(5, SCORIA_STREAM_REMAINDER, 1, 0, R, y);
  for (int i = 0; i < 3; i++) {
    CHECK(ScoriaNormaliserAt(of[i], NULL, &u));
    normaliser_decode(of[i], 1, y, field + i * m);
    assert_memory_equal(field + i * m, field, (size_t)m * sizeof *field);
  }
  CHECK(PetscFree2(y, field));
  CHECK(NormaliserDestroy(&loaded));
}

#endif
