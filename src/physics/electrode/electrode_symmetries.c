/* What is known of the electrode's fields whatever the porosity:
 *
 *   - g_sep = 0, state fixed: U0 is a gauge; c does not depend on it, phi + U0 neither;
 *   - linear kinetics, constant properties, no diffusional term: fields are affine in the load for a given porosity,
 * and so their means are;
 *   - steady, b_kappa = b_D: at x = 0 nothing flows, and the sources of charge and salt are in the ratio 1 : beta
 *     everywhere, so that N = beta I at every face, where the porosity cancels: c is a function of phi - phi(L);
 *   - c = c_R at the separator's face; neither c nor phi has a slope at the collector. */
#include "electrode.h"
#include <math.h>
#include <stdio.h>

enum { FIELD_C, FIELD_PHI }; /* in a row of fields */

/* Value at the upper face and slope at the lower one (times the length of all cells), of second order from three
 * cells. */
static double face_value(int n, const double f[])
{
  return (15.0 * f[n - 1] - 10.0 * f[n - 2] + 3.0 * f[n - 3]) / 8.0;
}

static double face_slope(int n, const double f[])
{
  return n * (3.0 * f[1] - 2.0 * f[0] - f[2]);
}

static double separator_residual(const void *p, int cells, const double fields[])
{
  return face_value(cells, fields + (size_t)FIELD_C * cells) - ((const ScoriaElectrode *)p)->c_R;
}

static double slope_c(const void *p, int cells, const double fields[])
{
  (void)p;
  return face_slope(cells, fields + (size_t)FIELD_C * cells);
}

static double slope_phi(const void *p, int cells, const double fields[])
{
  (void)p;
  return face_slope(cells, fields + (size_t)FIELD_PHI * cells);
}

/* dc [mol m^-3] between two cells that belongs to their dphi: N = beta I, both divided by M. */
static double salt_step(const ScoriaElectrode *el, double c_a, double c_b, double dphi)
{
  const double c = 0.5 * (c_a + c_b);
  double kappa, dkappa, D, dD;
  scoria_electrolytes[el->electrolyte].evaluate(el, 1, &c, &kappa, &dkappa, &D, &dD);
  const double ratio = el->at.beta * (kappa / el->at.kappa_ref) / (D / el->at.D_ref);
  const double drop  = dphi / el->at.thermal - (el->at.chi2 != 0 ? el->at.chi2 * log(c_b / c_a) : 0);
  return el->c_R * ratio * drop;
}

/* rms over cells of c minus what follows from phi, both counted from the last cell. */
static double relation_residual(const void *p, int cells, const double fields[])
{
  const double *c = fields + (size_t)FIELD_C * cells, *phi = fields + (size_t)FIELD_PHI * cells;
  double gap = 0, sum = 0;
  for (int i = cells - 1; i > 0; i--) {
    gap -= c[i] - c[i - 1] - salt_step(p, c[i - 1], c[i], phi[i] - phi[i - 1]);
    sum += gap * gap;
  }
  return sqrt(sum / (cells - 1));
}

/* ---------------------------------------------------------------------------------------------- the list ---- */

static bool varies(const ScoriaSpace *space, int condition)
{
  return space->c[condition].lo < space->c[condition].hi;
}

static ScoriaSymmetry *add(int *n, ScoriaSymmetry symmetry[], const char *name, const char *help)
{
  ScoriaSymmetry *s = &symmetry[(*n)++];
  *s                = (ScoriaSymmetry){.condition = -1};
  snprintf(s->name, sizeof s->name, "%s", name);
  snprintf(s->help, sizeof s->help, "%s", help);
  return s;
}

static void add_residual(int *n, ScoriaSymmetry symmetry[], const char *name, const char *help, int field,
                         double (*residual)(const void *p, int cells, const double fields[]))
{
  ScoriaSymmetry *s = add(n, symmetry, name, help);
  s->kind           = SCORIA_SYMMETRY_RESIDUAL;
  s->field          = field;
  s->residual       = residual;
}

int electrode_symmetries(const void *p, const ScoriaSpace *space, int dimensions, ScoriaSymmetry symmetry[])
{
  const ScoriaElectrode *el = p;
  const bool linear = !electrode_positive(el), gauge = el->g_sep == 0 && !el->state_ocp,
             steady = space_find(space, "time") < 0;
  int n             = 0;
  if (gauge && varies(space, SCORIA_U0)) {
    ScoriaSymmetry *s =
        add(&n, symmetry, "U0_shift", "U0 is a gauge: c does not see it, phi shifts by minus its change");
    s->kind             = SCORIA_SYMMETRY_SHIFT;
    s->condition        = SCORIA_U0;
    s->shift[FIELD_PHI] = -1;
  }
  if (linear && !el->state_ocp && varies(space, SCORIA_F_RIGHT)) {
    ScoriaSymmetry *s =
        add(&n, symmetry, "affine_F_right", "linear problem: the means of all fields are affine in F_right");
    s->kind      = SCORIA_SYMMETRY_AFFINE;
    s->condition = SCORIA_F_RIGHT;
  }
  /* A lateral mean of c follows from the mean of phi only where c is linear in it. */
  const bool equal = el->b_kappa == el->b_D && !varied_has(&el->varied, offsetof(ScoriaElectrode, b_kappa)) &&
                     !varied_has(&el->varied, offsetof(ScoriaElectrode, b_D));
  if (steady && equal && (dimensions == 1 || linear))
    add_residual(&n, symmetry, "c_of_phi", "equal exponents: c is a function of phi - phi(L), whatever the porosity",
                 FIELD_C, relation_residual);
  add_residual(&n, symmetry, "c_separator", "c at the separator's face, extrapolated, is c_R", FIELD_C,
               separator_residual);
  add_residual(&n, symmetry, "c_slope", "c has no slope at the collector; the slope times L", FIELD_C, slope_c);
  add_residual(&n, symmetry, "phi_slope", "phi has no slope at the collector; the slope times L", FIELD_PHI, slope_phi);
  return n;
}
