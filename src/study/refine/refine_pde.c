/* refine: from normals to profiles to fields, by the PDE. */
#include "refine.h"

static PetscErrorCode Profile(void *ctx, const double theta[], const double z[], double eps[])
{
  const RefinePde *pde = ctx;
  PetscFunctionBeginUser;
  if (!porosity_set(pde->por, &pde->forward.spec.space, theta))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "refine: the bounds of the porosity exclude its mean and SD in a row");
  PetscCall(ScoriaPorosityFrom(pde->por, theta[space_find(&pde->forward.spec.space, "ell")], z, eps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(void *ctx, int64_t n, const double theta[], const double eps[], ScoriaRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaEnsembleCompute(((RefinePde *)ctx)->ens, n, theta, NULL, eps, rows));
  PetscFunctionReturn(0);
}

/* The problem's conditions over the ranges of the file. */
static PetscErrorCode ReadSpace(ScoriaDeck deck, const ScoriaSpace *given, ScoriaSpace *space)
{
  const ScoriaProblem *problem;
  void *parameters;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  PetscCall(PetscFree(parameters));
  PetscCall(ScoriaSpaceFixed(deck, problem, space));
  for (int k = 0; k < space->n; k++) {
    const int at = space_find(given, space->c[k].name);
    if (at >= 0) space->c[k] = given->c[at];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RefinePdeOpen(ScoriaRun run, ScoriaDeck deck, const ScoriaDatasetSpec *given, RefinePde *pde)
{
  ScoriaSpace space;
  ScoriaGrid grid;
  bool library;
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityIsLibrary(deck, &library));
  if (library)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "refine: porosity_file is set: a porosity is sought among draws of a Gaussian "
                                   "process, crops of a structure have no coordinates to search");
  pde->forward = (RefineForward){.ctx = pde, .profile = Profile, .solve = Solve};
  PetscCall(ReadSpace(deck, &given->space, &space));
  PetscCall(ScoriaEnsembleCreateAt(ScoriaRunComm(run), deck, &space, given->cells, &pde->ens));
  PetscCall(ScoriaEnsembleSpec(pde->ens, &pde->forward.spec, &pde->x));
  ensemble_grid(pde->ens, &grid);
  if (grid.dim > 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "refine: ensemble_cells has %d axes, expected one: a profile does not determine a "
                "porosity of two or three dimensions",
                grid.dim);
  PetscCall(ScoriaPorosityCreate(deck, ScoriaEnsembleGroups(pde->ens)->group, &grid, &pde->por));
  PetscFunctionReturn(0);
}

PetscErrorCode RefinePdeClose(RefinePde *pde)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaPorosityDestroy(&pde->por));
  PetscCall(ScoriaEnsembleDestroy(&pde->ens));
  PetscFunctionReturn(0);
}
