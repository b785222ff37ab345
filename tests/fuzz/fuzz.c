/* What the fuzz targets share: start and end, the verdict on an input, and small files of ours to start from. */
#include "fuzz.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[64];

static void finding(const char *what, const char *line)
{
  fprintf(stderr, "FINDING: %s: %s\n", what, line);
  abort();
}

void fuzz_must(PetscErrorCode failed, const char *call)
{
  if (failed) finding(call, ScoriaFailureLine());
}

static void remove_scratch(void)
{
  char command[128];
  snprintf(command, sizeof command, "rm -rf -- %s", scratch);
  if (system(command)) fprintf(stderr, "%s stays\n", scratch);
}

void fuzz_start(void)
{
  /* A file system in memory where there is one: a target writes a file per input. */
  snprintf(scratch, sizeof scratch, "%s/scoria-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
  if (!mkdtemp(scratch)) finding("mkdtemp", scratch);
  atexit(remove_scratch);
  setenv("OMPI_MCA_opal_signal", "", 1); /* a crash is the fuzzer's to tell, not Open MPI's or PETSc's */
  MUST(PetscInitializeNoArguments());
  MUST(PetscPopSignalHandler());
  MUST(PetscPushErrorHandler(ScoriaErrorHandler, NULL));
  if (!freopen("/dev/null", "w", stdout)) finding("freopen", "/dev/null");
}

const char *fuzz_path(const char *name)
{
  static char path[4][128];
  static int next;
  next = (next + 1) % 4;
  snprintf(path[next], sizeof path[next], "%s/%s", scratch, name);
  return path[next];
}

void fuzz_verdict(PetscErrorCode failed)
{
  const char *line = ScoriaFailureLine();
  if (failed && ScoriaFailureCode() == SCORIA_EXIT_OK) finding("an error that is no user's", "see above");
  if (failed && (ScoriaFailureCode() != SCORIA_EXIT_INPUT || !*line || strpbrk(line, "\n\r")))
    finding("not one line about bad input", line);
  ScoriaFailureReset();
}

void fuzz_write(const char *path, const void *bytes, size_t size)
{
  FILE *out = fopen(path, "wb");
  if (!out || fwrite(bytes, 1, size, out) != size || fclose(out)) finding("cannot be written", path);
}

/* -------------------------------------------------------------------------------------------- files of ours ---- */

enum { CONDITIONS = 6, REALISATIONS = 8, CELLS = 5 };

static void fill_rows(ScoriaRows *rows)
{
  rows->rows = CONDITIONS * REALISATIONS;
  for (int64_t i = 0; i < rows->rows; i++) {
    const double u = -1 + 2.0 * (double)(i / REALISATIONS) / (CONDITIONS - 1);
    double g[4];
    rng_normal(1, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, 4, g);
    rows->condition[0][i] = 0.5 * u + 1;
    for (int j = 0; j < CELLS; j++) {
      const double x                = (j + 0.5) / CELLS;
      rows->field[0][i * CELLS + j] = 5 + u + g[0] * x + 0.3 * g[1] * cos(3 * x);
      rows->field[1][i * CELLS + j] = u * x + 0.2 * g[2] * x + 0.1 * g[3];
    }
    rows->done[i]     = SCORIA_ROW_DONE;
    rows->attempts[i] = 1;
  }
}

void fuzz_make_dataset(const char *path)
{
  const ScoriaDatasetSpec spec = {
      .rows         = CONDITIONS * REALISATIONS,
      .cells        = CELLS,
      .shape        = {CELLS, 1, 1},
      .nfields      = 2,
      .field        = {{"c", "mol m^-3", "concentration", false}, {"phi", "V", "potential", false}},
      .space        = {1, {{"U0", "V", 0.5, 1.5, false}}},
      .realisations = REALISATIONS,
      .float64      = true};
  const ScoriaProvenance from = {"dataset", "run: {seed: 1}\n", 1, 1, 1, {.model = ""}};
  double x[CELLS];
  ScoriaDataset ds;
  ScoriaRows rows;
  for (int j = 0; j < CELLS; j++) x[j] = 1e-6 * (j + 0.5);
  MUST(ScoriaRowsCreate(&spec, spec.rows, &rows));
  fill_rows(&rows);
  MUST(ScoriaDatasetCreate(PETSC_COMM_WORLD, path, &spec, x, &from, &ds));
  MUST(ScoriaDatasetWrite(ds, 0, &rows));
  MUST(ScoriaDatasetFinish(&ds));
  MUST(ScoriaRowsDestroy(&rows));
}

void fuzz_training_deck(ScoriaDeck *deck)
{
  char text[512];
  snprintf(text, sizeof text,
           "run: {dir: %s}\ntrain: {steps: 4, batch: 16, micro_batches: 2, width: 6, depth: 1, embed: 4, modes: 2, "
           "all_modes: 3, validation: 0.2, degree_mean: 1, degree_scale: 1}\n",
           scratch);
  MUST(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, cmd_tables(), deck));
}
