/* The table of fidelities, and the family of them that belongs to an ensemble: the porosity of a realisation is drawn
 * once, on the deck's grid, and every member solves with it, or with its means over larger cells. */
#include "family.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const FidelityRow *const fidelity_rows[] = {&fidelity_fine,    &fidelity_line,    &fidelity_mirror,
                                            &fidelity_grid,    &fidelity_columns, &fidelity_steps,
                                            &fidelity_lateral, &fidelity_linear,  NULL};
#define NROWS ((int)(sizeof fidelity_rows / sizeof *fidelity_rows) - 1)

struct ScoriaFidelities_ {
  const ScoriaFidelitiesKind *kind; /* borrowed */
  void *ctx;                        /* owned */
  int n;
  char name[SCORIA_MAX_FIDELITIES][SCORIA_FIDELITY_NAME];
  int coarsening[SCORIA_MAX_FIDELITIES], same[SCORIA_MAX_FIDELITIES];
  ScoriaFidelityCost cost[SCORIA_MAX_FIDELITIES + 1];
};

/* --------------------------------------------------------------------------------------------- the family ---- */

static PetscErrorCode DrawBatch(Family *f, const double theta[], unsigned members, uint64_t first, int n,
                                double *const fields[], ScoriaFidelityCost cost[])
{
  const size_t width = (size_t)f->channels * (size_t)f->cells;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) {
    double start = wall_seconds();
    PetscCall(ScoriaEnsembleDraw(f->ensemble, theta, first + (uint64_t)i, f->eps));
    cost[f->n].seconds += wall_seconds() - start;
    if (groups_leads(f->groups)) {
      cost[f->n].solves++;
      cost[f->n].work += family_draw_work(f);
    }
    for (int k = 0; k < f->n; k++) {
      if (!(members >> k & 1)) continue;
      start = wall_seconds();
      PetscCall(f->member[k].row->take(f, &f->member[k], theta, i, f->eps, fields[k] + i * width, &cost[k]));
      cost[k].seconds += wall_seconds() - start;
    }
  }
  for (int k = 0; k < f->n; k++) {
    const double start = wall_seconds();
    if (!(members >> k & 1) || !f->member[k].row->end) continue;
    PetscCall(f->member[k].row->end(f, &f->member[k], theta, n, fields[k], &cost[k]));
    cost[k].seconds += wall_seconds() - start;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Draw(void *ctx, const double theta[], unsigned members, uint64_t first, int64_t n,
                           double *const fields[], ScoriaFidelityCost cost[])
{
  Family *f          = ctx;
  const size_t width = (size_t)f->channels * (size_t)f->cells;
  double *at[SCORIA_MAX_FIDELITIES];
  PetscFunctionBeginUser;
  for (int64_t done = 0; done < n; done += FIDELITY_BATCH) {
    for (int k = 0; k < f->n; k++) at[k] = fields[k] ? fields[k] + (size_t)done * width : NULL;
    PetscCall(DrawBatch(f, theta, members, first + (uint64_t)done, (int)PetscMin(n - done, FIDELITY_BATCH), at, cost));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *ctx)
{
  Family *f = ctx;
  PetscFunctionBeginUser;
  for (int k = 0; k < f->n; k++) {
    Member *m = &f->member[k];
    if (!m->borrowed) PetscCall(ScoriaSolverDestroy(&m->solver));
    PetscCall(PetscFree(m->eps));
    PetscCall(PetscFree(m->planes));
    PetscCall(PetscFree(m->arrived));
    PetscCall(PetscFree(m->counts));
    PetscCall(PetscFree(m->profile));
    PetscCall(PetscFree(m->columns));
    PetscCall(PetscFree(m->at));
  }
  PetscCall(PetscFree2(f->eps, f->line));
  PetscCall(PetscFree2(f->own, f->all));
  PetscCall(PetscFree(f->parameters));
  PetscCall(PetscFree(f));
  PetscFunctionReturn(0);
}

static const ScoriaFidelitiesKind pde = {Draw, Destroy};

/* ------------------------------------------------------------------------------------------ which there are ---- */

static void member_name(const FidelityRow *row, int number, char name[SCORIA_FIDELITY_NAME])
{
  if (row->least)
    snprintf(name, SCORIA_FIDELITY_NAME, "%s:%d", row->name, number);
  else
    snprintf(name, SCORIA_FIDELITY_NAME, "%s", row->name);
}

static PetscErrorCode Add(Family *f, const FidelityRow *row, int number)
{
  Member *m = &f->member[f->n];
  PetscFunctionBeginUser;
  *m = (Member){.row = row, .number = number, .grid = f->grid, .factor = {1, 1, 1}};
  f->n++;
  PetscCall(row->create(f, m));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddAll(Family *f)
{
  char lacks[128];
  PetscFunctionBeginUser;
  for (int r = 1; r < NROWS; r++)
    for (int i = 0; i < 3 && fidelity_rows[r]->numbers[i]; i++)
      if (f->n < SCORIA_MAX_FIDELITIES && fidelity_rows[r]->fits(f, fidelity_rows[r]->numbers[i], sizeof lacks, lacks))
        PetscCall(Add(f, fidelity_rows[r], fidelity_rows[r]->numbers[i]));
  PetscFunctionReturn(0);
}

static bool is_known(bool estimates, const FidelityRow *row)
{
  return estimates || !row->other;
}

static void names_of_rows(bool estimates, size_t size, char text[])
{
  text[0] = 0;
  for (int r = 1; r < NROWS; r++)
    if (is_known(estimates, fidelity_rows[r]))
      snprintf(text + strlen(text), size - strlen(text), "%s%s%s", r > 1 ? ", " : "", fidelity_rows[r]->name,
               fidelity_rows[r]->least ? ":N" : "");
}

/* A word of no row, or with a number too many or too few. */
static PetscErrorCode RefuseWord(bool estimates, const char *key, const char *word)
{
  const size_t length = strcspn(word, ":");
  const char *names[NROWS];
  char known[160], start[SCORIA_FIDELITY_NAME], hint[64] = "";
  int n = 0;
  PetscFunctionBeginUser;
  for (int r = 0; r < NROWS; r++)
    if (is_known(estimates, fidelity_rows[r]) && (fidelity_rows[r]->least > 0) == (word[length] == ':'))
      names[n++] = fidelity_rows[r]->name;
  snprintf(start, sizeof start, "%.*s", (int)length, word);
  const char *nearest = text_nearest(start, n, names);
  if (nearest && strcmp(nearest, start)) snprintf(hint, sizeof hint, " (did you mean %s%s?)", nearest, word + length);
  names_of_rows(estimates, sizeof known, known);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\"%s, expected %s of %s", key, word, hint, estimates ? "some" : "one",
              known);
  PetscFunctionReturn(0);
}

/* "grid:2" to its row and number; NROWS: of none. */
static int row_of(const char *word, long *number)
{
  const size_t length = strcspn(word, ":");
  int r               = 0;
  while (r < NROWS && (strncmp(fidelity_rows[r]->name, word, length) || fidelity_rows[r]->name[length])) r++;
  char *end = NULL;
  *number   = word[length] ? strtol(word + length + 1, &end, 10) : 0;
  return r == NROWS || (fidelity_rows[r]->least > 0) != (word[length] == ':') || (end && *end) ? NROWS : r;
}

PetscErrorCode ScoriaFidelityCheckName(const char *key, const char *name)
{
  long number;
  PetscFunctionBeginUser;
  if (row_of(name, &number) == NROWS) PetscCall(RefuseWord(false, key, name));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddNamed(Family *f, const char *key, const char *word)
{
  char lacks[128] = "";
  long number;
  const int r = row_of(word, &number);
  PetscFunctionBeginUser;
  if (r == 0) PetscFunctionReturn(0); /* the first is always there */
  if (r == NROWS) PetscCall(RefuseWord(f->estimates, key, word));
  if (!is_known(f->estimates, fidelity_rows[r]))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", which solves at another porosity than the row's", key, word);
  if (fidelity_rows[r]->least && (number < fidelity_rows[r]->least || number > 1000000))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", expected a number of at least %d", key, word,
                fidelity_rows[r]->least);
  for (int k = 0; k < f->n; k++)
    if (f->member[k].row == fidelity_rows[r] && f->member[k].number == number)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\" twice", key, word);
  if (f->n == SCORIA_MAX_FIDELITIES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: \"%s\" is one too many, at most %d beside the deck's own solve", key, word,
                SCORIA_MAX_FIDELITIES - 1);
  if (!fidelity_rows[r]->fits(f, (int)number, sizeof lacks, lacks))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found \"%s\", but %s", key, word, lacks);
  PetscCall(Add(f, fidelity_rows[r], (int)number));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddList(Family *f, const char *key, const char *list)
{
  char word[SCORIA_FIDELITY_NAME];
  PetscFunctionBeginUser;
  while (list_next_word(&list, sizeof word, word)) PetscCall(AddNamed(f, key, word));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- life time ---- */

PetscErrorCode ScoriaFidelitiesCreate(const ScoriaFidelitiesKind *kind, void *ctx, int n,
                                      const char names[][SCORIA_FIDELITY_NAME], const int same[], ScoriaFidelities *all)
{
  PetscFunctionBeginUser;
  PetscCheck(n > 0 && n <= SCORIA_MAX_FIDELITIES, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d fidelities", n);
  PetscCall(PetscNew(all));
  **all = (struct ScoriaFidelities_){.kind = kind, .ctx = ctx, .n = n, .coarsening = {1}};
  for (int k = 0; k < n; k++) memcpy((*all)->name[k], names[k], SCORIA_FIDELITY_NAME);
  for (int k = 0; k < n && same; k++) (*all)->same[k] = same[k];
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFidelitiesOfPde(ScoriaDeck deck, ScoriaEnsemble ens, const char *key, const char *list,
                                     ScoriaFidelities *all)
{
  char names[SCORIA_MAX_FIDELITIES][SCORIA_FIDELITY_NAME];
  int same[SCORIA_MAX_FIDELITIES] = {0};
  ScoriaDatasetSpec spec;
  const double *x;
  Family *f;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&f));
  PetscCall(ScoriaEnsembleSpec(ens, &spec, &x));
  PetscCall(ScoriaProblemFromDeck(deck, &f->problem, &f->parameters));
  ensemble_grid(ens, &f->grid);
  f->ensemble   = ens;
  f->groups     = ScoriaEnsembleGroups(ens);
  f->solver     = ensemble_solver(ens);
  f->porosity   = ensemble_porosity(ens);
  f->derived    = ensemble_derived(ens, &f->nderived);
  f->time       = space_find(&spec.space, "time");
  f->rtol       = 1e-5;
  f->nx         = f->grid.n[0];
  f->conditions = spec.space.n;
  f->cells      = spec.cells;
  f->whole      = spec_is_whole(&spec);
  f->channels   = spec_states(&spec);
  f->estimates  = strncmp(key, "ensemble_", strlen("ensemble_")) != 0;
  PetscCall(ScoriaDeckReal(deck, "ensemble_time_tolerance", &f->rtol));
  PetscCall(PetscMalloc2(PetscMax(solver_own_cells(f->solver), 1), &f->eps, f->nx + 2, &f->line));
  if (f->whole) PetscCall(PetscMalloc2(f->cells, &f->own, f->cells, &f->all));
  PetscCall(Add(f, &fidelity_fine, 0));
  if (list)
    PetscCall(AddList(f, key, list));
  else
    PetscCall(AddAll(f));
  for (int k = 0; k < f->n; k++) member_name(f->member[k].row, f->member[k].number, names[k]);
  const int mirror = family_find(f, &fidelity_mirror);
  if (mirror > 0) same[mirror] = 1 + (f->grid.dim > 1 ? family_find(f, &fidelity_line) : 0);
  PetscCall(ScoriaFidelitiesCreate(&pde, f, f->n, names, same, all));
  for (int k = 0; k < f->n; k++)
    (*all)->coarsening[k] = f->member[k].row == &fidelity_fine   ? 1
                            : f->member[k].row == &fidelity_grid ? f->member[k].number
                                                                 : 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFidelitiesDestroy(ScoriaFidelities *all)
{
  PetscFunctionBeginUser;
  if (!*all) PetscFunctionReturn(0);
  PetscCall((*all)->kind->destroy((*all)->ctx));
  PetscCall(PetscFree(*all));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaFidelitiesDraw(ScoriaFidelities all, const double theta[], unsigned members, uint64_t first,
                                    int64_t n, double *const fields[])
{
  PetscFunctionBeginUser;
  PetscCall(all->kind->draw(all->ctx, theta, members, first, n, fields, all->cost));
  PetscFunctionReturn(0);
}

Family *fidelities_family(ScoriaFidelities all)
{
  return all->ctx;
}

int fidelities_number(ScoriaFidelities all)
{
  return all->n;
}

const char *fidelities_name(ScoriaFidelities all, int k)
{
  return all->name[k];
}

const ScoriaFidelityCost *fidelities_cost(ScoriaFidelities all)
{
  return all->cost;
}

int64_t fidelities_cells(ScoriaFidelities all, int k)
{
  const Family *f = all->ctx;
  const Member *m = &f->member[k];
  return (int64_t)grid_cells(m->row == &fidelity_columns ? &f->grid : &m->grid);
}

int fidelities_same(ScoriaFidelities all, int k)
{
  return all->same[k];
}

int fidelities_coarsening(ScoriaFidelities all, int k)
{
  return all->coarsening[k];
}
