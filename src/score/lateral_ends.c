/* The ends of channels at a condition: the value near, in the state of rest, that all rows lie on one side of, and a
 * profile far, that of the least porosity everywhere, which no row comes up to.  Where rows keep an end, the law does:
 * v = ln |x - near|, or ln((x - near) / (far - x)).
 *
 * Tails that are regressed on the conditions do not know an end: at the largest load the .99 quantile of the largest c
 * of a wide electrode came out by up to .9 of a standard deviation too large.  And potentials, whose distance from that
 * at rest grows with the load, have means and tails that are smoother functions of the conditions as logarithms: the
 * means of lateral means came from .053 of a standard deviation to .033. */
#include "lateral_fit.h"
#include <math.h>
#include <string.h>

bool lateral_any_ends(const NormLateral norm)
{
  bool any = false;
  for (int c = 0; c < norm->C; c++) any = any || norm->ends[c] != LATERAL_ENDS_NONE;
  return any;
}

PetscErrorCode LateralEnds(NormLateral norm, const ScoriaTwin *twin, const double theta[])
{
  PetscFunctionBeginUser;
  if (!lateral_any_ends(norm)) PetscFunctionReturn(0);
  if (!twin || !twin->ends)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "the model was trained with the equations' own ends of fields and cannot be used without them");
  PetscCall(twin->ends(twin->ctx, theta, norm->near, norm->far));
  bool good = true;
  for (int e = 0; e < norm->E; e++) {
    const int c = e / norm->nx;
    if (norm->ends[c] != LATERAL_ENDS_NONE) good = good && isfinite(norm->near[c]);
    if (norm->ends[c] == LATERAL_ENDS_BOTH) good = good && isfinite(norm->far[e]);
  }
  if (!good)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "no solution in the least porosity at this condition (%s = %g, ...): it lies outside what the model "
                "can represent",
                norm->space.n > 0 ? norm->space.c[0].name : "", norm->space.n > 0 ? theta[0] : 0.0);
  PetscFunctionReturn(0);
}

/* v of x between two ends; NaN outside but for rounding to single precision, half of whose last place is the least
 * distance. */
static double between(double near, double far, double x)
{
  const double side = far > near ? 1 : -1, from = side * (x - near), to = side * (far - x),
               least = ldexp(fabs(far - near), -24), rounded = ldexp(fmax(fabs(far), fabs(near)), -23);
  if (!(from > -rounded && to > -rounded && least > 0)) return NAN;
  return log(fmax(from, least) / fmax(to, least));
}

double ends_to(const NormLateral norm, int e, double x)
{
  const int c = e / norm->nx;
  if (norm->ends[c] == LATERAL_ENDS_BOTH) return between(norm->near[c], norm->far[e], x);
  const double distance = (norm->ends[c] == LATERAL_ENDS_ABOVE ? 1 : -1) * (x - norm->near[c]);
  return distance > 0 ? log(distance) : NAN;
}

double ends_back(const NormLateral norm, int e, double exponential)
{
  const int c       = e / norm->nx;
  const double near = norm->near[c];
  if (norm->ends[c] == LATERAL_ENDS_BOTH) return near + (norm->far[e] - near) * (exponential / (1 + exponential));
  return norm->ends[c] == LATERAL_ENDS_ABOVE ? near + exponential : near - exponential;
}

double ends_rate(const NormLateral norm, int e, double v)
{
  const int c = e / norm->nx;
  return norm->ends[c] == LATERAL_ENDS_BOTH ? (norm->far[e] - norm->near[c]) / (2 + exp(v) + exp(-v)) : exp(v);
}

/* ------------------------------------------------------------------------------------------------ in a fit ---- */

PetscErrorCode LateralEndsCreate(LateralData *data)
{
  const NormLateral norm = data->norm;
  const ScoriaTwin *twin = data->in.twin;
  PetscFunctionBeginUser;
  if (data->known ? lateral_any_ends(norm) : twin && twin->ends)
    PetscCall(PetscMalloc2((data->n + 1) * norm->C, &data->near, (data->n + 1) * norm->E, &data->far));
  PetscFunctionReturn(0);
}

