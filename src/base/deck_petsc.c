/* PETSc's options around a deck: where each comes from, whether PETSc has one of that name, and which of them reach a
 * solver, and so belong to what a deck says. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr, memmem */
#endif
#include "deck_petsc.h"
#include <ctype.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------------------- their sources ---- */

/* The files that PETSc reads by itself, in its order; the last that has an option counts. */
static const char *const rc_files[] = {"~/.petscrc", ".petscrc", "petscrc"};

static PetscErrorCode RcFile(int i, size_t size, char path[])
{
  const char *home = getenv("HOME");
  PetscFunctionBeginUser;
  if (rc_files[i][0] == '~')
    snprintf(path, size, "%s%s", home ? home : "", rc_files[i] + 1);
  else
    snprintf(path, size, "%s", rc_files[i]);
  PetscFunctionReturn(0);
}

PetscErrorCode DeckSourcesCreate(MPI_Comm comm, DeckSources *from)
{
  const char *environment = getenv("PETSC_OPTIONS");
  char path[PETSC_MAX_PATH_LEN], **arguments;
  int count, rank;
  PetscFunctionBeginUser;
  *from = (DeckSources){.count = 0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscGetArgs(&count, &arguments));
  void *words             = arguments + 1; /* taken as char **, and since 3.26 as const char *const * */
  from->name[from->count] = "command line";
  PetscCall(PetscOptionsCreate(&from->options[from->count]));
  PetscCall(PetscOptionsInsertArgs(from->options[from->count++], count - 1, words));
  from->name[from->count] = "PETSC_OPTIONS";
  PetscCall(PetscOptionsCreate(&from->options[from->count]));
  PetscCall(PetscOptionsInsertString(from->options[from->count++], environment));
  for (int i = (int)(sizeof rc_files / sizeof rc_files[0]) - 1; i >= 0; i--) {
    PetscCall(RcFile(i, sizeof path, path));
    int there = !rank && !access(path, R_OK);
    PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, comm));
    if (!there) continue;
    from->name[from->count] = rc_files[i];
    PetscCall(PetscOptionsCreate(&from->options[from->count]));
    PetscCall(PetscOptionsInsertFile(comm, from->options[from->count++], path, PETSC_FALSE));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DeckSourcesDestroy(DeckSources *from)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < from->count; i++) PetscCall(PetscOptionsDestroy(&from->options[i]));
  PetscFunctionReturn(0);
}

PetscErrorCode DeckSourceOf(const DeckSources *from, const char *option, int *source)
{
  PetscBool has = PETSC_FALSE;
  PetscFunctionBeginUser;
  for (*source = 0; *source < from->count; ++*source) {
    PetscCall(PetscOptionsHasName(from->options[*source], NULL, option, &has));
    if (has) PetscFunctionReturn(0);
  }
  *source = 0; /* set by a program, as tests do */
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ their names ---- */

/* What PETSc's options begin with, those of its solvers first. */
static const char *const prefixes[] = {"snes_",       "ksp_",       "pc_",   "mat_",     "vec_",
                                       "dm_",         "da_",        "ts_",   "mg_",      "fieldsplit_",
                                       "redundant_",  "sub_",       "npc_",  NULL, /* the others: */
                                       "log_",        "malloc",     "info",  "options_", "on_error",
                                       "start_in_",   "stop_for_",  "no_",   "fp_trap",  "mpi_",
                                       "memory_view", "error_",     "petsc", "objects_", "get_total_flops",
                                       "skip_",       "checkstack", "debug", "shared_",  "nox",
                                       "help",        "version",    "sf_",   "is_",      "blas_",
                                       NULL};

/* Prefixes of solvers inside solvers, "mg_levels_1_ksp_max_it"; what stands between one and the option is a number or a
 * name. */
static const char *const inner[]    = {"mg_levels_", "mg_coarse_", "mg_fine_", "fieldsplit_",
                                       "redundant_", "sub_",       "npc_",     NULL};

static const char *find_prefix(const char *name, const char *const list[])
{
  for (int i = 0; list[i]; i++)
    if (!strncmp(name, list[i], strlen(list[i]))) return list[i];
  return NULL;
}

/* The names that PETSc asks its database for are texts in its library: "-snes_rtol" and its closing 0. */
typedef struct {
  uintptr_t inside; /* an address in PETSc's library */
  const char *text;
  size_t size;
  bool found;
} Literal;

static int find_literal(struct dl_phdr_info *object, size_t size, void *ctx)
{
  Literal *wanted = ctx;
  bool here       = false;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    const uintptr_t start  = (uintptr_t)(object->dlpi_addr + part->p_vaddr);
    here = here || (part->p_type == PT_LOAD && wanted->inside >= start && wanted->inside < start + part->p_memsz);
  }
  for (int i = 0; i < object->dlpi_phnum && here && !wanted->found; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_R) || (part->p_flags & PF_W)) continue;
    const void *start = (const void *)(object->dlpi_addr + part->p_vaddr); /* NOLINT: an address is what it is */
    wanted->found     = memmem(start, part->p_filesz, wanted->text, wanted->size) != NULL;
  }
  return here;
}

