/* One steady solve: the guess, Newton (newton.c), and what is tried when Newton fails.
 *
 * Failures: continuation from equilibrium (F_right = g_sep U0, where phi = -U0 solves the problem with G = 0) towards
 * F_right, halving the increment at most MAX_HALVINGS times; then the solve is recorded as failed. */
#include "solver.h"
#include <math.h>
#include <string.h>

#define MAX_HALVINGS 10

PetscErrorCode ScoriaSolverCreate(MPI_Comm group, const ScoriaElectrode *el, int cells, ScoriaSolver *solver)
{
  ScoriaSolver s;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  PetscCallMPI(MPI_Comm_dup(group, &s->group));
  PetscCallMPI(MPI_Comm_rank(s->group, &s->rank));
  PetscCallMPI(MPI_Comm_size(s->group, &s->size));
  if (cells < 2 * s->size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_cells: %d cells cannot be shared by a group of %d ranks, at least %d are needed", cells,
                s->size, 2 * s->size);
  s->el    = *el;
  s->cells = cells;
  s->U0    = NAN;
  if (el->state_ocp) ocp_monotone(&scoria_ocps[el->ocp], s->monotone);
  PetscCall(PetscMalloc2(s->size, &s->counts, s->size, &s->starts));
  for (int r = 0; r < s->size; r++) {
    int64_t first, number;
    deal_block(cells, r, s->size, &first, &number);
    s->starts[r] = 2 * (int)first;
    s->counts[r] = 2 * (int)number;
  }
  s->first = s->starts[s->rank] / 2;
  s->n     = s->counts[s->rank] / 2;
  PetscCall(BalanceCreate(&s->el, cells, 0, cells, &s->whole));
  s->mine = &s->whole;
  if (s->size > 1) {
    PetscCall(BalanceCreate(&s->el, cells, s->first, s->n, &s->part));
    s->mine = &s->part;
  }
  PetscCall(PetscCalloc3(12 * (size_t)s->n, &s->blocks, 2 * (size_t)cells, &s->state, 2 * (size_t)cells, &s->kept));
  PetscCall(NewtonCreate(s));
  *solver = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverDestroy(ScoriaSolver *solver)
{
  ScoriaSolver s = *solver;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  PetscCall(NewtonDestroy(s));
  PetscCall(BalanceDestroy(&s->whole));
  if (s->size > 1) PetscCall(BalanceDestroy(&s->part));
  PetscCall(PetscFree2(s->counts, s->starts));
  PetscCall(PetscFree3(s->blocks, s->state, s->kept));
  PetscCallMPI(MPI_Comm_free(&s->group));
  PetscCall(PetscFree(*solver));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- solve ---- */

/* c_s of this U0: from the set, or from the open-circuit curve (NaN outside it). */
static double solid_concentration(ScoriaSolver s, double U0)
{
  if (!s->el.state_ocp) return s->el.c_s;
  if (!(U0 == s->U0)) {
    s->U0  = U0;
    s->c_s = s->el.c_max * ocp_invert(&scoria_ocps[s->el.ocp], s->monotone, U0);
  }
  return s->c_s;
}

static void set_drive(ScoriaSolver s, double F_right)
{
  balance_drive(&s->whole, F_right);
  if (s->mine != &s->whole) balance_drive(s->mine, F_right);
}

/* The guess at the current drive into s->state: computed on every rank, so that it does not depend on their number. */
static void guess_state(ScoriaSolver s)
{
  balance_guess(&s->whole);
  for (int k = 0; k < s->cells; k++) {
    s->state[2 * k]     = s->whole.u[k + 1];
    s->state[2 * k + 1] = s->whole.w[k + 1];
  }
}

/* From equilibrium to F_right in increments that are halved on failure, each from the last solution. */
static PetscErrorCode Continuation(ScoriaSolver s, double F_right, double F_equilibrium, ScoriaSolveStatus *status)
{
  const size_t bytes = 2 * (size_t)s->cells * sizeof(double);
  double done = 0, increment = 0.5;
  PetscFunctionBeginUser;
  set_drive(s, F_equilibrium);
  guess_state(s);
  memcpy(s->kept, s->state, bytes);
  for (int halvings = 1; halvings <= MAX_HALVINGS && done < 1.0;) {
    const double next = done + increment; /* increments are powers of 1/2: 1 is reached exactly */
    set_drive(s, F_equilibrium + next * (F_right - F_equilibrium));
    memcpy(s->state, s->kept, bytes);
    PetscCall(NewtonSolve(s, status));
    if (status->reason > 0) {
      done = next;
      memcpy(s->kept, s->state, bytes);
    } else {
      increment *= 0.5;
      halvings++;
    }
  }
  PetscFunctionReturn(0);
}

static void fill_nan(int n, double c[], double phi[])
{
  for (int k = 0; k < n; k++) c[k] = phi[k] = NAN;
}

PetscErrorCode ScoriaSolverSolve(ScoriaSolver s, const double theta[], const double eps[], double c[], double phi[],
                                 ScoriaSolveStatus *status)
{
  const double c_s = solid_concentration(s, theta[SCORIA_U0]);
  PetscFunctionBeginUser;
  *status = (ScoriaSolveStatus){.reason = SNES_DIVERGED_FUNCTION_DOMAIN, .attempts = 1, .residual = NAN};
  fill_nan(s->cells, c, phi);
  if (s->el.state_ocp && isnan(c_s)) PetscFunctionReturn(0); /* no state of charge has this potential */
  status->attempts = 0;
  balance_set(&s->whole, theta[SCORIA_U0], c_s, eps);
  if (s->mine != &s->whole) balance_set(s->mine, theta[SCORIA_U0], c_s, eps);
  set_drive(s, theta[SCORIA_F_RIGHT]);
  guess_state(s);
  PetscCall(NewtonSolve(s, status));
  if (status->reason < 0) PetscCall(Continuation(s, theta[SCORIA_F_RIGHT], s->el.g_sep * theta[SCORIA_U0], status));
  if (status->reason < 0) PetscFunctionReturn(0);
  for (int k = 0; k < s->cells; k++) {
    phi[k] = s->whole.thermal * s->state[2 * k];
    c[k]   = s->el.c_R * s->state[2 * k + 1];
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- invariants ---- */

static void evaluate_solution(ScoriaSolver s, const double theta[], const double eps[], const double c[],
                              const double phi[])
{
  Balance *b = &s->whole;
  balance_set(b, theta[SCORIA_U0], solid_concentration(s, theta[SCORIA_U0]), eps);
  balance_drive(b, theta[SCORIA_F_RIGHT]);
  for (int k = 0; k < s->cells; k++) {
    b->u[k + 1] = phi[k] / b->thermal;
    b->w[k + 1] = c[k] / s->el.c_R;
  }
  balance_evaluate(b);
}

/* The scale below which a current counts as none: 1 A m^-2. */
PetscErrorCode ScoriaSolverChargeImbalance(ScoriaSolver s, const double theta[], const double eps[], const double c[],
                                           const double phi[], double *imbalance)
{
  Balance *b = &s->whole;
  double sum = 0;
  PetscFunctionBeginUser;
  evaluate_solution(s, theta, eps, c, phi);
  for (int k = 0; k < s->cells; k++) sum += b->rho[k];
  const double i_L = b->ie[b->n];
  *imbalance       = fabs(sum - i_L) / fmax(fabs(i_L), 1.0 / b->i_scale);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverSeparator(ScoriaSolver s, const double theta[], const double eps[], const double c[],
                                     const double phi[], double *phi_L, double *i_L)
{
  Balance *b = &s->whole;
  PetscFunctionBeginUser;
  evaluate_solution(s, theta, eps, c, phi);
  *phi_L = b->u[b->n + 1] * b->thermal;
  *i_L   = b->ie[b->n] * b->i_scale;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSolverSetSource(ScoriaSolver s, const double charge[], const double salt[])
{
  PetscFunctionBeginUser;
  Balance *each[] = {&s->whole, &s->part};
  const double dx = s->el.L / s->cells;
  for (int i = 0; i < (s->size > 1 ? 2 : 1); i++) {
    Balance *b        = each[i];
    const double unit = b->D_ref * s->el.c_R / s->el.L;
    for (int k = 0; k < b->n; k++) {
      b->source_u[k] = -charge[b->first + k] * dx / b->i_scale;
      b->source_w[k] = -salt[b->first + k] * dx / unit;
    }
  }
  PetscFunctionReturn(0);
}