PetscErrorCode LateralEndsSolve(LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  const double *theta    = data->theta + i * norm->space.n;
  PetscFunctionBeginUser;
  if (!data->near) PetscFunctionReturn(0);
  if (data->known)
    PetscCall(LateralEnds(norm, data->in.twin, theta));
  else
    PetscCall(data->in.twin->ends(data->in.twin->ctx, theta, norm->near, norm->far));
  memcpy(data->near + i * norm->C, norm->near, sizeof *norm->near * (size_t)norm->C);
  memcpy(data->far + i * norm->E, norm->far, sizeof *norm->far * (size_t)norm->E);
  PetscFunctionReturn(0);
}

void lateral_set_ends(const LateralData *data, int64_t i)
{
  const NormLateral norm = data->norm;
  if (!data->near) return;
  memcpy(norm->near, data->near + i * norm->C, sizeof *norm->near * (size_t)norm->C);
  memcpy(norm->far, data->far + i * norm->E, sizeof *norm->far * (size_t)norm->E);
}

void lateral_ends_see(LateralData *data, int64_t i, int c, size_t n, const double x[])
{
  const NormLateral norm = data->norm;
  if (!data->near || data->known) return;
  const double near = data->near[i * norm->C + c], *far = data->far + i * norm->E + c * norm->nx;
  int64_t *count = data->beside[c];
  for (size_t j = 0; j < n; j++) {
    const double from = x[j] - near, to = far[j % (size_t)norm->nx] - x[j];
    count[LATERAL_ENDS_ABOVE] += !(from > 0); /* as where there is no such end */
    count[LATERAL_ENDS_BELOW] += !(from < 0);
    count[LATERAL_ENDS_BOTH] += !(from * to > 0);
    data->told[c] = data->told[c] || isfinite(to);
  }
}

/* What the log says of a channel. */
static PetscErrorCode Say(const LateralData *data, int c)
{
  static const char *const text[] = {[LATERAL_ENDS_ABOVE] = "stays above its value at rest, as in all rows",
                                     [LATERAL_ENDS_BELOW] = "stays below its value at rest, as in all rows",
                                     [LATERAL_ENDS_BOTH] =
                                         "stays between its value at rest and its profile in the least porosity, "
                                         "as in all rows"};
  const char *name                = data->spec->field[data->in.channel[c]].name;
  const LateralEndsKind kind      = data->norm->ends[c];
  PetscFunctionBeginUser;
  if (!data->in.run) PetscFunctionReturn(0);
  if (kind != LATERAL_ENDS_NONE) PetscCall(ScoriaSay(data->in.run, "  %s %s", name, text[kind]));
  if (data->told[c] && kind != LATERAL_ENDS_BOTH)
    PetscCall(ScoriaSay(data->in.run,
                        "  %s does not end at its profile in the least porosity: %lld values pass it, or have none",
                        name, (long long)data->beside[c][LATERAL_ENDS_BOTH]));
  PetscFunctionReturn(0);
}

/* Whether a channel may keep ends of a kind: alone a near one only where bounds_choose has not seen to one side of a
 * constant, nor to a bound beyond the rows. */
static bool permitted(const LateralData *data, int c, LateralEndsKind kind)
{
  const NormBounds *b = &data->norm->bounds[c];
  if (kind == LATERAL_ENDS_BOTH) return true;
  return !isfinite(data->in.twin->reference[c]) && !(b->on && isfinite(kind == LATERAL_ENDS_ABOVE ? b->hi : b->lo));
}

PetscErrorCode LateralEndsChoose(LateralData *data)
{
  const NormLateral norm = data->norm;
  PetscFunctionBeginUser;
  if (!data->near) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, data->beside, SCORIA_MAX_FIELDS * LATERAL_ENDS_KINDS, MPI_INT64_T, MPI_SUM,
                             data->in.comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, data->told, SCORIA_MAX_FIELDS, MPI_C_BOOL, MPI_LOR, data->in.comm));
  for (int c = 0; c < norm->C; c++) {
    for (LateralEndsKind kind = LATERAL_ENDS_ABOVE; kind < LATERAL_ENDS_KINDS; kind++)
      if (!data->beside[c][kind] && permitted(data, c, kind)) norm->ends[c] = kind;
    PetscCall(Say(data, c));
  }
  PetscFunctionReturn(0);
}
