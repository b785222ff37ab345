/* Private to the fidelities: the members of a family of solves, and the rows of their table. */
#ifndef SCORIA_DRAW_FAMILY_H
#define SCORIA_DRAW_FAMILY_H

#include "scoria/fidelity.h"

#define FIDELITY_BATCH 32 /* realisations whose lateral means are solved together by a group */

typedef struct Family_ Family;
typedef struct Member_ Member;

/* A row of the table: name, and "name:number" where it takes a number, at least `least`. */
typedef struct {
  const char *name, *help;
  int least;  /* 0: it takes none */
  bool other; /* it solves at another realisation than it is drawn: of estimates alone, never of a dataset's rows */
  /* Whether the family has it; lacks gets what is missing, in words. */
  bool (*fits)(const Family *f, int number, size_t size, char lacks[]);
  PetscErrorCode (*create)(const Family *f, Member *m);
  /* Realisation i of a batch, as it is drawn: eps of this rank's own cells, into fields (channels, cells). */
  PetscErrorCode (*take)(const Family *f, Member *m, const double theta[], int i, const double eps[], double fields[],
                         ScoriaFidelityCost *cost);
  /* After the last realisation of a batch of n, into fields (n, channels, cells); NULL: nothing is left to do. */
  PetscErrorCode (*end)(const Family *f, Member *m, const double theta[], int n, double fields[],
                        ScoriaFidelityCost *cost);
  int numbers[3]; /* of those that are taken where the deck names none; 0 ends */
} FidelityRow;

struct Member_ {
  const FidelityRow *row;
  int number;
  ScoriaSolver solver; /* owned, unless it is the ensemble's */
  bool borrowed;
  ScoriaGrid grid;
  int cells;                /* own ones of the solver */
  int factor[3];            /* fine cells in one of its cells, along each axis */
  double *eps;              /* owned (cells): its own porosity */
  double *planes;           /* owned: planes of fine porosity on their way to the ranks that own the coarse ones */
  double *arrived;          /* owned */
  int *counts;              /* owned (4, ranks of the group): sent, from, received, to */
  double *profile;          /* owned (FIDELITY_BATCH, nx): of lines */
  double *columns;          /* owned (channels, own cells of the family's grid): whole fields of columns */
  bool alone;               /* every rank solves for itself */
  double *at;               /* owned (conditions): theta that a linear one is linearised at; NULL: of others */
  bool tried, is_at;        /* it was tried there; and has a twin */
  ScoriaSolveStatus status; /* of the last solve on this rank; of many columns, of the first that failed, if any */
};

struct Family_ {
  ScoriaEnsemble ensemble;    /* borrowed */
  const ScoriaGroups *groups; /* borrowed */
  ScoriaGrid grid;
  ScoriaPorosity porosity; /* borrowed from the ensemble */
  const ScoriaProblem *problem;
  void *parameters;    /* owned */
  ScoriaSolver solver; /* borrowed from the ensemble */
  int conditions;
  int channels, cells, nx, time; /* cells of a row: nx, or, of whole fields, those of the grid */
  bool whole;
  bool estimates; /* an estimate's, not a dataset's */
  int nderived;
  const int *derived; /* borrowed from the ensemble */
  double rtol;
  double *eps;  /* owned: own cells of the fine grid */
  double *line; /* owned (nx + 2): scratch */
  double *own;  /* owned (cells): of whole fields, those of a field that a rank has; */
  double *all;  /* owned (cells): on the first rank of a group, all of it */
  int n;
  Member member[SCORIA_MAX_FIDELITIES];
};

extern const FidelityRow *const fidelity_rows[]; /* ends with NULL */
extern const FidelityRow fidelity_fine, fidelity_grid, fidelity_lateral, fidelity_line, fidelity_mirror,
    fidelity_columns, fidelity_steps, fidelity_linear;
/* The member of a row, -1: none. */
int family_find(const Family *f, const FidelityRow *row);

/* A solver of the member's own on m->grid, on the group or on this rank alone.  rtol: of its time integration. */
PetscErrorCode FidelitySolver(const Family *f, Member *m, MPI_Comm group, double rtol);
/* The same in one dimension, of every rank by itself, with room for `values` of profiles. */
PetscErrorCode FidelityLine(const Family *f, Member *m, size_t values);
/* Room for the profiles of a batch, realisation i of it, and their solves dealt to the ranks of the group: callbacks of
 * a row of lines.  solve: at a porosity (nx), into the member's solver and status. */
PetscErrorCode FidelityCreateLine(const Family *f, Member *m);
PetscErrorCode FidelityTakeLine(const Family *f, Member *m, const double theta[], int i, const double eps[],
                                double fields[], ScoriaFidelityCost *cost);
typedef PetscErrorCode (*FidelityLineSolve)(const Family *f, Member *m, const double theta[], const double eps[],
                                            bool counts, ScoriaFidelityCost *cost);
PetscErrorCode FidelityDealLines(const Family *f, Member *m, const double theta[], int n, FidelityLineSolve solve,
                                 double fields[], ScoriaFidelityCost *cost);
bool fidelity_has_lateral(const Family *f, int number, size_t size, char lacks[]);
/* fidelity_fields.c: the solver's last solution at the cells of the family, into fields (channels, cells): profiles on
 * every rank, whole fields on the first of the group, or on a rank that solves alone. */
PetscErrorCode FidelityFields(const Family *f, Member *m, double fields[]);
/* Values `own` of a field that the ranks of the group share on the family's own grid, into field (cells) on the first.
 */
PetscErrorCode FidelityGather(const Family *f, const double own[], double field[]);
/* A solve to the cost: `counts` where this rank counts it. */
void fidelity_count(ScoriaFidelityCost *cost, const ScoriaGrid *grid, const ScoriaSolveStatus *status, bool counts);
int64_t family_draw_work(const Family *f); /* of one draw of the porosity */
double grid_cells(const ScoriaGrid *grid);

/* The family behind fidelities of the PDE. */
Family *fidelities_family(ScoriaFidelities all);

#endif
