/* Steady or transient heat conduction through a porous layer, such as an insulating brick, with a random porosity:
 *
 *   (1 - eps) rho_c dT/dt = div (k grad T) + (1 - eps) q,   k = k_s^(1 - eps) k_f^eps (T / T_0)^n
 *
 * x = 0: the heat flux q_left enters; x = L: h (T - T_right) leaves by convection.  k is the geometric mean of solid
 * and fluid, which lies between their bounds in series and in parallel (Woodside and Messmer, 1961).  In s = T / T_0,
 * fluxes in units of k_s T_0 / L. */
#include "physics/internal.h"
#include <math.h>

#define T_0 300.0 /* [K] */

enum { T_RIGHT, Q_LEFT, ELL }; /* conditions */

extern const ScoriaProblem scoria_heat;

typedef struct {
  double L, k_s, k_f, n, h, q, rho_c;
  ScoriaVaried varied; /* which of these are conditions */
  /* at theta, scaled */
  double right, full, left, source;
} Heat;

#define PARAMETER(name, unit, member) SCORIA_PARAMETER("heat", name, unit, Heat, member)
static const ScoriaParameter parameters[] = {
    PARAMETER("L", "m", L),
    PARAMETER("k_s", "W m^-1 K^-1", k_s),
    PARAMETER("k_f", "W m^-1 K^-1", k_f),
    PARAMETER("n", "", n),
    PARAMETER("h", "W m^-2 K^-1", h),
    PARAMETER("q", "W m^-3", q),
    PARAMETER("rho_c", "J m^-3 K^-1", rho_c),
    {.row = {.name = NULL}},
};

static PetscErrorCode read_deck(ScoriaDeck deck, void *p)
{
  Heat *heat = p;
  bool steady;
  PetscFunctionBeginUser;
  PetscCall(ParametersOfDeck(deck, &scoria_heat, p, &heat->varied));
  PetscCall(ScoriaDeckIs(deck, "ensemble_mode", "steady", &steady));
  if (steady && varied_has(&heat->varied, offsetof(Heat, rho_c)))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "conditions_rho_c: nothing depends on it with ensemble_mode steady");
  PetscFunctionReturn(0);
}

/* Without load: everything at T_right. */
static void set_load(void *p, double share)
{
  Heat *heat        = p;
  const double unit = heat->k_s * T_0 / heat->L;
  heat->left        = share * heat->full / unit;
  heat->source      = share * heat->q / unit;
}

static bool at(void *p, const double theta[])
{
  Heat *heat = p;
  varied_set(&heat->varied, theta, p);
  heat->right = theta[T_RIGHT] / T_0;
  heat->full  = theta[Q_LEFT];
  set_load(p, 1.0);
  return heat->right > 0;
}

static void shape(const void *p, ScoriaShape *sh)
{
  const Heat *heat = p;
  *sh              = (ScoriaShape){.unknowns     = 1,
                                   .coefficients = 1,
                                   .locals       = 1,
                                   .L            = heat->L,
                                   .scale        = {T_0},
                                   .positive     = {true},
                                   .load         = fabs(heat->left),
                                   .tau          = heat->rho_c * heat->L * heat->L / heat->k_s,
                                   .output       = {0},
                                   .field        = {{"T", "K", "temperature"}},
                                   .reference    = {NAN}};
}

static void coefficients(const void *p, int n, const double eps[], double *const C[])
{
  const Heat *heat   = p;
  const double ratio = log(heat->k_f / heat->k_s);
  for (int i = 0; i < n; i++) C[0][i] = exp(eps[i] * ratio);
}

static void locals(const void *p, int n, double x, double h, const double eps[], double *const local[])
{
  (void)p;
  (void)x;
  for (int i = 0; i < n; i++) local[0][i] = (1.0 - eps[i]) * h;
}

static void capacities(const void *p, int n, double h, const double eps[], double *const capacity[])
{
  const Heat *heat = p;
  for (int i = 0; i < n; i++) capacity[0][i] = (1.0 - eps[i]) * heat->rho_c * h * heat->L / heat->k_s;
}

