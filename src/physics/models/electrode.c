/* The porous electrode.  In u = F phi / RT, w = c / c_R and, where the solid's potential is solved for, v = F phi_s /
 * RT:
 *
 *   charge  div I = rho,              I = -K [grad u - chi2 grad ln w]
 *   salt    e dw/dt + div N = beta rho,   N = -M grad w
 *   solid   div J = -rho,             J = -Z grad v
 *
 * currents in units of i_scale = kappa(c_R) RT / (F L), salt fluxes of D(c_R) c_R / L; K = eps^b_kappa kappa(c) /
 * kappa(c_R), M = eps^b_D D(c) / D(c_R), Z = (1 - eps)^b_sigma sigma / kappa(c_R); chi2 = 2 chi (1 - t+), beta = (1 -
 * t+) i_scale L / (F D c_R). rho = a_s j L / i_scale follows from the kinetics at the overpotential e = v - u - F U0 /
 * RT (v = -F G x / RT when prescribed).
 *
 * Collector, x = 0: no flux of the electrolyte, v = 0 at the face.  Separator, x = L: w = 1 at the face itself; u there
 * follows from K (s - u_L) = drive + gamma u_L, s = u - chi2 ln w of the last cell, and is eliminated; no current in
 * the solid.
 *
 * Newman and Tobias (1962); Doyle, Fuller and Newman (1993). */
#include "physics/electrode/electrode.h"
#include <math.h>
#include <string.h>

enum { LN_W, CHI2_PER_W };      /* derived */
enum { C_KAPPA, C_D, C_SIGMA }; /* coefficients */

static int unknowns(const ScoriaElectrode *el)
{
  return el->ohmic ? 3 : 2;
}

/* ------------------------------------------------------------------------------------------------ at theta ---- */

/* c_s of this U0: from the set, or from the open-circuit curve (NaN outside it). */
static double solid_concentration(ScoriaElectrode *el, double U0)
{
  if (!el->state_ocp) return el->c_s;
  if (el->at.U0_of_it != U0) {
    el->at.stoichiometry = ocp_invert(&scoria_ocps[el->ocp], el->at.monotone, U0);
    el->at.U0_of_it      = U0;
  }
  return el->c_max * el->at.stoichiometry;
}

/* From equilibrium, F_right = g_sep U0, where phi = -U0 solves the problem with G = 0. */
static void set_load(void *p, double share)
{
  ScoriaElectrode *el = p;
  const double none   = el->g_sep * el->at.U0;
  el->at.drive        = (none + share * (el->at.F_right - none)) / el->at.i_scale;
}

static bool at(void *p, const double theta[])
{
  ScoriaElectrode *el = p;
  double dkappa, dD;
  varied_set(&el->varied, theta, el);
  const double T = el->T, c_s = solid_concentration(el, theta[SCORIA_U0]);
  el->at.U0      = theta[SCORIA_U0];
  el->at.F_right = theta[SCORIA_F_RIGHT];
  el->at.T       = T;
  el->at.thermal = GAS_CONSTANT * T / FARADAY;
  scoria_electrolytes[el->electrolyte].evaluate(el, 1, &el->c_R, &el->at.kappa_ref, &dkappa, &el->at.D_ref, &dD);
  el->at.D_factor    = arrhenius(el->E_D, T);
  const double kappa = el->at.kappa_ref * arrhenius(el->E_kappa, T), D = el->at.D_ref * el->at.D_factor;
  el->at.i_scale = kappa * el->at.thermal / el->L;
  el->at.beta    = (1.0 - el->t_plus) * el->at.i_scale * el->L / (FARADAY * D * el->c_R);
  el->at.chi2    = 2.0 * el->chi * (1.0 - el->t_plus);
  el->at.gamma   = el->g_sep * el->at.thermal / el->at.i_scale;
  el->at.solid   = el->ohmic ? el->sigma / kappa : 0;
  el->at.rate    = scoria_kinetics[el->model]->prefactor(el, c_s) * arrhenius(el->E_m, T) / el->at.i_scale;
  set_load(p, 1.0);
  return !isnan(c_s) || !el->state_ocp;
}

