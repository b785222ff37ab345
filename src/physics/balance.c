/* The discrete electrode: cell-centred finite volumes on a uniform grid, h = L / cells.
 *
 *   charge of cell k   I(k+1) - I(k) - rho(k) = 0,         I = -K [(u+ - u-) - chi2 (ln w+ - ln w-)]
 *   salt of cell k     Q(k+1) - Q(k) + beta rho(k) = 0,    Q = M (w+ - w-)
 *
 * in u = F phi / RT, w = c / c_R, currents in units of i_scale = kappa(c_R) RT / (F L), salt fluxes of D(c_R) c_R / L.
 * K and M are the harmonic face average of eps^b times kappa, D at the face's mean concentration.  Each flux is
 * computed once and used by both its cells, so that charge and salt are conserved by structure.
 *
 * Collector, face 0: no flux.  Separator, the last face: w = 1 at the face itself, half a cell from the last centre; u
 * there follows from K (s - u_L) = drive + gamma u_L, s = u - chi2 ln w of the last cell, and is eliminated. */
#include "internal.h"
#include <math.h>
#include <string.h>

PetscErrorCode BalanceCreate(const ScoriaElectrode *el, int cells, int first, int n, Balance *b)
{
  PetscFunctionBeginUser;
  memset(b, 0, sizeof *b);
  b->el       = el;
  b->problem  = scoria_models[el->model];
  b->cells    = cells;
  b->first    = first;
  b->n        = n;
  b->thermal  = GAS_CONSTANT * el->T / FARADAY;
  b->chi2     = 2.0 * el->chi * (1.0 - el->t_plus);
  b->positive = b->problem->positive || b->chi2 != 0 || el->electrolyte != 0;
  double dkappa, dD;
  scoria_electrolytes[el->electrolyte].evaluate(el, 1, &el->c_R, &b->kappa_ref, &dkappa, &b->D_ref, &dD);
  b->i_scale         = b->kappa_ref * b->thermal / el->L;
  b->beta            = (1.0 - el->t_plus) * b->i_scale * el->L / (FARADAY * b->D_ref * el->c_R);
  b->gamma           = el->g_sep * b->thermal / b->i_scale;

  double **array[]   = {&b->geo_kappa, &b->geo_D, &b->A,     &b->shift,  &b->source_u, &b->source_w, &b->u,   &b->w,
                        &b->lnw,       &b->iw,    &b->K,     &b->dK,     &b->M,        &b->dM,       &b->ie,  &b->qe,
                        &b->rho,       &b->rho_u, &b->rho_w, &b->face_c, &b->face_u,   &b->face_w,   &b->work};
  const size_t count = sizeof array / sizeof *array, each = (size_t)n + 2;
  PetscCall(PetscCalloc1(count * each, &b->arena));
  for (size_t i = 0; i < count; i++) *array[i] = b->arena + i * each;
  PetscFunctionReturn(0);
}

PetscErrorCode BalanceDestroy(Balance *b)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(b->arena));
  PetscFunctionReturn(0);
}

/* Harmonic averages of eps^exponent at the faces, over the distance between the points they join; logeps (n + 2). */
static void face_geometry(const Balance *b, const double logeps[], double exponent, double power[], double geo[])
{
  const int n = b->n;
  for (int i = 0; i < n + 2; i++) power[i] = exp(exponent * logeps[i]);
  for (int f = 0; f <= n; f++) geo[f] = 2.0 * b->cells * power[f] * power[f + 1] / (power[f] + power[f + 1]);
  if (b->first == 0) geo[0] = 0;
  if (b->first + n == b->cells) geo[n] = 2.0 * b->cells * power[n];
}

void balance_set(Balance *b, double U0, double c_s, const double eps[])
{
  const ScoriaElectrode *el = b->el;
  const int n               = b->n;
  const double dx = el->L / b->cells, prefactor = b->problem->prefactor(el, c_s) * dx / b->i_scale;
  for (int i = 0; i < n + 2; i++) {
    const int cell = b->first + i - 1;
    b->lnw[i]      = log(eps[cell < 0 ? 0 : cell < b->cells ? cell : b->cells - 1]);
  }
  face_geometry(b, b->lnw, el->b_kappa, b->work, b->geo_kappa);
  if (el->b_D != el->b_kappa)
    face_geometry(b, b->lnw, el->b_D, b->work, b->geo_D);
  else
    memcpy(b->geo_D, b->geo_kappa, ((size_t)n + 1) * sizeof(double));
  for (int i = 0; i < n; i++) {
    b->A[i]     = prefactor * b->problem->area(el, eps[b->first + i]);
    b->shift[i] = (-el->G * dx * (b->first + i + 0.5) - U0) / b->thermal;
  }
  memset(b->lnw, 0, ((size_t)n + 2) * sizeof(double)); /* stays so where chi = 0 */
}

void balance_drive(Balance *b, double F_right)
{
  b->drive = F_right / b->i_scale;
}

static bool all_positive(int n, const double w[])
{
  double least = w[0];
  for (int i = 1; i < n; i++) least = w[i] < least ? w[i] : least;
  return least > 0;
}

