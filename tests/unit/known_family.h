/* A family of fidelities whose laws are known, answers of uq from it, and how these are judged. */
#ifndef SCORIA_TESTS_KNOWN_FAMILY_H
#define SCORIA_TESTS_KNOWN_FAMILY_H

#include "study/multilevel/multilevel.h"
#include "testing.h"
#include "unit/known_source.h"
#include "unit/small_run.h"
#include <math.h>

enum { MEMBERS = 4 };

/* Members a > 0 are the first's values with a shift, a factor, and noise of their own: of latent r z + sqrt(1 - r^2) e.
 */
typedef struct {
  KnownLaw *law; /* borrowed */
  int64_t drawn[MEMBERS], fail_every;
  double fail_beyond; /* other than 0: all fail at a first condition beyond it, */
  double apart;       /* and the cheap ones' shifts are so many times larger */
  double step;        /* other than 0: values are whether they are beyond it; */
  double close;       /* other than 0: the second's r; */
  double bent;        /* other than 0: values are the exponential of as many SDs of them; */
  double blind;       /* a share of draws far out, of which the cheap ones have the middle */
} KnownFamily;

static const double known_r[MEMBERS] = {1, 0.98, 0.9, 0.9}, known_shift[MEMBERS] = {0, 0.7, -2, -2},
                    known_factor[MEMBERS]    = {1, 1.1, 0.8, 0.8};
static const int known_same[MEMBERS]         = {0, 0, 0, 3}; /* the last is the third at the opposite normals */
static const int64_t known_work[MEMBERS + 1] = {1000000000, 30000000, 2000000, 2000000, 500000}; /* [ns] */

#define KNOWN_FAR 2.1 /* SDs of the first cell, of which 2.33 are the quantile .01 */

static inline PetscErrorCode FamilyDraw(void *ctx, const double theta[], unsigned members, uint64_t first, int64_t n,
                                        double *const fields[], ScoriaFidelityCost cost[])
{
  KnownFamily *f = ctx;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t number = first + (uint64_t)i;
    double all[2 * MEMBERS], z[2];
    rng_normal(f->law->seed, SCORIA_STREAM_SAMPLE, number, 0, 2 * MEMBERS, all);
    for (int a = 0; a < MEMBERS; a++) {
      double *to = fields[a] + i * KNOWN_WIDTH;
      if (!(members >> a & 1)) continue;
      const bool hidden = a > 0 && fabs(all[0]) > KNOWN_FAR && f->blind > 0 && all[7] < normal_place(f->blind);
      const double r    = a == 1 && f->close > 0 ? f->close : known_r[a];
      for (int k = 0; k < 2; k++)
        z[k] = (a == 3 ? -1 : 1) * known_factor[a] * (r * all[k] + sqrt(1 - r * r) * all[2 * PetscMin(a, 2) + k]);
      if (hidden) z[0] = 0;
      known_fields(f->law, theta, z, to);
      for (int j = 0; j < KNOWN_WIDTH; j++) to[j] += (1 + f->apart) * known_shift[a];
      for (int j = 0; j < KNOWN_WIDTH && f->step != 0; j++) to[j] = to[j] > f->step;
      if (f->bent > 0)
        to[0] = exp(f->bent * (to[0] - known_shift[a] - known_mean[0] - 1) / known_sd(f->law, theta, 0, 0));
      if ((f->fail_every && number % (uint64_t)f->fail_every == 0) || (f->fail_beyond > 0 && theta[0] > f->fail_beyond))
        for (int j = 0; j < KNOWN_WIDTH; j++) to[j] = NAN;
      cost[a].work += known_work[a];
      cost[a].solves++;
      f->drawn[a]++;
    }
    cost[MEMBERS].work += known_work[MEMBERS];
    cost[MEMBERS].solves++;
  }
  PetscFunctionReturn(0);
}

typedef struct {
  SmallRun r;
  KnownLaw law;
  KnownFamily family;
  ScoriaSource source;
  ScoriaFidelities all;
  UqQuestion q;
  UqAnswer a;
  LevelsKnown known;
  LevelsOptions o;
  double *theta;
} Study;