static void shape(const void *p, ScoriaShape *sh)
{
  static const ScoriaField fields[] = {{.name = "c", .unit = "mol m^-3", .description = "electrolyte concentration"},
                                       {.name = "phi", .unit = "V", .description = "electrolyte potential"},
                                       {.name = "phi_s", .unit = "V", .description = "potential of the solid"}};
  static const int output[]         = {W, U, V};
  const ScoriaElectrode *el         = p;
  const ScoriaKinetics *kinetics    = scoria_kinetics[el->model];
  const double move                 = kinetics->positive ? 8.0 : 0; /* RT / F: the rate changes by up to e^4 */
  const double eps = 0.3, D = el->at.D_ref * el->at.D_factor;
  *sh = (ScoriaShape){.unknowns = unknowns(el), .derived = 2, .coefficients = unknowns(el), .locals = 2, .L = el->L};
  memcpy(sh->field, fields, sizeof fields);
  memcpy(sh->output, output, sizeof output);
  sh->scale[U] = sh->scale[V] = el->at.thermal;
  sh->scale[W]                = el->c_R;
  sh->positive[W]             = electrode_positive(el);
  sh->max_move[U] = sh->max_move[V] = move;
  sh->load                          = fabs(el->at.drive);
  sh->tau                           = 4.0 / (PETSC_PI * PETSC_PI) * pow(eps, 1.0 - el->b_D) * el->L * el->L / D;
  sh->reference[0]                  = varied_has(&el->varied, offsetof(ScoriaElectrode, c_R)) ? NAN : el->c_R;
  sh->reference[1] = sh->reference[2] = NAN;
  sh->limited[0]                      = true; /* nowhere does salt move more slowly */
  sh->leading[1]                      = true; /* it is flat where the pores are wide */
  sh->end[0][0]                       = sh->end[0][1] =
      (ScoriaEnd){SCORIA_END_FLAT, 0}; /* the collector: neither salt nor current in pores */
  sh->end[0][2] = (ScoriaEnd){SCORIA_END_HELD, 0};
  sh->end[1][0] = (ScoriaEnd){SCORIA_END_HELD, el->c_R};
  sh->end[1][2] = (ScoriaEnd){SCORIA_END_FLAT, 0};
}

/* -------------------------------------------------------------------------------------------------- cells ---- */

static void coefficients(const void *p, int n, const double eps[], double *const C[])
{
  const ScoriaElectrode *el = p;
  double *log_eps           = C[C_D];
  for (int i = 0; i < n; i++) log_eps[i] = log(eps[i]);
  for (int i = 0; i < n; i++) C[C_KAPPA][i] = exp(el->b_kappa * log_eps[i]);
  if (el->b_D == el->b_kappa)
    memcpy(C[C_D], C[C_KAPPA], (size_t)n * sizeof(double));
  else
    for (int i = 0; i < n; i++) C[C_D][i] = exp(el->b_D * log_eps[i]);
  if (el->ohmic)
    for (int i = 0; i < n; i++) C[C_SIGMA][i] = el->at.solid * pow(1.0 - eps[i], el->b_sigma);
}

static void locals(const void *p, int n, double x, double h, const double eps[], double *const local[])
{
  const ScoriaElectrode *el      = p;
  const ScoriaKinetics *kinetics = scoria_kinetics[el->model];
  const double G                 = el->ohmic ? 0 : el->G;
  for (int i = 0; i < n; i++) {
    local[ELECTRODE_AREA][i]      = el->at.rate * h * kinetics->area(el, eps[i]);
    local[ELECTRODE_POTENTIAL][i] = (-G * (x + i * h) - el->at.U0) / el->at.thermal;
  }
}

static void capacities(const void *p, int n, double h, const double eps[], double *const capacity[])
{
  const ScoriaElectrode *el = p;
  const double unit         = h * el->L / (el->at.D_ref * el->at.D_factor);
  for (int i = 0; i < n; i++) capacity[W][i] = eps[i] * unit;
}

static double *const *derived(const ScoriaElectrode *el, double *const s[])
{
  return s + unknowns(el);
}