static void face_conductances(Balance *b)
{
  const int n      = b->n;
  const double c_R = b->el->c_R, per_kappa = 1.0 / b->kappa_ref, per_D = 1.0 / b->D_ref;
  for (int f = 0; f <= n; f++) b->face_c[f] = 0.5 * c_R * (b->w[f] + b->w[f + 1]);
  scoria_electrolytes[b->el->electrolyte].evaluate(b->el, n + 1, b->face_c, b->K, b->dK, b->M, b->dM);
  for (int f = 0; f <= n; f++) {
    b->K[f] *= per_kappa * b->geo_kappa[f];
    b->dK[f] *= c_R * per_kappa * b->geo_kappa[f];
    b->M[f] *= per_D * b->geo_D[f];
    b->dM[f] *= c_R * per_D * b->geo_D[f];
  }
}

bool balance_evaluate(Balance *b)
{
  const int n      = b->n;
  const bool right = b->first + n == b->cells;
  if (b->first == 0) {
    b->u[0] = b->u[1];
    b->w[0] = b->w[1];
  }
  if (right) b->w[n + 1] = 1.0;
  if (b->positive && !all_positive(n + 2, b->w)) return false;
  if (b->chi2 != 0) {
    for (int i = 0; i < n + 2; i++) b->lnw[i] = log(b->w[i]);
    for (int i = 0; i < n + 2; i++) b->iw[i] = b->chi2 / b->w[i];
  }
  face_conductances(b);
  if (right) {
    const double s = b->u[n] - b->chi2 * b->lnw[n];
    b->u[n + 1]    = (b->K[n] * s - b->drive) / (b->K[n] + b->gamma);
  }
  for (int f = 0; f <= n; f++) b->ie[f] = -b->K[f] * ((b->u[f + 1] - b->u[f]) - b->chi2 * (b->lnw[f + 1] - b->lnw[f]));
  for (int f = 0; f <= n; f++) b->qe[f] = b->M[f] * (b->w[f + 1] - b->w[f]);
  /* without the cancellation of the difference form; exact for current control */
  if (right) b->ie[n] = b->drive + b->gamma * b->u[n + 1];
  b->problem->react(n, b->A, b->shift, b->u + 1, b->w + 1, b->rho, b->rho_u, b->rho_w);
  return true;
}

void balance_residual(const Balance *b, double R[])
{
  for (int k = 0; k < b->n; k++) {
    R[2 * k]     = b->ie[k + 1] - b->ie[k] - b->rho[k] + b->source_u[k];
    R[2 * k + 1] = b->qe[k + 1] - b->qe[k] + b->beta * b->rho[k] + b->source_w[k];
  }
}

/* dI of each face by w of its left cell (face_u) and of its right cell (face_w). */
static void face_derivatives(Balance *b)
{
  for (int f = 0; f <= b->n; f++) {
    const double difference = (b->u[f + 1] - b->u[f]) - b->chi2 * (b->lnw[f + 1] - b->lnw[f]);
    const double mean       = -0.5 * b->dK[f] * difference;
    b->face_u[f]            = mean - b->K[f] * b->iw[f];
    b->face_w[f]            = mean + b->K[f] * b->iw[f + 1];
  }
}

/* The separator's face after elimination of u_L: I = K (drive + gamma s) / (K + gamma). */
static void separator_derivatives(const Balance *b, double *by_u, double *by_w)
{
  const int n        = b->n;
  const double s     = b->u[n] - b->chi2 * b->lnw[n];
  const double total = b->K[n] + b->gamma, dI_dK = b->gamma * (b->drive + b->gamma * s) / (total * total);
  *by_u = b->K[n] * b->gamma / total;
  *by_w = 0.5 * dI_dK * b->dK[n] - *by_u * b->iw[n];
}

ptrdiff_t jacobian_block(const Balance *b, int k, int side)
{
  return 12 * (ptrdiff_t)k + 4 * (side + 1) - (b->first == 0 ? 4 : 0);
}

void balance_jacobian(Balance *b, double J[])
{
  const int n     = b->n;
  const bool left = b->first == 0, right = b->first + n == b->cells;
  double last_u = 0, last_w = 0;
  face_derivatives(b);
  if (right) separator_derivatives(b, &last_u, &last_w);
  for (int k = 0; k < n; k++) {
    const int f      = k + 1;
    const bool outer = right && f == n;
    const double lQ = 0.5 * b->dM[k] * (b->w[k + 1] - b->w[k]), rQ = 0.5 * b->dM[f] * (b->w[f + 1] - b->w[f]);
    const ptrdiff_t at = jacobian_block(b, k, -1), here = at + 4, next = at + 8;
    if (!(left && k == 0)) {
      J[at]     = -b->K[k];
      J[at + 1] = 0;
      J[at + 2] = -b->face_u[k];
      J[at + 3] = b->M[k] - lQ;
    }
    J[here]     = (outer ? last_u : b->K[f]) + b->K[k] - b->rho_u[k];
    J[here + 1] = b->beta * b->rho_u[k];
    J[here + 2] = (outer ? last_w : b->face_u[f]) - b->face_w[k] - b->rho_w[k];
    J[here + 3] = rQ - b->M[f] - (b->M[k] + lQ) + b->beta * b->rho_w[k];
    if (!outer) {
      J[next]     = -b->K[f];
      J[next + 1] = 0;
      J[next + 2] = b->face_w[f];
      J[next + 3] = b->M[f] + rQ;
    }
  }
}
