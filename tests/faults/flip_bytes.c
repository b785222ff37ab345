/* flip_bytes KIND FILE STRIDE DECK: inverts every STRIDE-th byte of a file in turn, and cuts it at every
 * STRIDE-th length, and reads it each time as the commands do.  A damage is either refused, with one line of exit code
 * 3, or without consequence: what is read is the same bits.  KIND: dataset, model, or checkpoint (FILE is then
 * train.ckpt in the deck's run directory, without a previous one).
 *
 * The reading is done in child processes, which take the fall of a crash or of a loop without end. */
#include "cmd/cmd.h"
#include "score/checkpoint.h"
#include "score/model.h"
#include "score/basis.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60 /* for one reading, which may take 5 of CPU time, on a loaded machine */
#define MEMORY (4ULL << 30)
#define READINGS 1000 /* of a child: what a refusal leaves allocated ends with it, as it does with the program */

static ScoriaDeck deck;
static ScoriaRun run;

/* ------------------------------------------------------------------------------------- what a reading gives ---- */

static void add(uint32_t *digest, const void *data, size_t size)
{
  *digest = crc32c(*digest, data, size);
}

static void add_text(uint32_t *digest, const char *text)
{
  add(digest, text, strlen(text));
}

static void add_fields(uint32_t *digest, int n, const ScoriaField field[])
{
  for (int f = 0; f < n; f++) {
    add_text(digest, field[f].name);
    add_text(digest, field[f].unit);
    add_text(digest, field[f].description);
  }
}

static void add_space(uint32_t *digest, const ScoriaSpace *space)
{
  for (int i = 0; i < space->n; i++) {
    const ScoriaCondition *c = &space->c[i];
    const double range[3]    = {c->lo, c->hi, c->log};
    add_text(digest, c->name);
    add_text(digest, c->unit);
    add(digest, range, sizeof range);
  }
}

static PetscErrorCode ReadDataset(const char *path, uint32_t *digest)
{
  const ScoriaDatasetSpec *spec;
  const char *text;
  const double *x;
  ScoriaDataset ds;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, &text));
  PetscCall(ScoriaRowsCreate(spec, spec->rows, &rows));
  PetscCall(ScoriaDatasetRead(ds, 0, spec->rows, &rows));
  const size_t n = (size_t)spec->rows;
  add_fields(digest, spec->nfields, spec->field);
  add_space(digest, &spec->space);
  add(digest, &spec->realisations, sizeof spec->realisations);
  add(digest, x, (size_t)spec->cells * sizeof *x);
  add_text(digest, text);
  for (int f = 0; f < spec->nfields; f++) add(digest, rows.field[f], n * (size_t)spec->cells * sizeof(double));
  for (int c = 0; c < spec->space.n; c++) add(digest, rows.condition[c], n * sizeof(double));
  add(digest, rows.done, n);
  add(digest, rows.reason, n * sizeof *rows.reason);
  add(digest, rows.newton, n * sizeof *rows.newton);
  add(digest, rows.attempts, n);
  add(digest, rows.residual, n * sizeof *rows.residual);
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

/* A normaliser by what it does: some coordinates, decoded and encoded again. */
static PetscErrorCode AddNormaliser(uint32_t *digest, ScoriaNormaliser norm)
{
  enum { SAMPLES = 4 };
  const ScoriaTwin none    = {.reference = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}};
  const ScoriaSpace *space = ScoriaNormaliserSpace(norm);
  double theta[SCORIA_MAX_CONDITIONS], u[SCORIA_MAX_CONDITIONS], *y, *fields;
  int channels, cells, modes;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(norm, &channels, &cells, NULL, &modes));
  for (int i = 0; i < SCORIA_MAX_CONDITIONS; i++) u[i] = 0.25;
  space_from_unit(space, u, theta);
  PetscCall(ScoriaNormaliserAt(norm, &none, theta));
  PetscCall(PetscMalloc2(SAMPLES * modes, &y, SAMPLES * channels * cells, &fields));
  for (int i = 0; i < SAMPLES * modes; i++) y[i] = (i % 7 - 3) / 3.0;
  normaliser_decode(norm, SAMPLES, y, fields);
  add(digest, fields, (size_t)(SAMPLES * channels * cells) * sizeof *fields);
  normaliser_encode(norm, SAMPLES, fields, y);
  add(digest, y, (size_t)(SAMPLES * modes) * sizeof *y);
  PetscCall(PetscFree2(y, fields));
  add_space(digest, space);
  PetscFunctionReturn(0);
}

