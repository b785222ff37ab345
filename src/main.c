/* scoria COMMAND DECK [-key value ...]: finds the command, opens deck and run directory, and turns failures into one
 * line and an exit code. */
#include "scoria/linalg.h"
#include "scoria/processor.h"
#include "cmd/cmd.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define UNKNOWN_LINE 512

static PetscErrorCode PrintVersion(void)
{
  ScoriaLibraries libraries;
  PetscFunctionBeginUser;
  PetscCall(ScoriaLibrariesGet(&libraries));
  printf("scoria %s (revision %s, %s)\n", scoria_version(), scoria_revision(), scoria_build_type());
  printf("PETSc %s, HDF5 %s, %s\n", libraries.petsc, libraries.hdf5, libraries.mpi);
  printf("kernels %s of", processor_level_name(processor_level()));
  for (int level = 0; processor_level_name(level); level++) printf(" %s", processor_level_name(level));
  printf(", OpenBLAS %s\n", linalg_single_thread());
  PetscFunctionReturn(0);
}

/* A word after the deck that is neither an option nor the value of the one before it, NULL if there is none: of a list
 * with blanks for commas PETSc would take the first item and pass over the others.  An option with a blank in it, which
 * PETSc would take for another one and its value, is a user error. */
static PetscErrorCode FindStray(int argc, char **argv, const char **stray)
{
  bool value = false; /* whether one may come now */
  PetscFunctionBeginUser;
  *stray = NULL;
  for (int i = argc > 2 && argv[2][0] == '-' ? 2 : 3; i < argc && !*stray; i++) {
    PetscBool option;
    PetscCall(PetscOptionsValidKey(argv[i], &option));
    if (option && strpbrk(argv[i], " \t"))
      SCORIA_FAIL(
          SCORIA_EXIT_USAGE,
          "command line: found the option \"%s\", which has a blank in it; expected _ for a blank in a name, and "
          "its value as a word of its own",
          argv[i]);
    if (!option && !value) *stray = argv[i];
    value = option;
  }
  PetscFunctionReturn(0);
}

/* What stands behind argument i as its value; "" where the next one is an option. */
static PetscErrorCode ValueOf(int argc, char **argv, int i, const char **value)
{
  PetscBool option = PETSC_TRUE;
  PetscFunctionBeginUser;
  if (i + 1 < argc) PetscCall(PetscOptionsValidKey(argv[i + 1], &option));
  *value = option ? "" : argv[i + 1];
  PetscFunctionReturn(0);
}

static bool same_option(const char *a, const char *b)
{
  return !strcasecmp(a + 1 + (a[1] == '-'), b + 1 + (b[1] == '-')); /* as PETSc's database has it */
}

/* Of an option that is given twice PETSc keeps the last value, and nothing would tell. */
static PetscErrorCode CheckTwice(int argc, char **argv)
{
  const char *first, *second;
  PetscFunctionBeginUser;
  for (int i = 2; i < argc; i++) {
    PetscBool option;
    PetscCall(PetscOptionsValidKey(argv[i], &option));
    for (int k = 2; option && k < i; k++) {
      if (argv[k][0] != '-' || !same_option(argv[k], argv[i])) continue;
      PetscCall(ValueOf(argc, argv, k, &first));
      PetscCall(ValueOf(argc, argv, i, &second));
      SCORIA_FAIL(SCORIA_EXIT_USAGE, "command line: found %s twice, \"%s\" and \"%s\"; expected it once", argv[i],
                  first, second);
    }
  }
  PetscFunctionReturn(0);
}