static void derive(const void *p, int n, double *const s[])
{
  const ScoriaElectrode *el = p;
  double *ln_w = derived(el, s)[LN_W], *chi2_w = derived(el, s)[CHI2_PER_W];
  if (el->at.chi2 == 0) return; /* both stay zero */
  for (int i = 0; i < n; i++) ln_w[i] = log(s[W][i]);
  for (int i = 0; i < n; i++) chi2_w[i] = el->at.chi2 / s[W][i];
}

static void source(const void *p, int n, const double *const local[], const double *const s[], double *const S[],
                   double *const S_s[], double work[])
{
  const ScoriaElectrode *el = p;
  const int m               = unknowns(el);
  double *e = work, *rho = S[U], *rho_e = S_s ? S_s[U * m + U] : NULL, *rho_w = S_s ? S_s[U * m + W] : NULL;
  for (int i = 0; i < n; i++) e[i] = local[ELECTRODE_POTENTIAL][i] - s[U][i];
  if (m > V)
    for (int i = 0; i < n; i++) e[i] += s[V][i];
  scoria_kinetics[el->model]->react(n, local[ELECTRODE_AREA], e, s[W], rho, rho_e, rho_w);
  for (int i = 0; i < n; i++) S[W][i] = el->at.beta * rho[i];
  if (m > V)
    for (int i = 0; i < n; i++) S[V][i] = -rho[i];
  if (!S_s) return;
  if (m > V)
    for (int i = 0; i < n; i++) {
      S_s[U * m + V][i] = rho_e[i];
      S_s[V * m + U][i] = rho_e[i];
      S_s[V * m + V][i] = -rho_e[i];
      S_s[V * m + W][i] = -rho_w[i];
      S_s[W * m + V][i] = el->at.beta * rho_e[i];
    }
  for (int i = 0; i < n; i++) {
    rho_e[i]          = -rho_e[i]; /* by u from here on */
    S_s[W * m + U][i] = el->at.beta * rho_e[i];
    S_s[W * m + W][i] = el->at.beta * rho_w[i];
  }
}

/* -------------------------------------------------------------------------------------------------- faces ---- */

/* K, M and their derivatives by the mean w of n faces between a and b. */
static void transport(const ScoriaElectrode *el, int n, const double a_w[], const double b_w[], const double *const g[],
                      double c[], double K[], double K_w[], double M[], double M_w[])
{
  const double c_R = el->c_R, per_kappa = 1.0 / el->at.kappa_ref, per_D = 1.0 / el->at.D_ref;
  for (int i = 0; i < n; i++) c[i] = 0.5 * c_R * (a_w[i] + b_w[i]);
  scoria_electrolytes[el->electrolyte].evaluate(el, n, c, K, K_w, M, M_w);
  for (int i = 0; i < n; i++) {
    K[i] *= per_kappa * g[C_KAPPA][i];
    K_w[i] *= c_R * per_kappa * g[C_KAPPA][i];
    M[i] *= per_D * g[C_D][i];
    M_w[i] *= c_R * per_D * g[C_D][i];
  }
}

static void solid_flux(int n, int m, const double a_v[], const double b_v[], const double g[], double *const F[],
                       double *const F_a[], double *const F_b[])
{
  for (int i = 0; i < n; i++) F[V][i] = -g[i] * (b_v[i] - a_v[i]);
  for (int i = 0; i < n && F_a; i++) {
    F_a[V * m + V][i] = g[i];
    F_b[V * m + V][i] = -g[i];
  }
}

static void flux(const void *p, int n, const double *const a[], const double *const b[], const double *const g[],
                 double *const F[], double *const F_a[], double *const F_b[], double work[])
{
  const ScoriaElectrode *el = p;
  const int m               = unknowns(el);
  const double chi2         = el->at.chi2;
  const double *a_ln = a[m + LN_W], *b_ln = b[m + LN_W], *a_chi2_w = a[m + CHI2_PER_W], *b_chi2_w = b[m + CHI2_PER_W];
  double *drop = work, *K = work + n, *K_w = K + n, *M = K_w + n, *M_w = M + n;
  transport(el, n, a[W], b[W], g, drop, K, K_w, M, M_w);
  for (int i = 0; i < n; i++) {
    drop[i] = (b[U][i] - a[U][i]) - chi2 * (b_ln[i] - a_ln[i]);
    F[U][i] = -K[i] * drop[i];
    F[W][i] = -M[i] * (b[W][i] - a[W][i]);
  }
  if (m > V) solid_flux(n, m, a[V], b[V], g[C_SIGMA], F, F_a, F_b);
  if (!F_a) return;
  for (int i = 0; i < n; i++) {
    const double mean = -0.5 * K_w[i] * drop[i], mean_w = -0.5 * M_w[i] * (b[W][i] - a[W][i]);
    F_a[U * m + U][i] = K[i];
    F_b[U * m + U][i] = -K[i];
    F_a[U * m + W][i] = mean - K[i] * a_chi2_w[i];
    F_b[U * m + W][i] = mean + K[i] * b_chi2_w[i];
    F_a[W * m + W][i] = mean_w + M[i];
    F_b[W * m + W][i] = mean_w - M[i];
  }
}

