/* The page: one file that asks the network for nothing.  What it is about and how good, every figure at a glance, then
 * a section per command, the result first and what it was made from after it. */
#include "report_maps.h"
#include "report_page.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAGE_ROOM ((size_t)9000000) /* bytes of figures: with the text around them the page stays below 10 MB */

/* -------------------------------------------------------------------------------------------------- figures ---- */

/* Every figure small, as a second use of the drawing below: it costs no bytes. */
static PetscErrorCode Thumbnails(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  if (page->figures->n == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>All figures</h3>\n<ul class=\"thumbs\">\n"));
  for (int f = 0; f < page->figures->n; f++) {
    const ReportFigure *figure = &page->figures->figure[f];
    PetscCall(ReportPrint(html, "<li><a href=\"#figure-%s\">", figure->name));
    if (figure->svg.s)
      PetscCall(ReportPrint(html,
                            "<svg aria-hidden=\"true\" viewBox=\"0 0 %d %d\"><use href=\"#%s-gnuplot_canvas\"/></svg>",
                            figure->width, figure->height, figure->name));
    PetscCall(ReportPrint(html, "<span>"));
    PetscCall(ReportEscape(html, figure->title));
    PetscCall(ReportPrint(html, "%s</span></a></li>\n", figure->svg.s ? "" : " (left out: too large)"));
  }
  PetscCall(ReportPrint(html, "</ul>\n"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- sections ---- */

/* Those of whole fields: of every field its maps and single draws, then the others. */
static PetscErrorCode WholeFigures(const ReportPage *page, ReportText *html)
{
  char name[16];
  PetscFunctionBeginUser;
  for (int f = 1; f <= REPORT_FIELDS; f++) {
    snprintf(name, sizeof name, "maps%d", f);
    PetscCall(ReportPageFigure(page, name, html));
    snprintf(name, sizeof name, "slices%d", f);
    PetscCall(ReportPageFigure(page, name, html));
  }
  PetscCall(ReportPageFigure(page, "extremes", html));
  PetscCall(ReportPageFigure(page, "spectra", html));
  PetscFunctionReturn(0);
}

static PetscErrorCode CompareSection(const ReportPage *page, ReportText *html)
{
  static const char *const figures[] = {"measures", "spread", "fluctuations"};
  PetscFunctionBeginUser;
  PetscCall(ReportPageFigure(page, "bands", html));
  PetscCall(ReportPageFigure(page, "residuals", html));
  PetscCall(ReportPooledTable(page->compare, html));
  PetscCall(ReportWholeTable(page->compare, html));
  PetscCall(WholeFigures(page, html));
  for (int i = 0; i < 3; i++) PetscCall(ReportPageFigure(page, figures[i], html));
  PetscCall(ReportPageFigure(page, "relative", html));
  PetscCall(ReportRelativeTable(page->view, html));
  PetscCall(ReportConditionTable(page->compare, page->space, html));
  PetscCall(ReportTailsTable(page->compare, html));
  PetscCall(ReportChecks(page->compare, html));
  PetscCall(ReportCostTable(page->compare, html));
  PetscCall(ReportPageFigure(page, "worth", html));
  PetscCall(ReportWorthTable(page->compare, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode UqSection(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportUqTable(page->uq, page->space, html));
  PetscCall(ReportPageFigure(page, "quantities", html));
  PetscCall(ReportPageFigure(page, "response", html));
  PetscCall(ReportPageFigure(page, "sobol", html));
  PetscCall(ReportOthersPrint(page, false, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode InferSection(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPageFigure(page, "posterior", html));
  PetscCall(ReportPosteriorTable(page->posterior, page->space, html));
  PetscCall(ReportOthersPrint(page, true, html));
  PetscFunctionReturn(0);
}

static PetscErrorCode List(ReportText *html, const char *title, int n, const char line[][256])
{
  PetscFunctionBeginUser;
  if (!n) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>%s</h3>\n<ul>\n", title));
  for (int i = 0; i < n; i++) {
    PetscCall(ReportPrint(html, "<li>"));
    PetscCall(ReportEscape(html, line[i]));
    PetscCall(ReportPrint(html, "</li>\n"));
  }
  PetscCall(ReportPrint(html, "</ul>\n"));
  PetscFunctionReturn(0);
}

/* What the import has said of its file. */
static PetscErrorCode Imported(const ReportPage *page, ReportText *html)
{
  const ReportHistory *history = page->history;
  PetscFunctionBeginUser;
  if (!page->imported || !history) PetscFunctionReturn(0);
  PetscCall(List(html, "What looks wrong in the file", history->nsuspects, history->suspects));
  PetscCall(List(html, "Units", history->nunits, history->units));
  PetscFunctionReturn(0);
}

static PetscErrorCode GenerateSection(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportStatusTable(page->data, html));
  PetscCall(Imported(page, html));
  PetscCall(ReportPageFigure(page, "draws", html));
  PetscCall(ReportPageFigure(page, "times", html));
  PetscCall(ReportPageFigure(page, "fields", html));
  PetscFunctionReturn(0);
}

static PetscErrorCode TrainSection(const ReportPage *page, ReportText *html)
{
  const ReportTraining *train = page->train;
  char loss[64], validation[64];
  int64_t last = -1;
  PetscFunctionBeginUser;
  if (train->n == 0) PetscFunctionReturn(0);
  for (int64_t i = 0; i < train->n; i++)
    if (isfinite(train->validation[i])) last = i;
  report_number(train->loss[train->n - 1], sizeof loss, loss);
  report_number(last < 0 ? NAN : train->validation[last], sizeof validation, validation);
  PetscCall(ReportPrint(html, "<p>Last logged step %.0f: training loss %s, last validation loss %s",
                        train->step[train->n - 1], loss, validation));
  if (isfinite(train->seconds[train->n - 1]))
    PetscCall(ReportPrint(html, ", after %.1f s", train->seconds[train->n - 1]));
  if (isfinite(train->kept_step)) {
    report_number(train->kept_loss, sizeof validation, validation);
    PetscCall(ReportPrint(html,
                          ". The model is that of step %.0f, validation loss %s, averaged over a relative width of %g",
                          train->kept_step, validation, train->width));
  }
  if (train->lengthened > 0)
    PetscCall(ReportPrint(html, ". <code>train_steps</code> was raised at step %.0f", train->lengthened));
  PetscCall(
      ReportPrint(html, ".%s</p>\n", train->unread ? " Lines of train.jsonl that do not parse were left out." : ""));
  if (page->history && page->history->calibration.there)
    PetscCall(ReportPrint(html,
                          "<p>The network is calibrated against the training rows: means of its samples are moved by "
                          "%.3f SD and spreads by %.1f %% (rms over conditions and learned coordinates), %+.1f %% on "
                          "average.</p>\n",
                          page->history->calibration.mean, 100 * page->history->calibration.spread,
                          100 * page->history->calibration.widened));
  PetscCall(ReportPageFigure(page, "training", html));
  PetscFunctionReturn(0);
}

static PetscErrorCode SampleSection(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportSamplesTable(page->samples, html));
  PetscCall(ReportPageFigure(page, "samples", html));
  PetscFunctionReturn(0);
}

static PetscErrorCode ScalingSection(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  if (!page->scaling) PetscFunctionReturn(0);
  PetscCall(ReportPageFigure(page, "scaling", html));
  PetscCall(ReportScalingTable(page->scaling, html));
  PetscFunctionReturn(0);
}

/* The sections in the order of the page; command: what makes the section's files, NULL: none does. */
static const ReportSection sections[] = {
    {"compare", NULL, "compare", CompareSection},
    {"files_compared", "Two files compared", NULL, ReportTwoFiles},
    {"likelihood", "Log densities of given rows", "likelihood", ReportLikelihoodSection},
    {"refine", "How near fields are to solutions", "refine", ReportRefineSection},
    {"uq", "Quantities of interest", "uq", UqSection},
    {"infer", "Inference from sensors", "infer", InferSection},
    {"sample", "Samples of the model", "sample", SampleSection},
    {"generate", "The training set", "generate", GenerateSection},
    {"train", "Training", "train", TrainSection},
    {"scaling", "Scaling", NULL, ScalingSection},
    {"files", "Files and provenance", NULL, ReportProvenance},
};

#define SECTIONS ((int)(sizeof sections / sizeof *sections))

/* What a command makes in a run directory by its usual name. */
static const char *made_by(const char *command)
{
  static const char *const made[][2] = {
      {"generate", "dataset.h5"},      {"train", "model.h5"},   {"sample", "samples.h5"},
      {"compare", "compare.h5"},       {"uq", "uq.h5"},         {"infer", "posterior.h5"},
      {"likelihood", "likelihood.h5"}, {"refine", "refined.h5"}};
  for (size_t i = 0; i < sizeof made / sizeof *made; i++)
    if (!strcmp(made[i][0], command)) return made[i][1];
  return NULL;
}

/* How the section's files were made, and are made again. */
static PetscErrorCode MadeBy(const ReportPage *page, const char *command, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<p class=\"made\">Made by <code>mpirun -n %d scoria %s ",
                        report_ranks(page->history, command), command));
  PetscCall(ReportShellWord(html, page->deck_path));
  PetscCall(ReportPrint(html, "</code></p>\n"));
  PetscCall(ReportOtherDeck(page, made_by(command), html));
  PetscFunctionReturn(0);
}

/* A section that prints nothing is not in the page, nor in its contents. */
static PetscErrorCode Section(const ReportPage *page, const ReportSection *section, ReportText *html, ReportText *toc)
{
  ReportText body = {0};
  PetscFunctionBeginUser;
  PetscCall(section->print(page, &body));
  const char *title = section->title ? section->title : report_words(page->imported)->against;
  if (body.n) {
    PetscCall(ReportPrint(toc, "<li><a href=\"#%s\">%s</a></li>\n", section->id, title));
    PetscCall(ReportPrint(html, "<section id=\"%s\">\n<h2>%s</h2>\n", section->id, title));
    const bool imported = !strcmp(section->id, "generate") && page->imported;
    if (section->command) PetscCall(MadeBy(page, imported ? "import" : section->command, html));
    PetscCall(ReportAppend(html, body.s, body.n));
    PetscCall(ReportPrint(html, "</section>\n"));
  }
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- page ---- */

/* What the fields are is known to the dataset, or to the comparison. */
static PetscErrorCode Heading(const ReportPage *page, ReportText *html)
{
  const char *between = "";
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, page->imported ? "<h1>A generative model of imported data</h1>\n<p class=\"sub\">"
                                             : "<h1>Uncertainty from a random porosity</h1>\n<p class=\"sub\">What a "
                                               "random porosity does to "));
  for (int f = 0; f < page->nfields; f++) {
    if (!field_is_state(&page->field[f])) continue;
    PetscCall(ReportPrint(html, "%s", between));
    const char *text = page->field[f].description;
    PetscCall(ReportEscape(html, *text && !page->imported ? text : page->field[f].name));
    if (field_is_one_value(&page->field[f])) PetscCall(ReportPrint(html, " (one value)"));
    between = ", ";
  }
  if (page->imported) {
    PetscCall(ReportPrint(html, ", imported from "));
    PetscCall(ReportEscape(html, page->data->spec.source));
    PetscCall(ReportPrint(html, ". Run directory <code>"));
  } else
    PetscCall(ReportPrint(html, "%s: a generative model and the PDE it learned from. Run directory <code>",
                          *between ? "" : "the state"));
  PetscCall(ReportEscape(html, page->run_dir));
  PetscCall(ReportPrint(html, "</code>.</p>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportHtml(const ReportPage *page, ReportText *html)
{
  ReportText body = {0}, toc = {0};
  char title[PETSC_MAX_PATH_LEN + 32];
  PetscFunctionBeginUser;
  PetscCall(ReportFiguresEmbed(page->figures, PAGE_ROOM));
  for (int s = 0; s < SECTIONS; s++) PetscCall(Section(page, &sections[s], &body, &toc));
  snprintf(title, sizeof title, "scoria report: %s", page->run_dir);
  PetscCall(ReportPageHead(title, html));
  PetscCall(ReportPrint(html, "<div class=\"page\">\n<nav aria-label=\"Contents\">\n<b>Contents</b>\n<ol>\n"
                              "<li><a href=\"#summary\">Summary</a></li>\n"));
  PetscCall(ReportAppend(html, toc.s, toc.n));
  PetscCall(ReportPrint(html, "</ol>\n</nav>\n<main>\n<header id=\"summary\">\n"));
  PetscCall(Heading(page, html));
  PetscCall(ReportVerdict(page, html));
  PetscCall(Thumbnails(page, html));
  PetscCall(ReportPrint(html, "</header>\n"));
  PetscCall(ReportAppend(html, body.s, body.n));
  PetscCall(ReportPrint(html, "</main>\n</div>\n</body>\n</html>\n"));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&toc));
  PetscFunctionReturn(0);
}