static void add_averages(uint32_t *digest, const EmaSet *set)
{
  for (int i = 0; i < set->n; i++) {
    add(digest, &set->profile[i].time, sizeof set->profile[i].time);
    add(digest, &set->profile[i].exponent, sizeof set->profile[i].exponent);
  }
  add(digest, set->weights, (size_t)(set->n * set->count) * sizeof *set->weights);
}

static PetscErrorCode ReadModel(const char *path, uint32_t *digest)
{
  const ScoriaField *field;
  const double *x;
  ScoriaModel model;
  int channels, cells;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelLoad(PETSC_COMM_WORLD, path, &model));
  PetscCall(ScoriaModelFields(model, &channels, &field, &cells, &x));
  const double numbers[] = {(double)model->steps, (double)model->seed,   model->loss,          model->validation,
                            model->baseline,      model->process.P_mean, model->process.P_std, model->spec.width,
                            model->spec.depth,    model->spec.embed,     model->spec.kernel,   model->spec.patch};
  add(digest, numbers, sizeof numbers);
  add_text(digest, model->spec.kind);
  add_text(digest, model->deck);
  add_fields(digest, channels, field);
  add(digest, x, (size_t)cells * sizeof *x);
  add(digest, net_parameters(model->net), (size_t)net_parameter_count(model->net) * sizeof(float));
  if (model->tuned) add(digest, model->tuned, (size_t)net_parameter_count(model->net) * sizeof(float));
  add_averages(digest, &model->averages);
  PetscCall(AddNormaliser(digest, model->normaliser));
  PetscCall(ScoriaModelDestroy(&model));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCheckpoint(const char *path, uint32_t *digest)
{
  Checkpoint c;
  (void)path;
  PetscFunctionBeginUser;
  PetscCall(CheckpointFind(run, deck, &c));
  if (!c.found) SCORIA_FAIL(SCORIA_EXIT_INTERNAL, "no checkpoint found");
  const double numbers[] = {(double)c.step, (double)c.taken,     c.skips,   c.loss,   c.seconds,
                            c.data,         (double)c.count,     c.vectors, c.tuning, (double)c.kept.step,
                            c.kept.loss,    (double)c.kept.parts};
  add(digest, numbers, sizeof numbers);
  add(digest, c.vector, (size_t)(c.vectors * c.count) * sizeof *c.vector);
  add_averages(digest, &c.kept.set);
  add(digest, c.kept.reference, (size_t)c.kept.parts * sizeof *c.kept.reference);
  PetscCall(AddNormaliser(digest, c.norm));
  PetscCall(CheckpointDestroy(&c));
  PetscFunctionReturn(0);
}

static const struct {
  const char *name;
  PetscErrorCode (*read)(const char *path, uint32_t *digest);
} kinds[] = {{"dataset", ReadDataset}, {"model", ReadModel}, {"checkpoint", ReadCheckpoint}, {NULL, NULL}};

/* --------------------------------------------------------------------------------------------- in the child ---- */

typedef struct {
  long at;                              /* the damage being read */
  long same, refused, different, other; /* verdicts */
} Tally;

/* Reads, and describes as `scoria info` does: which may refuse, too, but must come back. */
static void judge(PetscErrorCode (*read)(const char *, uint32_t *), const char *path, const uint32_t *expected,
                  Tally *tally)
{
  uint32_t digest             = 0;
  const PetscErrorCode failed = read(path, &digest);
  const ScoriaExit code       = ScoriaFailureCode();
  const char *line            = ScoriaFailureLine();
  if (failed && code == SCORIA_EXIT_INPUT && *line && !strchr(line, '\n') && strstr(line, path))
    tally->refused++;
  else if (failed)
    fprintf(stderr, "%ld: code %d: %s\n", tally->at, (int)code, line), tally->other++;
  else if (expected && digest != *expected)
    fprintf(stderr, "%ld: read, and different\n", tally->at), tally->different++;
  else
    tally->same++;
  ScoriaFailureReset();
  if (ScoriaDescribeFile(PETSC_COMM_WORLD, path)) ScoriaFailureReset();
}