double electrode_face_potential(const ScoriaElectrode *el, const double s[], const double g[])
{
  const double one = 1.0, *gs[] = {g, g + 1};
  double c, K, K_w, M, M_w;
  transport(el, 1, &s[W], &one, gs, &c, &K, &K_w, &M, &M_w);
  return (K * (s[U] - el->at.chi2 * s[unknowns(el) + LN_W]) - el->at.drive) / (K + el->at.gamma);
}

/* I = drive + gamma u_L, without the cancellation of the difference form: exact for current control. */
static void separator(const ScoriaElectrode *el, const double s[], const double g[], double F[], double dF[])
{
  const int m      = unknowns(el);
  const double one = 1.0, *gs[] = {g, g + 1}, gamma = el->at.gamma;
  double c, K, K_w, M, M_w;
  transport(el, 1, &s[W], &one, gs, &c, &K, &K_w, &M, &M_w);
  const double flow = s[U] - el->at.chi2 * s[m + LN_W], total = K + gamma, u_L = (K * flow - el->at.drive) / total;
  F[U] = el->at.drive + gamma * u_L;
  F[W] = -M * (1.0 - s[W]);
  if (m > V) F[V] = 0;
  if (!dF) return;
  const double by_K = gamma * (el->at.drive + gamma * flow) / (total * total);
  dF[U * m + U]     = K * gamma / total;
  dF[U * m + W]     = 0.5 * by_K * K_w - dF[U * m + U] * s[m + CHI2_PER_W];
  dF[W * m + W]     = M - 0.5 * M_w * (1.0 - s[W]);
}

static void boundary(const void *p, int side, const double s[], const double g[], double F[], double dF[])
{
  const ScoriaElectrode *el = p;
  const int m               = unknowns(el);
  if (side == 1) {
    separator(el, s, g, F, dF);
    return;
  }
  F[U] = F[W] = 0;
  if (m == V) return;
  F[V] = -g[C_SIGMA] * s[V];
  if (dF) dF[V * m + V] = -g[C_SIGMA];
}

/* ----------------------------------------------------------------------------------------- start, manufactured ---- */

static void start(const void *p, double s[])
{
  const ScoriaElectrode *el = p;
  s[U]                      = (-0.5 * (el->ohmic ? 0 : el->G) * el->L - el->at.U0) / el->at.thermal;
  s[W]                      = 1;
  s[V]                      = 0;
}

/* Zero, with zero slope, at x = 0 and L: what depends on y and z does not disturb the boundary conditions. */
static double lateral(const double X[3])
{
  const double bump = X[0] * (1.0 - X[0]);
  return 16.0 * bump * bump * (cos(2.0 * PETSC_PI * X[1]) + 0.7 * sin(2.0 * PETSC_PI * (X[1] + X[2])));
}

static void manufactured(const void *p, const double X[3], double s[])
{
  const ScoriaElectrode *el = p;
  s[U]                      = -2.3 + 0.8 * cos(1.9 * X[0]) + 0.2 * lateral(X);
  s[W]                      = 1.0 + 0.35 * (cos(1.4 * X[0]) - cos(1.4)) + 0.1 * lateral(X);
  if (el->ohmic) s[V] = -0.1 * X[0] * (2.0 - X[0]) + 0.02 * lateral(X);
}

