/* The report: reads the run directory, has the figures drawn, writes the page. */
#include "report_maps.h"
#include "report_page.h"
#include "scoria/report.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_JSON ((size_t)1 << 30) /* bytes: uq.json of some ten thousand conditions has a tenth of that */

/* What the run directory holds.  compare, uq, inferred, train and scaling are filled on rank 0 only. */
typedef struct {
  ReportDataset data;
  ReportCompare arrays, sample, residuals; /* at the held-out conditions; at the deck's own; of rows judged together */
  ReportView view;
  ReportTraining train;
  ReportSlices slices;
  ReportMaps maps;
  ReportSamples samples;
  ReportHistory history;
  ReportPosterior posterior;
  ReportOthers others;
  ReportScaling scaling;
  ReportModelRows rows;
  ReportLikelihood likelihood;
  ReportRefine refine;
  cJSON *files;                   /* owned: compare_files.json */
  cJSON *compare, *uq, *inferred; /* owned; inferred: posterior.json */
} Material;

/* A JSON file on rank 0; every rank learns when it does not parse. */
static PetscErrorCode ReadJson(MPI_Comm comm, const char *path, cJSON **object)
{
  char line[PETSC_MAX_PATH_LEN + 128];
  int rank;
  PetscFunctionBeginUser;
  *object = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(ScoriaReadJson(path, MOST_JSON, object));
  const bool bad = rank == 0 && !*object && access(path, R_OK) == 0;
  snprintf(line, sizeof line, "%s: expected a JSON object, found something that does not parse as one", path);
  PetscCall(ScoriaAgree(comm, bad ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscFunctionReturn(0);
}

/* Rank 0: what the training and the program itself wrote line by line. */
static PetscErrorCode LogsRead(ScoriaRun run, Material *m)
{
  char path[PETSC_MAX_PATH_LEN];
  ReportText log = {0};
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "train.jsonl", sizeof path, path));
  PetscCall(ReportSlurp(path, &log));
  PetscCall(ReportTrainingParse(log.s, &m->train));
  PetscCall(ReportTextDestroy(&log));
  PetscCall(ScoriaRunPath(run, "log.jsonl", sizeof path, path));
  PetscCall(ReportSlurp(path, &log));
  report_history(log.s, &m->history);
  PetscCall(ReportTextDestroy(&log));
  PetscCall(ScoriaRunPath(run, "scaling.csv", sizeof path, path));
  PetscCall(ReportSlurp(path, &log));
  PetscCall(ReportScalingParse(log.s, &m->scaling));
  PetscCall(ReportTextDestroy(&log));
  PetscFunctionReturn(0);
}

/* Of files of earlier versions, and of none, nothing is known. */
static PetscErrorCode ModelRowsRead(MPI_Comm comm, const char *path, ReportModelRows *rows)
{
  ScoriaStore store;
  int64_t dims[4];
  bool there;
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "model", &store));
  PetscCall(ScoriaStoreHas(store, MODEL_VALIDATION_ROWS, &there));
  if (there) PetscCall(ScoriaStoreGetInt(store, MODEL_ROWS, &rows->learned));
  if (there) PetscCall(ScoriaStoreGetInt(store, MODEL_VALIDATION_ROWS, &rows->validated));
  PetscCall(ScoriaStoreHas(store, MODEL_HOLDOUT_ROWS, &there));
  if (there) PetscCall(ScoriaStoreGetInt(store, MODEL_HOLDOUT_ROWS, &rows->held_rows));
  PetscCall(ScoriaStoreShape(store, MODEL_HOLDOUT, 4, &rank, dims));
  if (rank == 1) rows->held_conditions = dims[0];
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