static void flux(const void *p, int n, const double *const a[], const double *const b[], const double *const g[],
                 double *const F[], double *const F_a[], double *const F_b[], double work[])
{
  const Heat *heat = p;
  double *K        = work;
  for (int i = 0; i < n; i++) K[i] = g[0][i] * pow(0.5 * (a[0][i] + b[0][i]), heat->n);
  for (int i = 0; i < n; i++) F[0][i] = -K[i] * (b[0][i] - a[0][i]);
  for (int i = 0; i < n && F_a; i++) {
    const double mean = heat->n * F[0][i] / (a[0][i] + b[0][i]);
    F_a[0][i]         = mean + K[i];
    F_b[0][i]         = mean - K[i];
  }
}

/* x = L: through half a cell and the convective layer in series, the conductivity that of the cell. */
static void boundary(const void *p, int side, const double s[], const double g[], double F[], double dF[])
{
  const Heat *heat = p;
  const double Bi = heat->h * heat->L / heat->k_s, K = g[0] * pow(s[0], heat->n), both = K + Bi;
  F[0] = side ? K * Bi / both * (s[0] - heat->right) : heat->left;
  if (dF && side) dF[0] = K * Bi / both + heat->n * K / s[0] * Bi * Bi / (both * both) * (s[0] - heat->right);
}

static void source(const void *p, int n, const double *const local[], const double *const s[], double *const S[],
                   double *const S_s[], double work[])
{
  const Heat *heat = p;
  (void)s;
  (void)S_s;
  (void)work;
  for (int i = 0; i < n; i++) S[0][i] = heat->source * local[0][i];
}

static const ScoriaField derived_fields[] = {{.name = "flux", .unit = "W m^-2", .description = "heat flux along x"},
                                             {.name = ""}};

/* The mean of a cell's two faces, which is of second order at its middle. */
static void derive_field(const void *p, int k, const ScoriaPencil *pencil, double flux[])
{
  const Heat *heat  = p;
  const double unit = heat->k_s * T_0 / heat->L, *F = pencil->F[0];
  (void)k;
  for (int i = 0; i < pencil->n; i++) flux[i] = 0.5 * unit * (F[i] + F[i + 1]);
}

static void start(const void *p, double s[])
{
  s[0] = ((const Heat *)p)->right;
}

/* ------------------------------------------------------------------------------------------- verification ---- */

static void manufactured(const void *p, const double X[3], double s[])
{
  const double bump = X[0] * (1.0 - X[0]); /* no slope at x = 0 and L in what depends on y and z */
  (void)p;
  s[0] = 1.5 - 0.3 * X[0] - 0.1 * X[0] * X[0] +
         1.6 * bump * bump * (cos(2.0 * PETSC_PI * X[1]) + 0.5 * sin(2.0 * PETSC_PI * (X[1] - X[2])));
}

/* The flux into that state at x = 0, and the surroundings into which its flux at x = L flows. */
static void manufactured_theta(const void *p, const double eps[2], double theta[])
{
  const Heat *heat  = p;
  const double unit = heat->k_s * T_0 / heat->L, ratio = log(heat->k_f / heat->k_s);
  varied_get(&heat->varied, p, theta);
  const double out = exp(eps[1] * ratio) * pow(1.1, heat->n) * 0.5; /* s(1) = 1.1, s'(1) = -0.5 */
  theta[Q_LEFT]    = unit * exp(eps[0] * ratio) * pow(1.5, heat->n) * 0.3;
  theta[T_RIGHT]   = T_0 * (1.1 - out * heat->k_s / (heat->h * heat->L));
  theta[ELL]       = 0.1 * heat->L;
}

