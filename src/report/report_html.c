/* The page: one file that asks the network for nothing, light or dark as the reader's system is. */
#include "report.h"
#include "scoria_version.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Figures are drawn for a light page; in the dark they are inverted, and their hues turned back. */
static const char *const page_head =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>scoria report</title>\n<style>\n"
    ":root{--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d1d9e0;--card:#f6f8fa}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--soft:#9aa4ae;--line:#343b42;--card:#1d2226}\n"
    "figure svg{filter:invert(.92) hue-rotate(180deg)}}\n"
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,\"Segoe "
    "UI\",Helvetica,Arial,sans-serif}\n"
    "main{max-width:1180px;margin:0 auto;padding:2rem 1.2rem 4rem}\n"
    "h1{font-size:1.7rem;margin:0}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}\n"
    ".sub,.note,figcaption,.help{color:var(--soft)}.note,.help{font-size:.88rem}.sub{margin:.2rem 0 1.4rem}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\n"
    ".card{flex:1 1 11rem;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem}\n"
    ".card b{display:block;font-size:1.5rem}.card span{font-size:.85rem;color:var(--soft)}\n"
    "figure{margin:0 0 1.2rem}figure svg{width:100%;height:auto;background:#fff;border-radius:6px}\n"
    "figure svg image{image-rendering:pixelated}\n"
    "figure svg text{font-family:Helvetica,Arial,\"DejaVu "
    "Sans\",sans-serif}figcaption{font-size:.92rem;max-width:75ch}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem}\n"
    "th,td{padding:.3rem .8rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "pre{background:var(--card);border:1px solid "
    "var(--line);border-radius:8px;padding:1rem;overflow-x:auto;font-size:.82rem}\n"
    "@media print{figure{break-inside:avoid}}\n</style>\n</head>\n<body>\n<main>\n";

/* Blanks an attribute xmlns...="..." in place: HTML knows SVG without it, and so the page names no address. */
static void blank_namespaces(char svg[])
{
  for (char *at = svg; (at = strstr(at, "xmlns"));) {
    char *open = strchr(at, '"'), *close = open ? strchr(open + 1, '"') : NULL;
    if (!close) return;
    memset(at, ' ', (size_t)(close - at) + 1);
  }
}

void report_inline_svg(char svg[])
{
  char *root = strstr(svg, "<svg");
  if (root && root != svg) memmove(svg, root, strlen(root) + 1);
  blank_namespaces(svg);
}

static PetscErrorCode Figure(const ReportFigures *figs, const ReportFigure *figure, ReportText *html)
{
  ReportText svg = {0};
  char path[PETSC_MAX_PATH_LEN + 64];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/%s.svg", figs->dir, figure->name);
  PetscCall(ReportSlurp(path, &svg));
  if (svg.s) {
    report_inline_svg(svg.s);
    PetscCall(ReportPrint(html, "<h2>"));
    PetscCall(ReportEscape(html, figure->title));
    PetscCall(ReportPrint(html, "</h2>\n<figure>\n"));
    PetscCall(ReportAppend(html, svg.s, strlen(svg.s)));
    PetscCall(ReportPrint(html, "\n<figcaption>"));
    PetscCall(ReportEscape(html, figure->caption));
    PetscCall(ReportPrint(html, "</figcaption>\n</figure>\n"));
  }
  PetscCall(ReportTextDestroy(&svg));
  PetscFunctionReturn(0);
}

static PetscErrorCode NamedFigure(const ReportFigures *figs, const char *name, ReportText *html)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < figs->n; f++)
    if (!strcmp(figs->figure[f].name, name)) PetscCall(Figure(figs, &figs->figure[f], html));
  PetscFunctionReturn(0);
}

static PetscErrorCode Training(const ReportTraining *train, ReportText *html)
{
  char loss[64], validation[64];
  int64_t last = -1;
  PetscFunctionBeginUser;
  if (train->n == 0) PetscFunctionReturn(0);
  for (int64_t i = 0; i < train->n; i++)
    if (isfinite(train->validation[i])) last = i;
  report_number(train->loss[train->n - 1], sizeof loss, loss);
  report_number(last < 0 ? NAN : train->validation[last], sizeof validation, validation);
  PetscCall(ReportPrint(html, "<p class=\"note\">Last logged step %.0f: training loss %s, last validation loss %s",
                        train->step[train->n - 1], loss, validation));
  if (isfinite(train->seconds[train->n - 1]))
    PetscCall(ReportPrint(html, ", after %.1f s", train->seconds[train->n - 1]));
  PetscCall(
      ReportPrint(html, ".%s</p>\n", train->unread ? " Lines of train.jsonl that do not parse were left out." : ""));
  PetscFunctionReturn(0);
}

