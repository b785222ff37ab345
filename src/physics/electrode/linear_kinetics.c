/* Linear kinetics, after the article of Vandecasteele (2026):
 *   a_s = a_s0 (1 - eps),  j = k_rn eta,  eta = phi_s - phi - U0.
 * With constant properties and chi = 0 the whole problem is affine in (U0, F_right), and c never enters the charge
 * balance: it may then fall below zero, which the affine problem cannot see. */
#include "electrode.h"

static double area(const ScoriaElectrode *el, double eps)
{
  return el->a_s0 * (1.0 - eps);
}

static double prefactor(const ScoriaElectrode *el, double c_s)
{
  (void)c_s;
  return el->k_rn * GAS_CONSTANT * el->T / FARADAY;
}

static double overpotential(double rate)
{
  return rate;
}

static void react(int n, const double A[], const double e[], const double w[], double rho[], double rho_e[],
                  double rho_w[])
{
  (void)w;
  for (int i = 0; i < n; i++) rho[i] = A[i] * e[i];
  for (int i = 0; i < n && rho_e; i++) {
    rho_e[i] = A[i];
    rho_w[i] = 0;
  }
}

const ScoriaKinetics scoria_linear = {
    .name          = "linear",
    .needs         = "a_s0 k_rn",
    .positive      = false,
    .intercalation = false,
    .area          = area,
    .prefactor     = prefactor,
    .overpotential = overpotential,
    .react         = react,
};
