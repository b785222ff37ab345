/* scoria/fidelity.h - a solve and its cheaper relatives: other discretisations of the same problem at the same
 * realisation of the porosity, which estimators combine (scoria/estimators.h). */
#ifndef SCORIA_FIDELITY_H
#define SCORIA_FIDELITY_H

#include "draw.h"

#define SCORIA_MAX_FIDELITIES 6
#define SCORIA_FIDELITY_NAME 24

/* What draws cost, of this rank: they add up over ranks and starts.  `work` is counted from iterations and cells and is
 * therefore the same on every machine and any number of ranks: core nanoseconds, roughly, of a processor of 2023. */
typedef struct {
  double seconds; /* measured */
  int64_t work, solves, failed;
} ScoriaFidelityCost;

/* A kind of such a family.  draw: fields[k] (n, channels, cells) of every member k whose bit is set in `members`, of
 * realisations [first, first + n) at theta; those of a solve that failed are NaN.  cost (members + 1) is added to; the
 * last is of the porosity, which is drawn once for all members.  Collective on the rank's own team. */
typedef struct {
  PetscErrorCode (*draw)(void *ctx, const double theta[], unsigned members, uint64_t first, int64_t n,
                         double *const fields[], ScoriaFidelityCost cost[]);
  PetscErrorCode (*destroy)(void *ctx);
} ScoriaFidelitiesKind;

typedef struct ScoriaFidelities_ *ScoriaFidelities;

/* Of any kind, with n members, the first of which is the one that counts; kind is borrowed, ctx becomes the object's
 * own, names (n) are copied, and same (n), the member whose law each has, plus 1, 0: none; NULL: none at all. */
PetscErrorCode ScoriaFidelitiesCreate(const ScoriaFidelitiesKind *kind, void *ctx, int n,
                                      const char names[][SCORIA_FIDELITY_NAME], const int same[],
                                      ScoriaFidelities *all);
/* The solves of an ensemble (borrowed), and the relatives that the deck's list names, "line, grid:2"; NULL: all that
 * its problem and its grid have.  One that they lack, or that is named twice, is a user error that names `key`.
 * Collective on the rank's group. */
PetscErrorCode ScoriaFidelitiesOfPde(ScoriaDeck deck, ScoriaEnsemble ens, const char *key, const char *list,
                                     ScoriaFidelities *all);
PetscErrorCode ScoriaFidelitiesDestroy(ScoriaFidelities *all);
/* A name that no row of datasets can be of, of any problem, is a user error that names `key`.  Local. */
PetscErrorCode ScoriaFidelityCheckName(const char *key, const char *name);
PetscErrorCode ScoriaFidelitiesDraw(ScoriaFidelities all, const double theta[], unsigned members, uint64_t first,
                                    int64_t n, double *const fields[]);

/* Rows of datasets by member k of the PDE's, of realisations ids (number) at theta (number, conditions): its states and
 * the profile of the porosity as the deck's grid has it.  Collective on the rank's group; the leader's rows count. */
PetscErrorCode ScoriaFidelitiesCompute(ScoriaFidelities all, int k, int64_t number, const double theta[],
                                       const uint64_t ids[], ScoriaRows *rows);
/* From the description of the deck's own rows to that of such rows, which lack lateral standard deviations. */
void fidelities_spec(ScoriaDatasetSpec *spec);

/* How many members, the first the deck's own; the name of member k, borrowed. */
int fidelities_number(ScoriaFidelities all);
const char *fidelities_name(ScoriaFidelities all, int k);
/* (members + 1), borrowed: what this rank has spent since the object was made. */
const ScoriaFidelityCost *fidelities_cost(ScoriaFidelities all);
/* Cells that a solve of member k of the PDE's has, those of all columns together. */
int64_t fidelities_cells(ScoriaFidelities all, int k);
/* The member whose law a member's values have, plus 1; 0: none. */
int fidelities_same(ScoriaFidelities all, int k);
/* Cells along each axis of a member in units of those of the first: 1, or the factor of a coarser grid of all axes, on
 * which the error of the discretisation is studied; 0: it is no such grid. */
int fidelities_coarsening(ScoriaFidelities all, int k);

#endif