static PetscErrorCode MaterialRead(ScoriaRun run, Material *m)
{
  char path[PETSC_MAX_PATH_LEN];
  int rank;
  MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  memset(m, 0, sizeof *m);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ReportDatasetRead(run, &m->data));
  PetscCall(ScoriaRunPath(run, "fields.h5", sizeof path, path));
  if (m->data.present) PetscCall(ReportSlicesRead(comm, path, &m->data.spec.space, &m->slices));
  PetscCall(ReportSamplesRead(run, &m->samples));
  PetscCall(ScoriaRunPath(run, "model.h5", sizeof path, path));
  m->rows = (ReportModelRows){.learned = -1};
  if (*m->data.spec.source) PetscCall(ModelRowsRead(comm, path, &m->rows)); /* only of imported data is it told */
  PetscCall(ScoriaRunPath(run, "compare.h5", sizeof path, path));
  PetscCall(ReportCompareRead(comm, path, "", &m->arrays));
  PetscCall(ReportCompareRead(comm, path, SCORIA_COMPARE_SAMPLE, &m->sample));
  PetscCall(ReportCompareRead(comm, path, SCORIA_COMPARE_RESIDUALS, &m->residuals));
  PetscCall(ReportMapsRead(comm, path, &m->maps));
  report_view(&m->arrays, &m->sample, &m->view);
  PetscCall(ScoriaRunPath(run, "compare.json", sizeof path, path));
  PetscCall(ReadJson(comm, path, &m->compare));
  PetscCall(ScoriaRunPath(run, "compare_files.json", sizeof path, path));
  PetscCall(ReadJson(comm, path, &m->files));
  PetscCall(ScoriaRunPath(run, "likelihood.h5", sizeof path, path));
  PetscCall(ReportLikelihoodRead(comm, path, &m->likelihood));
  PetscCall(ScoriaRunPath(run, "refine.h5", sizeof path, path));
  PetscCall(ReportRefineRead(comm, path, &m->refine));
  PetscCall(ScoriaRunPath(run, "uq.json", sizeof path, path));
  PetscCall(ReadJson(comm, path, &m->uq));
  PetscCall(ScoriaRunPath(run, "posterior.h5", sizeof path, path));
  PetscCall(ReportPosteriorRead(comm, path, &m->posterior));
  PetscCall(ScoriaRunPath(run, "posterior.json", sizeof path, path));
  PetscCall(ReadJson(comm, path, &m->inferred));
  PetscCall(ReportOthersRead(run, ReadJson, &m->others));
  m->arrays.words = m->sample.words = m->residuals.words = m->maps.words = report_words_of(m->compare);
  if (rank == 0) PetscCall(LogsRead(run, m));
  PetscFunctionReturn(0);
}

static PetscErrorCode MaterialDestroy(Material *m)
{
  PetscFunctionBeginUser;
  PetscCall(ReportDatasetDestroy(&m->data));
  PetscCall(ReportCompareDestroy(&m->arrays));
  PetscCall(ReportCompareDestroy(&m->sample));
  PetscCall(ReportCompareDestroy(&m->residuals));
  PetscCall(ReportTrainingDestroy(&m->train));
  PetscCall(ReportSlicesDestroy(&m->slices));
  PetscCall(ReportMapsDestroy(&m->maps));
  PetscCall(ReportSamplesDestroy(&m->samples));
  cJSON_Delete(m->compare);
  cJSON_Delete(m->files);
  PetscCall(ReportPosteriorDestroy(&m->posterior));
  PetscCall(ReportOthersDestroy(&m->others));
  PetscCall(ReportRefineDestroy(&m->refine));
  PetscCall(ReportScalingDestroy(&m->scaling));
  cJSON_Delete(m->uq);
  cJSON_Delete(m->inferred);
  PetscFunctionReturn(0);
}

/* The operating conditions with their units, from what the directory holds. */
static const ScoriaSpace *known_space(const Material *m)
{
  return m->arrays.K ? &m->arrays.space : &m->data.spec.space;
}

/* Whether the data are the user's, by the dataset, or where that is gone by the comparison. */
static bool is_imported(const Material *m)
{
  return *m->data.spec.source || (!m->data.present && cJSON_HasObjectItem(m->compare, COMPARE_HELD_OUT));
}

/* The order is that of the page: the result first, then what it was made from. */
static PetscErrorCode DrawAll(ScoriaRun run, const char *run_dir, const Material *m, ReportFigures *figs)
{
  PetscFunctionBeginUser;
  PetscCall(ReportFiguresBegin(run_dir, figs));
  PetscCall(ScoriaProgressCreate(run, "report", "figures", 0, &figs->bar));
  figs->imported = is_imported(m);
  PetscCall(ReportDrawBands(figs, &m->arrays));
  PetscCall(ReportDrawResiduals(figs, &m->residuals));
  PetscCall(ReportDrawMeasures(figs, m->compare));
  PetscCall(ReportDrawMaps(figs, &m->maps));
  PetscCall(ReportDrawExtremes(figs, &m->maps));
  PetscCall(ReportDrawSpectra(figs, m->compare));
  PetscCall(ReportDrawSpread(figs, &m->arrays));
  PetscCall(ReportDrawFluctuations(figs, &m->arrays));
  PetscCall(ReportDrawRelative(figs, &m->view));
  PetscCall(ReportDrawWorth(figs, m->compare));
  PetscCall(ReportDrawUq(figs, m->uq, known_space(m)));
  PetscCall(ReportDrawResponse(figs, m->uq));
  PetscCall(ReportDrawSobol(figs, m->uq));
  PetscCall(ReportDrawPosterior(figs, &m->posterior));
  PetscCall(ReportOthersDraw(figs, &m->others, known_space(m)));
  PetscCall(ReportDrawSamples(figs, &m->samples));
  PetscCall(ReportDrawDataset(figs, &m->data));
  PetscCall(ReportDrawTimes(figs, &m->data));
  PetscCall(ReportDrawSlices(figs, &m->slices, &m->data.spec.space));
  PetscCall(ReportDrawTraining(figs, &m->train));
  PetscCall(ReportDrawScaling(figs, &m->scaling));
  PetscCall(ScoriaProgressDestroy(&figs->bar));
  PetscFunctionReturn(0);
}

