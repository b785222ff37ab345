/* A figure in the function of its section. */
#include "report_page.h"

/* What it takes to draw a figure again from its data. */
static PetscErrorCode Redraw(const ReportPage *page, const ReportFigure *figure, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, " <span class=\"redraw\">Drawn by <code>cd "));
  PetscCall(ReportShellWord(html, page->figures->dir));
  PetscCall(ReportPrint(html, " &amp;&amp; gnuplot data/%s.gp</code></span>", figure->name));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPageFigure(const ReportPage *page, const char *name, ReportText *html)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < page->figures->n; f++) {
    const ReportFigure *figure = &page->figures->figure[f];
    if (strcmp(figure->name, name)) continue;
    PetscCall(ReportPrint(html, "<figure id=\"figure-%s\">\n<h3>", name));
    PetscCall(ReportEscape(html, figure->title));
    PetscCall(ReportPrint(html, "</h3>\n"));
    if (figure->svg.s) {
      PetscCall(ReportPrint(html, "<div class=\"wide\">"));
      PetscCall(ReportAppend(html, figure->svg.s, figure->svg.n));
      PetscCall(ReportPrint(html, "</div>\n"));
    } else
      PetscCall(ReportPrint(html,
                            "<p><strong>Left out:</strong> its %.1f MB do not fit into a page of 10 MB; it is in "
                            "figures/%s.svg and figures/%s.png of the run directory.</p>\n",
                            1e-6 * (double)figure->size, name, name));
    PetscCall(ReportPrint(html, "<figcaption>"));
    PetscCall(ReportEscape(html, figure->caption));
    PetscCall(Redraw(page, figure, html));
    PetscCall(ReportPrint(html, "</figcaption>\n</figure>\n"));
  }
  PetscFunctionReturn(0);
}