/* Damage `at` of 2 n: below n, a byte inverted; from n on, the file cut. */
static void damage(const char *path, const char *bytes, long size, long at)
{
  const int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0666);
  const long n = at < size ? size : at - size;
  char turned;
  if (fd < 0 || write(fd, bytes, (size_t)n) != n) abort();
  if (at < size) {
    turned = (char)~bytes[at];
    if (pwrite(fd, &turned, 1, at) != 1) abort();
  }
  close(fd);
}

static void child(PetscErrorCode (*read)(const char *, uint32_t *), const char *path, const char *bytes, long size,
                  long stride, uint32_t expected, Tally *tally)
{
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGTERM};
  const struct rlimit limit = {MEMORY, MEMORY}, none = {0, 0};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) signal(signals[i], SIG_DFL);
  setrlimit(RLIMIT_AS, &limit);
  setrlimit(RLIMIT_CORE, &none);
  if (!freopen("/dev/null", "w", stdout)) _exit(2);
  for (int i = 0; i < READINGS && tally->at < 2 * size; i++, tally->at += stride) {
    alarm(SECONDS);
    damage(path, bytes, size, tally->at);
    judge(read, path, &expected, tally);
  }
  _exit(0);
}

/* -------------------------------------------------------------------------------------------- in the parent ---- */

static char *whole_file(const char *path, long *size)
{
  FILE *in = fopen(path, "rb");
  if (!in || fseek(in, 0, SEEK_END)) return NULL;
  *size       = ftell(in);
  char *bytes = malloc((size_t)*size + 1);
  rewind(in);
  if (fread(bytes, 1, (size_t)*size, in) != (size_t)*size) return NULL;
  fclose(in);
  return bytes;
}

/* One child after the other: each goes on behind the damage that the one before came to, or that ended it.  The number
 * of such ends. */
static long fly(PetscErrorCode (*read)(const char *, uint32_t *), const char *path, const char *bytes, long size,
                long stride, uint32_t expected, Tally *tally)
{
  long ends = 0;
  while (tally->at < 2 * size) {
    int status;
    const pid_t pid = fork();
    if (pid == 0) child(read, path, bytes, size, stride, expected, tally);
    if (pid < 0 || waitpid(pid, &status, 0) < 0) abort();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    fprintf(stderr, "%ld: the reader ends by %s\n", tally->at,
            WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit");
    tally->at += stride;
    ends++;
  }
  return ends;
}

static PetscErrorCode Work(char **argv, int *verdict)
{
  int kind          = 0;
  const long stride = atol(argv[3]);
  uint32_t expected = 0;
  long size         = 0;
  Tally first       = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckCreate(PETSC_COMM_WORLD, argv[4], cmd_tables(), &deck));
  PetscCall(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "flip", &run));
  while (kinds[kind].name && strcmp(kinds[kind].name, argv[1]) != 0) kind++;
  char *bytes  = whole_file(argv[2], &size);
  Tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!kinds[kind].name || !bytes || stride < 1 || tally == MAP_FAILED)
    SCORIA_FAIL(SCORIA_EXIT_USAGE, "flip_bytes KIND FILE STRIDE DECK");
  PetscCall(kinds[kind].read(argv[2], &expected));
  judge(kinds[kind].read, argv[2], &expected, &first); /* twice the same, as it is */
  const long ends = fly(kinds[kind].read, argv[2], bytes, size, stride, expected, tally);
  damage(argv[2], bytes, size, 2 * size); /* as it was */
  printf("%s of %ld bytes, every %ld: %ld refused, %ld without consequence, %ld different, %ld other, %ld crashes or "
         "hangs\n",
         argv[1], size, stride, tally->refused, tally->same, tally->different, tally->other, ends);
  *verdict = tally->different || tally->other || ends || first.same != 1 || tally->refused < tally->same;
  free(bytes);
  PetscCall(ScoriaRunDestroy(&run));
  PetscCall(ScoriaDeckDestroy(&deck));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  int verdict = 2, ours = 1;
  char **none = (char *[]){argv[0], NULL};
  if (argc != 5) return 2;
  if (PetscInitialize(&ours, &none, NULL, NULL) || PetscPushErrorHandler(ScoriaErrorHandler, NULL)) return 2;
  if (Work(argv, &verdict)) fprintf(stderr, "flip_bytes: %s\n", ScoriaFailureLine());
  if (PetscFinalize()) return 2;
  return verdict;
}
