/* Figures as they stand in the page: gnuplot's SVG, with ids of its own and colours that follow the page's. */
#include "report_page.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the attribute xmlns...="..." at s, 0 where there is none: HTML knows SVG without it, and so the page names
 * no address. */
static size_t namespace_length(const char *s)
{
  if (strncmp(s, "xmlns", 5)) return 0;
  const char *open = strchr(s, '"'), *close = open ? strchr(open + 1, '"') : NULL;
  return close ? (size_t)(close - s) + 1 : 0;
}

/* Length of an element <title> or <desc> at s with what it holds: names of data files, which a browser would show under
 * the pointer. */
static size_t remark_length(const char *s)
{
  static const char *const remarks[][2] = {{"<title>", "</title>"}, {"<desc>", "</desc>"}};
  for (int i = 0; i < 2; i++) {
    if (strncmp(s, remarks[i][0], strlen(remarks[i][0]))) continue;
    const char *end = strstr(s, remarks[i][1]);
    return end ? (size_t)(end - s) + strlen(remarks[i][1]) : 0;
  }
  return 0;
}

/* Length of what precedes the name in a definition or use of an id at s, 0 where there is neither. */
static size_t id_length(const char *s)
{
  static const char *const before[] = {" id='", " id=\"", "href='#", "href=\"#", "url(#", "url('#"};
  for (size_t i = 0; i < sizeof before / sizeof *before; i++)
    if (!strncmp(s, before[i], strlen(before[i]))) return strlen(before[i]);
  return 0;
}

/* Length of a colour at s, and which of the page's inks it is (-1: none). */
static size_t colour_length(const char *s, int *ink)
{
  int rgb[3], length = 0;
  *ink = -1;
  if (!strncmp(s, "rgb(", 4)) {
    if (sscanf(s, "rgb(%3d ,%3d ,%3d )%n", &rgb[0], &rgb[1], &rgb[2], &length) != 3 || !length) return 0;
  } else if (*s == '#' && strspn(s + 1, "0123456789abcdefABCDEF") == 6) {
    const long value = strtol(s + 1, NULL, 16);
    length           = 7;
    for (int i = 0; i < 3; i++) rgb[i] = (int)(value >> (16 - 8 * i) & 255);
  } else if (!strncmp(s, "black", 5) && !isalpha((unsigned char)s[5])) {
    length = 5;
    memset(rgb, 0, sizeof rgb);
  } else
    return 0;
  *ink = report_ink(rgb);
  return (size_t)length;
}

/* The value of an attribute from s on is a colour. */
static size_t colour_start(const char *s)
{
  static const char *const names[] = {"stroke", "fill", "color"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strncmp(s, names[i], strlen(names[i]))) continue;
    const size_t after = strlen(names[i]), equals = after + strspn(s + after, " ");
    if (s[equals] != '=') continue;
    const size_t quote = equals + 1 + strspn(s + equals + 1, " ");
    return s[quote] == '"' || s[quote] == '\'' ? quote + 1 : 0;
  }
  return 0;
}

PetscErrorCode ReportInlineSvg(ReportText *html, const char *name, const char *label, const char *svg)
{
  const char *s = strstr(svg, "<svg");
  size_t skip;
  int ink;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<svg role=\"img\" aria-label=\""));
  PetscCall(ReportEscape(html, label));
  PetscCall(ReportPrint(html, "\""));
  for (s += strlen("<svg"); *s;) {
    if ((skip = namespace_length(s)) || (skip = remark_length(s)))
      s += skip;
    else if ((skip = id_length(s))) {
      PetscCall(ReportAppend(html, s, skip));
      PetscCall(ReportPrint(html, "%s-", name));
      s += skip;
    } else if ((skip = colour_start(s))) {
      PetscCall(ReportAppend(html, s, skip));
      s += skip;
      skip = colour_length(s, &ink);
      if (ink >= 0) PetscCall(ReportPrint(html, "var(--ink%d)", ink));
      if (ink >= 0) s += skip;
    } else
      PetscCall(ReportAppend(html, s++, 1));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportFiguresEmbed(ReportFigures *figs, size_t room)
{
  char path[PETSC_MAX_PATH_LEN + 64], label[sizeof figs->figure->title + sizeof figs->figure->caption + 4];
  PetscFunctionBeginUser;
  for (int f = 0; f < figs->n; f++) {
    ReportFigure *figure = &figs->figure[f];
    ReportText file      = {0};
    snprintf(path, sizeof path, "%s/%s.svg", figs->dir, figure->name);
    snprintf(label, sizeof label, "%s. %s", figure->title, figure->caption);
    PetscCall(ReportSlurp(path, &file));
    if (file.s) PetscCall(ReportInlineSvg(&figure->svg, figure->name, label, file.s));
    PetscCall(ReportTextDestroy(&file));
    figure->size = figure->svg.n;
    if (figure->size > room)
      PetscCall(ReportTextDestroy(&figure->svg));
    else
      room -= figure->size;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportFiguresDestroy(ReportFigures *figs)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < figs->n; f++) PetscCall(ReportTextDestroy(&figs->figure[f].svg));
  figs->n = 0;
  PetscFunctionReturn(0);
}
