/* The porous electrode of Newman and Tobias (1962) with symmetric Butler-Volmer kinetics (Doyle, Fuller and Newman,
 * 1993): a_s = 3 f_AM (1 - eps) / R_p,  j = 2 j0 sinh(F eta / 2RT),  j0 = m c^1/2 c_s^1/2 (c_max - c_s)^1/2, eta =
 * phi_s - phi - U0. */
#include "electrode.h"
#include <math.h>

static double area(const ScoriaElectrode *el, double eps)
{
  return 3.0 * el->f_AM * (1.0 - eps) / el->R_p;
}

static double prefactor(const ScoriaElectrode *el, double c_s)
{
  return 2.0 * el->m_rate * sqrt(el->c_R * c_s * (el->c_max - c_s));
}

static double overpotential(double rate)
{
  return 2.0 * asinh(rate);
}

/* rate = w^1/2 sinh(e / 2): one exponential and one square root per cell serve the value and both derivatives. */
static void react(int n, const double A[], const double e[], const double w[], double rho[], double rho_e[],
                  double rho_w[])
{
  for (int i = 0; i < n; i++) rho[i] = exp(0.5 * e[i]);
  if (!rho_e) {
    for (int i = 0; i < n; i++) rho[i] = 0.5 * A[i] * sqrt(w[i]) * (rho[i] - 1.0 / rho[i]);
    return;
  }
  for (int i = 0; i < n; i++) {
    const double half = 0.5 * A[i] * sqrt(w[i]), up = rho[i], down = 1.0 / up;
    rho[i]   = half * (up - down);
    rho_e[i] = 0.5 * half * (up + down);
    rho_w[i] = 0.5 * rho[i] / w[i];
  }
}

const ScoriaKinetics scoria_newman = {
    .name          = "newman",
    .needs         = "R_p f_AM m c_max",
    .positive      = true,
    .intercalation = true,
    .area          = area,
    .prefactor     = prefactor,
    .overpotential = overpotential,
    .react         = react,
};