/* Bounds of sense: what lies outside is a slip of unit, such as millimetres. */
#define THICKNESS 1e-6, 10
#define CONDUCTIVITY 1e-6, 1e4 /* from gas in evacuated pores */
#define EXPONENT -4, 4
#define TRANSFER 1e-3, 1e7
#define SOURCE -1e12, 1e12
#define CAPACITY 1, 1e8
#define TEMPERATURE 1, 5000 /* from liquid helium on */
#define FLUX -1e9, 1e9

/* clang-format off */
static const ScoriaKey keys[] = {
    {"heat_L", SCORIA_KEY_REAL, "m", "0.1", THICKNESS, NULL, "thickness", SCORIA_DECIDES_LAW},
    PARAMETER_KEYS("heat", "k_s", "W m^-1 K^-1", "1.5", CONDUCTIVITY, "conductivity of the solid at 300 K"),
    PARAMETER_KEYS("heat", "k_f", "W m^-1 K^-1", "0.03", CONDUCTIVITY, "conductivity of the fluid in the pores at 300 K"),
    PARAMETER_KEYS("heat", "n", "", "0.5", EXPONENT, "exponent of the temperature in the conductivity"),
    PARAMETER_KEYS("heat", "h", "W m^-2 K^-1", "20", TRANSFER, "heat transfer to the surroundings at x = L"),
    PARAMETER_KEYS("heat", "q", "W m^-3", "0", SOURCE, "heat source in the solid"),
    PARAMETER_KEYS("heat", "rho_c", "J m^-3 K^-1", "2e6", CAPACITY, "volumetric heat capacity of the solid"),
    PARAMETER_KEYS("heat", "T_right", "K", "300", TEMPERATURE, "temperature of the surroundings"),
    PARAMETER_KEYS("heat", "q_left", "W m^-2", NULL, FLUX, "heat flux at x = 0"),
    {.name = NULL},
};
/* clang-format on */

/* With a conductivity that does not depend on T the problem is linear. */
static int symmetries(const void *p, const ScoriaSpace *space, int dimensions, ScoriaSymmetry symmetry[])
{
  static const ScoriaSymmetry rows[] = {
      {.name      = "T_right_shift",
       .help      = "constant conductivity: T shifts with the temperature of the surroundings",
       .kind      = SCORIA_SYMMETRY_SHIFT,
       .condition = T_RIGHT,
       .shift     = {1}},
      {.name      = "affine_q_left",
       .help      = "constant conductivity: the mean of T is affine in q_left",
       .kind      = SCORIA_SYMMETRY_AFFINE,
       .condition = Q_LEFT},
  };
  int n = 0;
  (void)dimensions;
  for (int i = 0; i < 2 && ((const Heat *)p)->n == 0 && !varied_has(&((const Heat *)p)->varied, offsetof(Heat, n)); i++)
    if (space->c[rows[i].condition].lo < space->c[rows[i].condition].hi) symmetry[n++] = rows[i];
  return n;
}

static const ScoriaConditionRow conditions[] = {
    SCORIA_CONDITION("heat", "T_right", "K", false),
    SCORIA_CONDITION("heat", "q_left", "W m^-2", false),
    SCORIA_CONDITION_ELL,
    {.name = NULL},
};

static const char *const variants[] = {
    "heat: {q: 2000}\n",
    "heat: {k_s: 3, k_f: 0.6, n: -1, h: 60}\n",
    NULL,
};

const ScoriaProblem scoria_heat = {
    .name               = "heat",
    .help               = "temperature in a porous layer",
    .keys               = keys,
    .conditions         = conditions,
    .size               = sizeof(Heat),
    .parameters         = parameters,
    .read               = read_deck,
    .at                 = at,
    .load               = set_load,
    .shape              = shape,
    .coefficients       = coefficients,
    .locals             = locals,
    .capacities         = capacities,
    .flux               = flux,
    .boundary           = boundary,
    .source             = source,
    .derived_fields     = derived_fields,
    .derive_field       = derive_field,
    .symmetries         = symmetries,
    .start              = start,
    .manufactured       = manufactured,
    .manufactured_theta = manufactured_theta,
    .variants           = variants,
};
