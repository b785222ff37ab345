/* The conditions of a dataset's rows, and whether rows that are there have them. */
#include "generate.h"
#include <math.h>

PetscErrorCode GenerateDesignOpen(ScoriaDesign of, const ScoriaDatasetSpec *spec, GenerateDesign *design)
{
  double theta[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  *design = (GenerateDesign){.of           = of,
                             .space        = design_space(of),
                             .conditions   = spec->rows / spec->realisations,
                             .realisations = spec->realisations,
                             .shared       = spec->realisations,
                             .at           = -1};
  PetscCall(GenerateTheta(design, 0, theta)); /* the same of every row: whether a file has enough of them */
  PetscFunctionReturn(0);
}

uint64_t generate_number(const GenerateDesign *design, int64_t row)
{
  const int64_t condition = row / design->realisations, i = row % design->realisations;
  const int64_t extra = SCORIA_DRAWS_ROWS_END; /* numbers of rows end before */
  return draw_number(SCORIA_DRAWS_ROWS, 0, i < design->shared ? condition * design->shared + i : extra + row);
}

PetscErrorCode GenerateTheta(GenerateDesign *design, int64_t row, double theta[])
{
  const int64_t condition = row / design->realisations;
  PetscFunctionBeginUser;
  if (condition != design->at)
    PetscCall(ScoriaDesignTheta(design->of, false, condition, design->conditions, design->theta));
  design->at = condition;
  PetscCall(PetscArraycpy(theta, design->theta, design->space->n));
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateGive(void *design, int64_t row, double theta[], double eps[])
{
  (void)eps;
  PetscFunctionBeginUser;
  PetscCall(GenerateTheta(design, row, theta));
  PetscFunctionReturn(0);
}

bool generate_at_design(GenerateDesign *design, const ScoriaRows *rows, int64_t first)
{
  double theta[SCORIA_MAX_CONDITIONS];
  for (int64_t i = 0; i < rows->rows; i++) {
    if (!rows->done[i]) continue;
    if (GenerateTheta(design, first + i, theta)) return false;
    for (int c = 0; c < design->space->n; c++) {
      const ScoriaCondition *range = &design->space->c[c];
      const double near = 1e-12 * fmax(fabs(range->lo), fabs(range->hi)); /* libraries differ in last digits */
      if (!(fabs(rows->condition[c][i] - theta[c]) <= near)) return false;
    }
  }
  return true;
}
