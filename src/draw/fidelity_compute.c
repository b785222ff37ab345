/* Rows of datasets by a relative of the deck's solve. */
#include "family.h"
#include "scoria/phases.h"
#include <math.h>

void fidelities_spec(ScoriaDatasetSpec *spec)
{
  spec->nfields = spec_states(spec) + 1; /* the porosity comes behind the states */
}

static bool all_finite(int n, const double value[])
{
  for (int i = 0; i < n; i++)
    if (!isfinite(value[i])) return false;
  return true;
}

/* A failure that another rank of the group has met shows in the fields alone. */
static void put_status(const ScoriaSolveStatus *status, bool solved, ScoriaRows *row)
{
  row->done[0]     = solved ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
  row->reason[0]   = solved == (status->reason > 0) ? status->reason : solved ? 1 : -1;
  row->newton[0]   = status->newton;
  row->attempts[0] = (uint8_t)PetscMin(status->attempts, UINT8_MAX);
  row->residual[0] = status->residual;
}

/* One row at the porosity f->eps; fields (channels, cells) is scratch. */
static PetscErrorCode ComputeRow(Family *f, Member *m, int n, const double theta[], double fields[], ScoriaRows *row)
{
  ScoriaFidelityCost cost = {0};
  PetscFunctionBeginUser;
  PetscCall(m->row->take(f, m, theta, 0, f->eps, fields, &cost));
  if (m->row->end) PetscCall(m->row->end(f, m, theta, 1, fields, &cost));
  rows_unpack(1, f->channels, f->cells, fields, n, theta, row);
  PetscCall(ScoriaSolverAverage(f->solver, f->eps, row->field[f->channels], NULL));
  put_status(&m->status, all_finite(f->channels * f->cells, fields), row);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFidelitiesCompute(ScoriaFidelities all, int k, int64_t number, const double theta[],
                                       const uint64_t ids[], ScoriaRows *rows)
{
  Family *f = fidelities_family(all);
  ScoriaDatasetSpec spec;
  const double *x;
  double *fields;
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleSpec(f->ensemble, &spec, &x));
  fidelities_spec(&spec);
  const int n = spec.space.n;
  PetscCheck(number <= rows->capacity, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%lld rows, room for %lld",
             (long long)number, (long long)rows->capacity);
  PetscCall(PetscMalloc1((size_t)f->channels * (size_t)f->cells, &fields));
  for (int64_t i = 0; i < number; i++) {
    phase_begin(SCORIA_PHASE_DRAW);
    PetscCall(ScoriaEnsembleDraw(f->ensemble, theta + i * n, ids[i], f->eps));
    phase_end(SCORIA_PHASE_DRAW, groups_leads(f->groups));
    phase_begin(SCORIA_PHASE_SOLVE);
    ScoriaRows row = rows_from(&spec, rows, i);
    PetscCall(ComputeRow(f, &f->member[k], n, theta + i * n, fields, &row));
    phase_end(SCORIA_PHASE_SOLVE, groups_leads(f->groups));
  }
  rows->rows = number;
  PetscCall(PetscFree(fields));
  PetscFunctionReturn(0);
}