/* All conditions are the same, so that they are independent answers to one question. */
static inline void open_study(Study *s, const char *estimator, int conditions)
{
  static const ScoriaFidelitiesKind kind                 = {FamilyDraw, KnownDestroy};
  static const char names[MEMBERS][SCORIA_FIDELITY_NAME] = {"fine", "middle", "cheap", "mirror"};
  memset(s, 0, sizeof *s);
  small_run_open(&s->r);
  known_source(PETSC_COMM_WORLD, 3, &s->law, &s->source);
  s->family = (KnownFamily){.law = &s->law};
  CHECK(ScoriaFidelitiesCreate(&kind, &s->family, MEMBERS, names, known_same, &s->all));
  CHECK(PetscMalloc1(2 * conditions, &s->theta));
  for (int k = 0; k < conditions; k++) {
    s->theta[2 * k]     = 1;
    s->theta[2 * k + 1] = 0.5;
  }
  s->q = (UqQuestion){.pde            = true,
                      .multilevel     = true,
                      .count          = 2000,
                      .nprobabilities = 3,
                      .probability    = {0.1, 0.5, 0.9},
                      .nquantities    = 1,
                      .quantity       = {{.name = "a(0)", .kind = SCORIA_QUANTITY_AT, .factor = 1}},
                      .condition      = {-1},
                      .nthresholds    = 1,
                      .threshold      = {{0, KNOWN_CELLS, 12, false}},
                      .conditions     = conditions,
                      .theta          = s->theta};
  s->o = (LevelsOptions){.estimator = scoria_estimators, .pilot = 32, .means = true};
  while (strcmp(s->o.estimator->name, estimator)) s->o.estimator++;
  uq_take_shape(&s->q, source_shape(s->source));
}

static inline void run_study(Study *s)
{
  CHECK(UqAnswerCreate(&s->q, &s->a));
  CHECK(LevelsRunWith(&(LevelsAsked){s->r.run, s->r.deck, s->source, s->all, false}, &s->o, &s->q, &s->a, &s->known));
}

static inline void close_study(Study *s)
{
  CHECK(LevelsKnownDestroy(&s->known));
  CHECK(UqAnswerDestroy(&s->a));
  CHECK(ScoriaFidelitiesDestroy(&s->all));
  CHECK(ScoriaSourceDestroy(&s->source));
  CHECK(PetscFree(s->theta));
  small_run_close(&s->r);
}

/* Of one number at every condition against what it is: mean of the error in units of its spread, and how often the 95 %
 * interval covers. */
typedef struct {
  int64_t n;
  double sum, square, covered, within; /* within: of an interval of the answer's own */
} Tried;

static inline void try_number(Tried *t, double value, double se, double truth)
{
  const double error = value - truth;
  t->n++;
  t->sum += error;
  t->square += error * error;
  t->covered += fabs(error) <= 1.959964 * se;
}

/* Of the answer at: mean, SD and quantiles of the first quantity, whose law is normal. */
static inline void try_first(const Study *s, const double at[], double truth, double spread, Tried *mean, Tried *sd,
                             Tried quantile[])
{
  const double *m      = at + s->a.moments + s->q.m;
  const size_t columns = (size_t)s->a.columns;
  try_number(mean, m[UQ_MEAN * columns], m[UQ_MEAN_SE * columns], truth);
  try_number(sd, m[UQ_SD * columns], m[UQ_SD_SE * columns], spread);
  for (int i = 0; i < s->q.nprobabilities; i++) {
    const double *v = at + s->a.quantiles + (size_t)i * 2 * columns + s->q.m;
    assert_true(v[columns] > 0);
    try_number(&quantile[i], v[0], v[columns], truth + spread * normal_place(s->q.probability[i]));
  }
}

/* Over n answers a mean error lies within 4 of its own standard errors, and `slack` SDs of bias of what is unbiased in
 * the limit alone; intervals cover 93 % to `most` (over 1000 answers: 93 to 97 %), and two SDs more of a share of n. */
static inline void judge(const Tried *t, double slack, double most, const char *what)
{
  const double n = (double)t->n, mean = t->sum / n, spread = sqrt(t->square / n - mean * mean);
  const double more = 2 * sqrt(0.95 * 0.05 / n);
  if (fabs(mean) > 4 * spread / sqrt(n) + slack * spread) fail_msg("%s: bias %g, spread %g", what, mean, spread);
  if (t->covered / n < 0.93 - more || t->covered / n > most + more) fail_msg("%s: covers %g", what, t->covered / n);
}

#endif