/* Rank 0: figures and page. */
static PetscErrorCode Compose(ScoriaRun run, ScoriaDeck deck, const ScoriaRunDecks *decks, const Material *m,
                              ReportFigures *figs, ReportText *html)
{
  char run_dir[PETSC_MAX_PATH_LEN], deck_path[PETSC_MAX_PATH_LEN];
  ReportPage page = {.run_dir    = run_dir,
                     .deck_path  = deck_path,
                     .decks      = decks,
                     .compare    = m->compare,
                     .space      = known_space(m),
                     .view       = &m->view,
                     .uq         = m->uq,
                     .posterior  = m->inferred,
                     .others     = &m->others,
                     .data       = &m->data,
                     .train      = &m->train,
                     .samples    = &m->samples,
                     .history    = &m->history,
                     .scaling    = &m->scaling,
                     .nfields    = m->data.spec.nfields ? m->data.spec.nfields : m->arrays.nchannels,
                     .field      = m->data.spec.nfields ? m->data.spec.field : m->arrays.field,
                     .figures    = figs,
                     .rows       = m->rows,
                     .files      = m->files,
                     .likelihood = &m->likelihood,
                     .refine     = &m->refine,
                     .imported   = is_imported(m)};
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "", sizeof run_dir, run_dir));
  for (size_t n = strlen(run_dir); n > 1 && run_dir[n - 1] == '/'; n--) run_dir[n - 1] = 0;
  PetscCall(ScoriaRunPath(run, "deck.yaml", sizeof deck_path, deck_path));
  if (access(deck_path, R_OK)) PetscCall(PetscStrncpy(deck_path, "DECK", sizeof deck_path));
  PetscCall(ScoriaDeckText(deck, &page.deck));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &page.seed));
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &page.ranks));
  PetscCall(DrawAll(run, run_dir, m, figs));
  PetscCall(ReportHtml(&page, html));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaReportWrite(ScoriaRun run, ScoriaDeck deck)
{
  Material material;
  ScoriaRunDecks decks;
  ScoriaDeck own;
  ReportFigures figs = {0};
  ReportText html    = {0};
  char path[PETSC_MAX_PATH_LEN], whole[PETSC_MAX_PATH_LEN];
  int rank;
  MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunDecksRead(run, deck, &own, &decks));
  if (*decks.asked)
    PetscCall(ScoriaSay(run, "  this deck is not that of the results, which the page shows: %s", decks.asked));
  PetscCall(MaterialRead(run, &material));
  if (rank == 0) PetscCall(Compose(run, own, &decks, &material, &figs, &html));
  PetscCall(ScoriaAgree(comm, figs.trouble[0] ? SCORIA_EXIT_IO : SCORIA_EXIT_OK, figs.trouble));
  PetscCall(ScoriaRunPath(run, "report.html", sizeof path, path));
  PetscCall(ScoriaWriteText(comm, path, html.s ? html.s : ""));
  if (figs.warning[0]) PetscCall(ScoriaSay(run, "  warning: %s", figs.warning));
  if (!figs.n && !figs.warning[0])
    PetscCall(ScoriaSay(run, "  WARNING: the run directory holds no result yet: the page shows none"));
  PetscCall(ScoriaSay(run, "  wrote %s (%d figures)", realpath(path, whole) ? whole : path, figs.n));
  PetscCall(ReportTextDestroy(&html));
  PetscCall(ReportFiguresDestroy(&figs));
  PetscCall(MaterialDestroy(&material));
  PetscCall(ScoriaDeckDestroy(&own));
  PetscFunctionReturn(0);
}