/* F_right = i_e(L) - g_sep phi(L) of that state, where w = 1. */
static void manufactured_theta(const void *p, const double eps[2], double theta[])
{
  ScoriaElectrode el = *(const ScoriaElectrode *)p;
  const double u_L = -2.3 + 0.8 * cos(1.9), u_x = -0.8 * 1.9 * sin(1.9), w_x = -0.35 * 1.4 * sin(1.4);
  theta[SCORIA_U0]      = 0.01;
  theta[SCORIA_F_RIGHT] = 0;
  theta[SCORIA_ELL]     = 1e-5;
  varied_get(&el.varied, p, theta);
  at(&el, theta);
  const double i_L      = -pow(eps[1], el.b_kappa) * (u_x - el.at.chi2 * w_x) * el.at.i_scale;
  theta[SCORIA_F_RIGHT] = i_L - el.g_sep * u_L * el.at.thermal;
}

/* phi_s is 0 at the collector, and phi_s(L) the loss in the solid. */
static int quantities(const void *p, ScoriaProblemQuantity quantity[])
{
  const ScoriaElectrode *el = p;
  int n                     = 0;
  quantity[n++] =
      (ScoriaProblemQuantity){"phi_collector", "V", "potential at the current collector, x = 0", 1, 0, 1.0, -1};
  if (el->g_sep != 0 && !varied_has(&el->varied, offsetof(ScoriaElectrode, g_sep)))
    quantity[n++] = (ScoriaProblemQuantity){
        "total_current", "A m^-2",      "current density at the separator, F_right + g_sep phi(L)", 1, 1,
        el->g_sep,       SCORIA_F_RIGHT};
  if (el->ohmic)
    quantity[n++] = (ScoriaProblemQuantity){
        "phi_s_separator", "V", "potential of the solid at the separator, x = L", 2, 1, 1.0, -1};
  return n;
}

static const ScoriaConditionRow conditions[] = {
    SCORIA_CONDITION("electrode", "U0", "V", false),
    SCORIA_CONDITION("electrode", "F_right", "A m^-2", false),
    SCORIA_CONDITION_ELL,
    {.name = NULL},
};

static const char *const variants[] = {
    "electrode: {set: article}\n",
    "electrode: {set: article, chi: 1, bruggeman_D: 2.1}\n",
    "electrode: {set: article, g_sep: 3000}\n",
    "electrode: {set: article, electrolyte: capiglia1999, chi: 1, g_sep: 500}\n",
    "electrode: {set: article, solid: ohmic, sigma: 3}\n",
    "electrode: {set: chen2020_negative, bruggeman_kappa: 1.5, bruggeman_D: 1.8}\n",
    "electrode: {set: chen2020_negative, T: 320, bruggeman_D: 1.8}\n",
    "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n",
    "electrode: {set: chen2020_positive, solid: ohmic, g_sep: 2.55e4}\n",
    "electrode: {set: marquis2019_negative, bruggeman_D: 2.2}\n",
    "electrode: {set: marquis2019_positive, electrolyte: constant, kappa0: 1, D0: 2e-10, g_sep: 4.42e4}\n",
    NULL,
};

const ScoriaProblem scoria_electrode = {
    .name               = "electrode",
    .help               = "electrolyte concentration and potential in a porous electrode",
    .keys               = electrode_keys,
    .conditions         = conditions,
    .size               = sizeof(ScoriaElectrode),
    .parameters         = electrode_parameters,
    .read               = ElectrodeFromDeck,
    .check              = ElectrodeCheck,
    .at                 = at,
    .load               = set_load,
    .shape              = shape,
    .coefficients       = coefficients,
    .locals             = locals,
    .capacities         = capacities,
    .derive             = derive,
    .flux               = flux,
    .boundary           = boundary,
    .source             = source,
    .derived_fields     = electrode_derived,
    .derive_field       = electrode_derive,
    .quantities         = quantities,
    .symmetries         = electrode_symmetries,
    .start              = start,
    .guess              = electrode_guess,
    .manufactured       = manufactured,
    .manufactured_theta = manufactured_theta,
    .variants           = variants,
};

PetscErrorCode ElectrodeFromDeck(ScoriaDeck deck, void *el)
{
  PetscFunctionBeginUser;
  PetscCall(ElectrodeRead(deck, &scoria_electrode, el));
  PetscFunctionReturn(0);
}