static bool is_literal(const char *name)
{
  char text[300];
  const int size = snprintf(text, sizeof text, "-%s", name);
  Literal wanted = {.inside = (uintptr_t)PetscOptionsHasName, .text = text, .size = (size_t)size + 1};
  if (size <= 1 || (size_t)size >= sizeof text) return false;
  dl_iterate_phdr(find_literal, &wanted);
  return wanted.found;
}

bool petsc_reaches_solver(const char *name)
{
  return find_prefix(name, prefixes) && !strstr(name, "monitor") && !strstr(name, "view") &&
         !strstr(name, "converged_reason");
}

bool petsc_has_option(const char *name)
{
  const char *const *others = prefixes;
  while (*others) others++;
  if (!find_prefix(name, prefixes) && !find_prefix(name, others + 1)) return false;
  if (is_literal(name)) return true;
  const char *within = find_prefix(name, inner);
  for (const char *rest = within ? name + strlen(within) : NULL; rest; rest = strchr(rest, '_')) {
    rest += *rest == '_';
    if (find_prefix(rest, prefixes) && petsc_has_option(rest)) return true;
  }
  return false;
}

const char *petsc_program_sets(const char *name)
{
  static const char *const ours[][2] = {
      {"snes_convergence_test", "Newton's stopping rule is the program's"},
      {"ts_max_time", "ensemble: time says where an integration ends"},
      {"ts_init_time", "integrations begin at 0"},
      {"ts_exact_final_time", "integrations end where they are to end"},
  };
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    if (!strcmp(name, ours[i][0])) return ours[i][1];
  return NULL;
}

/* ------------------------------------------------------------------------------------------- as part of a deck ---- */

PetscErrorCode DeckEachOption(PetscOptions options, PetscErrorCode (*visit)(void *ctx, const char *option), void *ctx)
{
  char *all, *save = NULL;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetAll(options, &all));
  for (char *word = strtok_r(all, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    PetscBool option, there = PETSC_FALSE; /* a word of a value may look like an option */
    PetscCall(PetscOptionsValidKey(word, &option));
    if (option) PetscCall(PetscOptionsHasName(options, NULL, word, &there));
    if (there) PetscCall(visit(ctx, word));
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

#define MOST_OPTIONS 128

typedef struct {
  char *name[MOST_OPTIONS]; /* owned */
  int count;
} Names;

static PetscErrorCode NoteSolver(void *ctx, const char *option)
{
  Names *names = ctx;
  PetscFunctionBeginUser;
  if (!petsc_reaches_solver(option + 1)) PetscFunctionReturn(0);
  for (int i = 0; i < names->count; i++)
    if (!strcmp(names->name[i], option)) PetscFunctionReturn(0);
  if (names->count == MOST_OPTIONS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found more than %d options for PETSc's solvers", option, MOST_OPTIONS);
  PetscCall(PetscStrallocpy(option, &names->name[names->count++]));
  PetscFunctionReturn(0);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

PetscErrorCode DeckSolverOptions(size_t size, char text[])
{
  Names names = {.count = 0};
  size_t used = 0;
  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(DeckEachOption(NULL, NoteSolver, &names));
  qsort(names.name, (size_t)names.count, sizeof names.name[0], by_name);
  for (int i = 0; i < names.count; i++) {
    char value[1024] = "";
    PetscCall(PetscOptionsGetString(NULL, NULL, names.name[i], value, sizeof value, NULL));
    if (used < size)
      used += (size_t)snprintf(text + used, size - used, "%s%s%s%s", used ? " " : "", names.name[i], *value ? " " : "",
                               value);
    PetscCall(PetscFree(names.name[i]));
  }
  if (used >= size)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "the options for PETSc's solvers are longer than %zu characters", size);
  PetscFunctionReturn(0);
}

static PetscErrorCode InsertBelow(void *ctx, const char *option)
{
  PetscOptions options = ctx;
  char value[1024]     = "";
  PetscBool said;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsHasName(NULL, NULL, option, &said));
  if (said) PetscFunctionReturn(0);
  PetscCall(PetscOptionsGetString(options, NULL, option, value, sizeof value, NULL));
  PetscCall(PetscOptionsSetValue(NULL, option, value));
  PetscFunctionReturn(0);
}

PetscErrorCode DeckInsertOptions(const char *text)
{
  PetscOptions options;
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsCreate(&options));
  PetscCall(PetscOptionsInsertString(options, text));
  PetscCall(DeckEachOption(options, InsertBelow, options));
  PetscCall(PetscOptionsDestroy(&options));
  PetscFunctionReturn(0);
}