/* A command that keeps nothing: it may be ended at any time. */
static PetscErrorCode WithFile(const ScoriaCommand *command, const char *file)
{
  ScoriaDeck deck;
  PetscFunctionBeginUser;
  signal(SIGUSR1, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  if (command->with_file) {
    PetscCall(command->with_file(PETSC_COMM_WORLD, file));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaDeckCreate(PETSC_COMM_WORLD, NULL, cmd_tables(), &deck));
  PetscCall(command->with_both(deck, file));
  PetscCall(ScoriaDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

/* file NULL: the command line alone. */
static PetscErrorCode OpenDeck(const ScoriaCommand *command, const char *file, ScoriaDeck *deck)
{
  ScoriaDeckMore more = scoria_imported_more;
  char path[PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  more.before = command->with_deck == CommandDeck ? "# " : ""; /* what it prints is YAML */
  if (file && (command->with_deck == CommandImport || command->with_deck == CommandRun))
    PetscCall(ScoriaImportNeedDeck(PETSC_COMM_WORLD, file));
  if (file) PetscCall(ScoriaDeckFind(PETSC_COMM_WORLD, file, sizeof path, path));
  if (file && strcmp(file, path) != 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%sdeck %s\n", more.before, path));
  PetscCall(ScoriaDeckCreateWith(PETSC_COMM_WORLD, file ? path : NULL, cmd_tables(), &more, deck));
  PetscFunctionReturn(0);
}

/* A command of a run directory, and `deck`, which has none; file: the deck, or NULL. */
static PetscErrorCode WithDeck(const ScoriaCommand *command, const char *name, const char *file)
{
  ScoriaDeck deck;
  ScoriaRun run;
  PetscFunctionBeginUser;
  PetscCall(OpenDeck(command, file, &deck));
  if (command->with_deck == CommandDeck) {
    PetscCall(CommandDeck(NULL, deck));
    PetscCall(ScoriaDeckDestroy(&deck));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaHintsFromDeck(deck));
  if (command->with_deck == CommandImport) PetscCall(ScoriaImportProbe(PETSC_COMM_WORLD, deck));
  PetscCall(ScoriaRunCreate(PETSC_COMM_WORLD, deck, name, &run));
  PetscCall(ProcessorChoose(run, deck));
  PetscCall(CmdWarnOfIdle("  ", deck, name));
  PetscCall(CmdDo(run, deck, name));
  PetscCall(CmdSayReportIsOld(run));
  PetscCall(ScoriaRunDestroy(&run));
  PetscCall(ScoriaHintsForget());
  PetscCall(ScoriaDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

static PetscErrorCode Execute(int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : "", *file = argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
  const ScoriaCommand *command = cmd_find(name);
  const char *stray;
  PetscFunctionBeginUser;
  if (!command) {
    char line[UNKNOWN_LINE];
    cmd_unknown(name, sizeof line, line);
    SCORIA_FAIL(SCORIA_EXIT_USAGE, "%s", line);
  }
  const bool bare = !file && command->with_deck == CommandImport && argc > 2; /* to list a file: no deck yet */
  if (!file && !bare)
    SCORIA_FAIL(SCORIA_EXIT_USAGE, "%s: expected a %s after the command%s", name, command->with_deck ? "deck" : "file",
                command->with_deck == CommandImport ? ", or -import_file FILE for a deck to start from" : "");
  PetscCall(FindStray(argc, argv, &stray));
  if (stray)
    SCORIA_FAIL(SCORIA_EXIT_USAGE,
                "command line: found \"%s\", which is no option and no option's value; expected "
                "-key value ..., and lists with commas: -key 8,12,16",
                stray);
  PetscCall(CheckTwice(argc, argv));
  if (!command->with_deck)
    PetscCall(WithFile(command, file));
  else
    PetscCall(WithDeck(command, name, file));
  PetscFunctionReturn(0);
}

#define BLAS_ROOM ((size_t)256 << 20) /* more than OpenBLAS takes for its buffer */

/* Whether a limited address space has room for it; else the line that says so.  Written by system calls alone, as it is
 * needed before any library has started. */
static bool blas_has_room(void)
{
  static const char line[] = "scoria: no address space for OpenBLAS's buffer: found less than 256 MB that are free, "
                             "expected more; raise the limit (ulimit -v)\n";
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) return true;
  void *room = mmap(NULL, BLAS_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room != MAP_FAILED) return !munmap(room, BLAS_ROOM);
  const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
  (void)written; /* where nobody reads, nothing can be said */
  return false;
}

/* OpenBLAS starts as many threads as there are cores, each with memory of its own, before main is reached, and spins
 * for ever where an address space is limited to less (some versions even for one thread).  A rank is one thread: the
 * program starts anew with that said, unless the user has chosen, before any library's start. */
static void one_thread(int argc, char **argv, char **environment)
{
  static const char *const choices[] = {"OPENBLAS_NUM_THREADS=", "GOTO_NUM_THREADS=", "OMP_NUM_THREADS="};
  static char one[]                  = "OPENBLAS_NUM_THREADS=1";
  static char *with_one[4096], program[PETSC_MAX_PATH_LEN];
  size_t n = 0;
  (void)argc;
  if (!blas_has_room()) _exit(SCORIA_EXIT_INPUT);
  for (; environment[n]; n++) {
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
      if (!strncmp(environment[n], choices[i], strlen(choices[i]))) return;
    if (n + 2 >= sizeof with_one / sizeof with_one[0]) return;
    with_one[n] = environment[n];
  }
  with_one[n] = one;
  /* By its name, which it shows to ps; where it does not succeed, all goes on as it is. */
  if (readlink("/proc/self/exe", program, sizeof program - 1) > 0) execve(program, argv, with_one);
}

/* Run by the dynamic linker ahead of the constructors of all libraries. */
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(int, char **,
                                                                                       char **) = one_thread;

/* OpenBLAS takes its buffer with the first product, and tries for ever where there is no room: it is taken now, while
 * there is, or the program ends with a line. */
static bool take_blas_buffer(void)
{
  if (!blas_has_room()) return false;
  linalg_take_buffer();
  return true;
}

/* What Open MPI's own MPI-IO does wrong, set right where the user has not chosen.  Up to 4.1.6 and 5.0.5 it can corrupt
 * collective writes by data sieving (open-mpi/ompi issue 12718).  Its shared file pointers, which nothing here uses,
 * leave lock files on shared file systems (issues 10053, 13823) and end the program where a path is longer than some
 * 230 characters. */
static void guard_collective_writes(void)
{
  setenv("OMPI_MCA_sharedfp", "individual", 0);
  setenv("OMPI_MCA_fbtl_posix_write_datasieving", "0", 0);
  setenv("OMPI_MCA_fbtl_posix_read_datasieving", "0", 0);
  setenv("OMPI_MCA_fs_ufs_lock_algorithm", "3", 0);
}

/* Ranks that wait for one another let others have their core for that moment: the kernel's own threads, that bring the
 * last rows to disk, otherwise come late, and all ranks wait for these.  It costs a wait well below a microsecond. Only
 * where the user has not chosen. */
static void yield_when_idle(void)
{
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  setenv("MPIR_CVAR_ENABLE_HEAVY_YIELD", "1", 0); /* MPICH: it sleeps, where sched_yield gives nothing away */
}

/* A process that no launcher has started. */
static bool is_alone(void)
{
  static const char *const launched[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof launched / sizeof *launched; i++)
    if (getenv(launched[i])) return false;
  return true;
}

/* Ranks that are all on one node need no network: Open MPI 5 looks for one at every start, and says on every rank that
 * it has found none.  Nor the other ways to one, which are looked for where tcp is excluded: starting libfabric takes a
 * second.  Point to point over shared memory is ob1's: to look for the others' devices takes .2 s.  A process alone
 * needs no daemon, which takes another .1 s to start and serves MPI_Comm_spawn only; nor a directory of the session,
 * which Open MPI 4 then gives the same name for all such processes, so that one that ends takes it from one that
 * begins, which dies.  Where the user has not chosen. */
static void stay_on_node(void)
{
  const char *all = getenv("OMPI_COMM_WORLD_SIZE"), *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const bool alone = is_alone();
  if (!alone && !(all && here && !strcmp(all, here))) return;
  setenv("OMPI_MCA_btl", alone ? "self" : "^tcp,ofi,uct,openib", 0);
  setenv("OMPI_MCA_pml", "ob1", 0);
  if (!alone) return;
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
}

/* Where help is asked for, what stands behind it: "all", "petsc", another word or "". */
static const char *help_level(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-help") && strcmp(argv[i], "--help") && strcmp(argv[i], "-h") &&
        !(i == 1 && !strcmp(argv[i], "help")))
      continue;
    return i + 1 < argc ? argv[i + 1] : "";
  }
  return NULL;
}

/* The word that stands before -help or behind help; "" where there is none. */
static const char *asked_command(int argc, char **argv)
{
  const char *word = argv[1];
  if (!strcmp(word, "help") || *word == '-') word = argc > 2 ? argv[2] : "";
  return *word == '-' || !strcmp(word, "all") ? "" : word;
}

/* A line where that is no command. */
static void print_help(const char *asked, const char *level)
{
  const ScoriaCommand *command = cmd_find(asked);
  char line[UNKNOWN_LINE];
  if (*asked && !command) {
    cmd_unknown(asked, sizeof line, line);
    fprintf(stderr, "scoria: %s\n", line);
  } else if (!strcmp(level, "all") || command)
    cmd_print_keys(strcmp(level, "all") ? command : NULL);
  else
    cmd_print_usage(stdout);
}

/* Whether the launcher, where there is one, says that this is the first rank. */
static bool first_rank(void)
{
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (getenv(names[i])) return !strcmp(getenv(names[i]), "0");
  return true;
}

/* What needs no MPI, which does not start on the login nodes of some clusters; false where something else is asked
 * for. */
static bool prints_text(int argc, char **argv, ScoriaExit *code)
{
  const char *asked = argc > 1 ? argv[1] : "", *level = help_level(argc, argv);
  const bool first = first_rank();
  *code            = argc > 1 ? SCORIA_EXIT_OK : SCORIA_EXIT_USAGE;
  if (argc < 2 && first) {
    cmd_print_usage(stderr);
    fprintf(stderr, "scoria: no command given\n");
  }
  if (argc < 2) return true;
  if (!strcmp(asked, "--version") || !strcmp(asked, "-version") || !strcmp(asked, "version")) {
    if (first && PrintVersion()) *code = SCORIA_EXIT_INTERNAL;
  } else if (!strcmp(asked, "--man")) {
    if (first) cmd_print_manual();
  } else if (!strcmp(asked, "--completion")) {
    if (first) cmd_print_completion();
  } else if (level && strcmp(level, "petsc")) {
    *code = cmd_find(asked_command(argc, argv)) || !*asked_command(argc, argv) ? SCORIA_EXIT_OK : SCORIA_EXIT_USAGE;
    if (first) print_help(asked_command(argc, argv), level);
  } else
    return false;
  return true;
}

/* After a failure to write, which all ranks have agreed on: HDF5 would close its files while MPI is finalised, write
 * again what could not be written, and crash, or have ranks wait for each other for ever. */
static void leave_files_open(void)
{
  if (ScoriaFailureCode() != SCORIA_EXIT_IO) return;
  fflush(NULL);
  MPI_Barrier(PETSC_COMM_WORLD); /* the line is out before a rank is gone and mpirun ends the others */
  run_lock_release();
  _exit(SCORIA_EXIT_IO);
}

int main(int argc, char **argv)
{
  ScoriaExit code;
  /* The launcher ends a job whose rank fails: the others must not do so before the first has written its line. */
  if (prints_text(argc, argv, &code)) return first_rank() ? (int)code : SCORIA_EXIT_OK;
  if (!take_blas_buffer()) return SCORIA_EXIT_INPUT;
  const bool help = help_level(argc, argv); /* PETSc's own, which it prints as it starts */
  int rank, ours = help ? 2 : argc;
  char *help_arguments[] = {argv[0], "-help", NULL}, **arguments = help ? help_arguments : argv;
  /* A line in one write: without a buffer glibc (since 2.37) hands it over in pieces of 128 bytes, and Open MPI 5's
   * mpirun, as it ended the job, has been seen to lose the first. */
  setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
  guard_collective_writes();
  yield_when_idle();
  stay_on_node();
  stop_catch_signals();
  if (PetscInitialize(&ours, &arguments, NULL, NULL)) return SCORIA_EXIT_INTERNAL;
  signal(SIGPIPE, SIG_DFL); /* `scoria run -help petsc | head` ends quietly, where PETSc would print a trace */
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  PetscErrorCode failed = PetscPushErrorHandler(ScoriaErrorHandler, NULL);
  if (!failed && !help) failed = Execute(argc, argv);

  code = ScoriaFailureCode();
  if (failed && code == SCORIA_EXIT_OK) MPI_Abort(PETSC_COMM_WORLD, SCORIA_EXIT_INTERNAL); /* the trace is out */
  fflush(stdout);
  if (code != SCORIA_EXIT_OK && rank == 0) fprintf(stderr, "scoria: %s\n", ScoriaFailureLine());
  leave_files_open();
  /* A rank that is gone with an error has the launcher end the others: all wait in MPI's finalising for the first. */
  if (code != SCORIA_EXIT_OK && code != SCORIA_EXIT_CHECKPOINT) run_directory_forget();
  if (code != SCORIA_EXIT_OK) run_lock_release();
  PetscOptionsClearValue(NULL, "-options_left");
  return PetscFinalize() && code == SCORIA_EXIT_OK ? SCORIA_EXIT_INTERNAL : (int)code;
}
