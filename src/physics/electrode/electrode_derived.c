/* Fields that follow from c, phi and the porosity.  All are values of the solver's own balances, so that these hold for
 * them as they do for the solution: with faces f = 0 ... n between the cells, i_f the current through them, and h the
 * width of a cell,
 *
 *   (a_s j)_k h = i_{k+1} - i_k  in one dimension, and so does the lateral mean in two and three; i_0 = 0, i_n =
 * i_e(L).
 *
 * A field has one value a cell, at its middle: i_e is the mean of the cell's two faces, which is of second order there.
 * Hence h sum_k (a_s j)_k = i_e(L), and i_e(k + 1) - i_e(k) = h [(a_s j)_k + (a_s j)_{k+1}] / 2. */
#include "electrode.h"

enum { REACTION, CURRENT, OVERPOTENTIAL };

const ScoriaField electrode_derived[] = {
    [REACTION]      = {"j", "A m^-3", "local reaction current a_s j, per volume", false},
    [CURRENT]       = {"i_e", "A m^-2", "ionic current density along x", false},
    [OVERPOTENTIAL] = {"eta", "V", "surface overpotential phi_s - phi - U0", false},
    {.name = ""},
};

void electrode_derive(const void *p, int k, const ScoriaPencil *pencil, double values[])
{
  const ScoriaElectrode *el = p;
  const double *F = pencil->F[U], *S = pencil->S[U], *open = pencil->local[ELECTRODE_POTENTIAL];
  const double *u = pencil->s[U], *v = el->ohmic ? pencil->s[V] : NULL;
  const double i_scale = el->at.i_scale, thermal = el->at.thermal;
  for (int i = 0; i < pencil->n; i++) switch (k) {
    case REACTION:
      values[i] = S[i] * i_scale / pencil->h;
      break;
    case CURRENT:
      values[i] = 0.5 * (F[i] + F[i + 1]) * i_scale;
      break;
    default:
      values[i] = (open[i] + (v ? v[i] : 0) - u[i]) * thermal;
    }
}