static PetscErrorCode Provenance(const ReportPage *page, ReportText *html)
{
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING], petsc[128], now[64];
  int length;
  const time_t seconds = time(NULL);
  struct tm utc;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Get_library_version(mpi, &length));
  mpi[strcspn(mpi, ",\n")] = 0;
  PetscCall(PetscGetVersion(petsc, sizeof petsc));
  petsc[strcspn(petsc, ",\n")] = 0;
  strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &utc));
  PetscCall(ReportPrint(
      html, "<h2>Provenance</h2>\n<table>\n<tr><td>program</td><td>scoria %s, revision %s, %s build</td></tr>\n",
      SCORIA_VERSION, SCORIA_GIT_REVISION, SCORIA_BUILD_TYPE));
  PetscCall(ReportPrint(html, "<tr><td>libraries</td><td>"));
  PetscCall(ReportEscape(html, petsc));
  PetscCall(ReportPrint(html, "; "));
  PetscCall(ReportEscape(html, mpi));
  PetscCall(ReportPrint(
      html, "</td></tr>\n<tr><td>report written</td><td>%s, on %d rank%s</td></tr>\n<tr><td>run directory</td><td>",
      now, page->ranks, page->ranks == 1 ? "" : "s"));
  PetscCall(ReportEscape(html, page->run_dir));
  PetscCall(ReportPrint(html, "</td></tr>\n</table>\n<h2>Resolved deck</h2>\n<pre>"));
  PetscCall(ReportEscape(html, page->deck ? page->deck : ""));
  PetscCall(ReportPrint(html, "</pre>\n"));
  PetscFunctionReturn(0);
}

/* What the fields are is known to the dataset alone. */
static PetscErrorCode Heading(const ReportPage *page, ReportText *html)
{
  const ScoriaDatasetSpec *spec = &page->data->spec;
  const char *between           = "";
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<h1>Uncertainty from a random porosity</h1>\n<p class=\"sub\">What a random porosity "
                              "does to "));
  for (int f = 0; f < spec->nfields; f++) {
    if (!field_is_state(spec->field[f].name)) continue;
    PetscCall(ReportPrint(html, "%s", between));
    PetscCall(ReportEscape(html, spec->field[f].description));
    between = ", ";
  }
  PetscCall(ReportPrint(html, "%s: a generative model against the PDE it learned from. ", *between ? "" : "the state"));
  PetscCall(ReportEscape(html, page->run_dir));
  PetscCall(ReportPrint(html, "</p>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportHtml(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportAppend(html, page_head, strlen(page_head)));
  PetscCall(Heading(page, html));
  PetscCall(ReportHeadline(page->compare, html));
  PetscCall(NamedFigure(page->figures, "bands", html));
  PetscCall(NamedFigure(page->figures, "relative", html));
  PetscCall(ReportRelativeTable(page->view, html));
  PetscCall(ReportPooledTable(page->compare, html));
  PetscCall(NamedFigure(page->figures, "measures", html));
  PetscCall(NamedFigure(page->figures, "spread", html));
  PetscCall(NamedFigure(page->figures, "fluctuations", html));
  PetscCall(ReportConditionTable(page->compare, page->space, html));
  PetscCall(ReportCostTable(page->compare, html));
  PetscCall(NamedFigure(page->figures, "quantities", html));
  PetscCall(ReportUqTable(page->uq, html));
  PetscCall(NamedFigure(page->figures, "draws", html));
  PetscCall(NamedFigure(page->figures, "times", html));
  PetscCall(NamedFigure(page->figures, "fields", html));
  PetscCall(ReportStatusTable(page->data, html));
  PetscCall(NamedFigure(page->figures, "training", html));
  PetscCall(Training(page->train, html));
  PetscCall(Provenance(page, html));
  PetscCall(ReportPrint(html, "</main>\n</body>\n</html>\n"));
  PetscFunctionReturn(0);
}
