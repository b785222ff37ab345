/* Material properties: electrolytes, kinetics and open-circuit potentials, each a row of a table.
 *
 * Nyman et al. (2008) as used by Chen et al. (2020); Capiglia et al. (1999) as used by Marquis et al. (2019) at 298.15
 * K. */
#include "electrode.h"
#include <math.h>

/* ------------------------------------------------------------------------------------------- electrolytes ---- */

static void constant_evaluate(const ScoriaElectrode *el, int n, const double c[], double kappa[], double dkappa[],
                              double D[], double dD[])
{
  (void)c;
  for (int i = 0; i < n; i++) {
    kappa[i]  = el->kappa0;
    D[i]      = el->D0;
    dkappa[i] = dD[i] = 0;
  }
}

/* kappa = 0.1297 y^3 - 2.51 y^1.5 + 3.329 y, D = 8.794e-11 y^2 - 3.972e-10 y + 4.862e-10, y = c / 1000 */
static void nyman_evaluate(const ScoriaElectrode *el, int n, const double c[], double kappa[], double dkappa[],
                           double D[], double dD[])
{
  (void)el;
  for (int i = 0; i < n; i++) {
    const double y = 1e-3 * c[i], root = sqrt(y);
    kappa[i]  = y * (0.1297 * y * y - 2.51 * root + 3.329);
    dkappa[i] = 1e-3 * (0.3891 * y * y - 3.765 * root + 3.329);
    D[i]      = (8.794e-11 * y - 3.972e-10) * y + 4.862e-10;
    dD[i]     = 1e-3 * (17.588e-11 * y - 3.972e-10);
  }
}

/* kappa = 0.0911 + 1.9101 y - 1.052 y^2 + 0.1554 y^3, D = 5.34e-10 exp(-0.65 y), y = c / 1000 */
static void capiglia_evaluate(const ScoriaElectrode *el, int n, const double c[], double kappa[], double dkappa[],
                              double D[], double dD[])
{
  (void)el;
  for (int i = 0; i < n; i++) {
    const double y = 1e-3 * c[i];
    kappa[i]       = ((0.1554 * y - 1.052) * y + 1.9101) * y + 0.0911;
    dkappa[i]      = 1e-3 * ((0.4662 * y - 2.104) * y + 1.9101);
    D[i]           = 5.34e-10 * exp(-0.65 * y);
    dD[i]          = -0.65e-3 * D[i];
  }
}

const ScoriaElectrolyte scoria_electrolytes[] = {
    {"constant", "kappa0 D0", constant_evaluate},
    {"nyman2008", "", nyman_evaluate},
    {"capiglia1999", "", capiglia_evaluate},
    {NULL, NULL, NULL},
};

const ScoriaKinetics *const scoria_kinetics[] = {&scoria_linear, &scoria_newman, NULL};

double arrhenius(double E, double T)
{
  return isnan(E) ? 1.0 : exp(E / GAS_CONSTANT * (1.0 / T_REFERENCE - 1.0 / T));
}

/* ------------------------------------------------------------------------------------ open-circuit curves ---- */

static double chen2020_negative(double s)
{
  return 1.9793 * exp(-39.3631 * s) + 0.2482 - 0.0909 * tanh(29.8538 * (s - 0.1234)) -
         0.04478 * tanh(14.9159 * (s - 0.2769)) - 0.0205 * tanh(30.4444 * (s - 0.6103));
}

static double chen2020_positive(double s)
{
  return -0.8090 * s + 4.4875 - 0.0428 * tanh(18.5138 * (s - 0.5542)) - 17.7326 * tanh(15.7890 * (s - 0.3117)) +
         17.5842 * tanh(15.9308 * (s - 0.3120));
}

static double marquis2019_negative(double s)
{
  return 0.194 + 1.5 * exp(-120.0 * s) + 0.0351 * tanh((s - 0.286) / 0.083) - 0.0045 * tanh((s - 0.849) / 0.119) -
         0.035 * tanh((s - 0.9233) / 0.05) - 0.0147 * tanh((s - 0.5) / 0.034) - 0.102 * tanh((s - 0.194) / 0.142) -
         0.022 * tanh((s - 0.9) / 0.0164) - 0.011 * tanh((s - 0.124) / 0.0226) + 0.0155 * tanh((s - 0.105) / 0.029);
}

static double marquis2019_positive(double s)
{
  const double z = 1.062 * s;
  return 2.16216 + 0.07645 * tanh(30.834 - 54.4806 * z) + 2.1581 * tanh(52.294 - 50.294 * z) -
         0.14169 * tanh(11.0923 - 19.8543 * z) + 0.2051 * tanh(1.4684 - 5.4888 * z) +
         0.2531 * tanh((0.56478 - z) / 0.1316) - 0.02167 * tanh((z - 0.525) / 0.006);
}

const ScoriaOcp scoria_ocps[] = {
    {"chen2020_negative", chen2020_negative},
    {"chen2020_positive", chen2020_positive},
    {"marquis2019_negative", marquis2019_negative},
    {"marquis2019_positive", marquis2019_positive},
    {NULL, NULL},
};

/* Full and empty particles have no exchange current: the ends stay a thousandth away. */
#define S_FIRST 0.001
#define S_LAST 0.999
#define S_STEPS 4000

void ocp_monotone(const ScoriaOcp *curve, double s[2])
{
  const double step = (S_LAST - S_FIRST) / S_STEPS;
  double before     = curve->potential(S_FIRST);
  int longest = 0, begin = 0;
  s[0] = s[1] = S_FIRST;
  for (int i = 1; i <= S_STEPS; i++) {
    const double here = curve->potential(S_FIRST + i * step);
    if (here >= before) begin = i;
    before = here;
    if (i - begin > longest) {
      longest = i - begin;
      s[0]    = S_FIRST + begin * step;
      s[1]    = S_FIRST + i * step;
    }
  }
}

double ocp_invert(const ScoriaOcp *curve, const double interval[2], double potential)
{
  double lo = interval[0], hi = interval[1];
  if (!(potential <= curve->potential(lo) && potential >= curve->potential(hi))) return NAN;
  for (;;) {
    const double middle = 0.5 * (lo + hi);
    if (middle <= lo || middle >= hi) return middle;
    if (curve->potential(middle) > potential)
      lo = middle;
    else
      hi = middle;
  }
}
