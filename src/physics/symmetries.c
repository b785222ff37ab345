/* The laws of a problem that hold whatever the porosity, as checks of fields that did not come from its solver. */
#include "internal.h"

int problem_symmetries(const ScoriaProblem *problem, const void *parameters, const ScoriaSpace *space, int dimensions,
                       ScoriaSymmetry symmetry[])
{
  return problem->symmetries ? problem->symmetries(parameters, space, dimensions, symmetry) : 0;
}

void symmetry_residuals(const ScoriaSymmetry *symmetry, const ScoriaProblem *problem, void *parameters,
                        const double theta[], int64_t n, int channels, int cells, const double fields[],
                        double residual[])
{
  problem->at(parameters, theta);
  for (int64_t i = 0; i < n; i++) residual[i] = symmetry->residual(parameters, cells, fields + i * channels * cells);
}
