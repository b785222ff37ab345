/* What the report shows of samples.h5: single fields of the model, and the band that all of them span. */
#include "report_compare.h"
#include "report_dataset.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SINGLES 6
#define HEAD 75 /* points above the panels */

PetscErrorCode ReportSamplesRead(ScoriaRun run, ReportSamples *samples)
{
  const ScoriaDatasetSpec *spec;
  const double *x;
  char path[PETSC_MAX_PATH_LEN];
  ScoriaDataset ds;
  int rank;
  MPI_Comm comm = ScoriaRunComm(run);
  PetscFunctionBeginUser;
  memset(samples, 0, sizeof *samples);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaRunPath(run, "samples.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(comm, path, &samples->present));
  if (!samples->present) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetOpen(comm, path, &ds));
  PetscCall(ScoriaDatasetInfo(ds, &spec, &x, NULL));
  if (spec_is_whole(spec)) {
    samples->present = false;
    samples->whole   = spec->rows;
    PetscCall(ScoriaDatasetClose(&ds));
    PetscFunctionReturn(0);
  }
  samples->spec = *spec;
  samples->n    = PetscMin(REPORT_SAMPLE_ROWS, spec->rows);
  PetscCall(PetscMalloc1(spec_centres(spec), &samples->x));
  PetscCall(PetscArraycpy(samples->x, x, spec_centres(spec)));
  PetscCall(ScoriaRowsCreate(spec, samples->n, &samples->rows));
  PetscCall(ScoriaDatasetRead(ds, 0, rank ? 0 : samples->n, &samples->rows));
  for (int i = 0; i < spec->space.n && rank == 0; i++) samples->theta[i] = samples->rows.condition[i][0];
  PetscCall(ScoriaDatasetClose(&ds));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportSamplesDestroy(ReportSamples *samples)
{
  PetscFunctionBeginUser;
  if (samples->present) PetscCall(ScoriaRowsDestroy(&samples->rows));
  PetscCall(PetscFree(samples->x));
  memset(samples, 0, sizeof *samples);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- figure ---- */

static int state_fields(const ReportSamples *samples, int field[REPORT_FIELDS])
{
  int n = 0;
  for (int f = 0; f < samples->spec.nfields && n < REPORT_FIELDS; f++)
    if (field_is_state(&samples->spec.field[f])) field[n++] = f;
  return n;
}

static void sample_quantity(const ReportSamples *samples, int field, ReportQuantity *q)
{
  double largest = 0;
  for (int64_t i = 0; i < samples->n * samples->spec.cells; i++)
    largest = fmax(largest, fabs(samples->rows.field[field][i]));
  report_quantity(samples->spec.field[field].name, samples->spec.field[field].unit, largest, q);
}

/* Lines of one block: x, mean, the limits of the central 95 %, then the single fields. */
static PetscErrorCode SampleLines(ReportText *text, const ReportSamples *samples, int field, const ReportQuantity *q)
{
  const int64_t n = samples->n, cells = samples->spec.cells;
  const double *value = samples->rows.field[field];
  ReportQuantity along;
  double *sorted;
  PetscFunctionBeginUser;
  report_axis(&samples->spec.space, 0, samples->x[cells - 1], &along);
  PetscCall(PetscMalloc1(n, &sorted));
  const ScoriaField *of = &samples->spec.field[field];
  for (int64_t j = 0; j < field_cells(of, (int)cells); j++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += sorted[i] = value[i * cells + j] * q->scale;
    stats_sort(n, sorted);
    PetscCall(ReportPrint(text, "%.6g %.8g %.8g %.8g", samples->x[of->centre[0] + j] * along.scale, sum / (double)n,
                          sorted[(int64_t)(0.025 * (double)(n - 1) + 0.5)],
                          sorted[(int64_t)(0.975 * (double)(n - 1) + 0.5)]));
    for (int64_t i = 0; i < PetscMin(SINGLES, n); i++)
      PetscCall(ReportPrint(text, " %.8g", value[i * cells + j] * q->scale));
    PetscCall(ReportPrint(text, "\n"));
  }
  PetscCall(ReportPrint(text, "\n\n"));
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

static PetscErrorCode SamplePanel(ReportText *body, const ReportSamples *samples, int i, int n, const ReportQuantity *q)
{
  const int64_t cells = samples->spec.cells;
  ReportQuantity along;
  PetscFunctionBeginUser;
  report_axis(&samples->spec.space, 0, samples->x[cells - 1], &along);
  PetscCall(ReportFieldPanel(body, i, n, HEAD));
  PetscCall(ReportPrint(body, "set xlabel '%s' offset 0,0.3\nset ylabel '%s' offset 1,0\n", along.axis, q->axis));
  PetscCall(ReportPrint(body,
                        "plot 'data/samples.dat' index %d using 1:3:4 with filledcurves linestyle 4, for [j=5:%d] "
                        "'data/samples.dat' index %d using 1:j with lines linewidth 1.2 linecolor rgb "
                        "word('#56B4E9 #2E8FD0 #00406B', 1 + j %% 3), 'data/samples.dat' index %d using 1:2 with lines "
                        "linestyle 2 linewidth 3\n",
                        i, 4 + (int)PetscMin(SINGLES, samples->n), i, i));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawSamples(ReportFigures *figs, const ReportSamples *samples)
{
  int field[REPORT_FIELDS];
  ReportQuantity q[REPORT_FIELDS], along;
  ReportText data = {0}, body = {0};
  char caption[512], drawn[64];
  int states = 0;
  PetscFunctionBeginUser;
  const int n = samples->present ? state_fields(samples, field) : 0, height = report_fields_height(n, HEAD);
  if (n == 0 || samples->n == 0) PetscFunctionReturn(0);
  const double *x = samples->x;
  const int cells = (int)samples->spec.cells;
  report_axis(&samples->spec.space, 0, x[cells - 1], &along);
  PetscCall(ReportPrint(&data, "# a block per field: x, mean, limits of the central 95 %%, single fields\n"));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportLegendFrom(&body,
                             "NaN with filledcurves linestyle 4 title 'central 95 %', "
                             "NaN with lines linestyle 2 linewidth 3 title 'mean', NaN with lines linewidth 1.2 "
                             "linecolor rgb '#2E8FD0' title 'single fields'",
                             1 - 28.0 / height));
  PetscCall(ReportRangeX(&body, &along, samples->spec.nfields, samples->spec.field, cells, x));
  PetscCall(ReportPrint(&body, "set label 1 \""));
  PetscCall(ReportConditionTitle(&body, &samples->spec.space, samples->theta, 1));
  PetscCall(ReportPrint(&body, "\" at screen 0.5,%.4f center\n", 1 - 50.0 / height));
  for (int i = 0; i < n; i++) {
    sample_quantity(samples, field[i], &q[i]);
    PetscCall(SampleLines(&data, samples, field[i], &q[i]));
    PetscCall(SamplePanel(&body, samples, i, n, &q[i]));
    PetscCall(ReportPrint(&body, "unset label 1\n"));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(ReportFiguresData(figs, "samples.dat", &data));
  for (int f = 0; f < samples->spec.nfields; f++) states += field_is_state(&samples->spec.field[f]);
  report_fields_drawn(n, states, sizeof drawn, drawn);
  snprintf(
      caption, sizeof caption,
      "Mean and central 95 %% band of %lld of the %lld fields of the model in samples.h5, and %d single ones of them, "
      "at one operating condition.%s%s",
      (long long)samples->n, (long long)samples->spec.rows, (int)PetscMin(SINGLES, samples->n),
      figs->imported ? "" : " No PDE solve enters.", drawn);
  PetscCall(ReportFiguresDraw(figs, "samples", 1180, height, &body, "Fields of the model at one condition", caption));
  PetscCall(ReportTextDestroy(&data));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- table ---- */

PetscErrorCode ReportSamplesTable(const ReportSamples *samples, ReportText *html)
{
  const ScoriaSpace *space = &samples->spec.space;
  PetscFunctionBeginUser;
  if (!samples->present) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<p>%lld fields on %lld cells at ", (long long)samples->spec.rows,
                        (long long)samples->spec.cells));
  for (int i = 0; i < space->n; i++) {
    ReportQuantity q;
    char value[32];
    report_condition(&space->c[i], samples->theta[i], 4, &q, sizeof value, value);
    PetscCall(ReportPrint(html, "%s", i ? ", " : ""));
    PetscCall(ReportEnhanced(html, q.label));
    PetscCall(ReportPrint(html, "&nbsp;=&nbsp;%s%s", value, *q.unit ? "&nbsp;" : ""));
    PetscCall(ReportEnhanced(html, q.unit));
  }
  PetscCall(ReportPrint(html, ".</p>\n"));
  PetscFunctionReturn(0);
}
