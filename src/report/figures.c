/* Runs gnuplot: a script and its data in figures/data, one SVG and one PNG out, started without a shell.  The scripts
 * hold names and numbers of this program only, and stay there, so that `cd figures && gnuplot data/bands.gp` draws
 * again. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#endif
#include "figures.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Line styles: the reference in black and grey; the model in blue and the Gaussian in vermillion of Okabe and Ito's
 * palette, which stay apart for the colour-blind and, by their dashes, in print without colour. */
static const char *const style = "set encoding utf8\n"
                                 "set border 3 linewidth 1 linecolor rgb '#444444'\n"
                                 "set tics nomirror out scale 0.6 textcolor rgb '#222222'\n"
                                 "set style line 1 linecolor rgb '#000000' linewidth 2\n"
                                 "set style line 2 linecolor rgb '#0072B2' linewidth 2\n"
                                 "set style line 3 linecolor rgb '#D55E00' linewidth 2\n"
                                 "set style line 4 linecolor rgb '#C4C4C4' linewidth 1\n"
                                 "set style line 5 linecolor rgb '#009E73' linewidth 2\n"
                                 "set style line 6 linecolor rgb '#CC79A7' linewidth 2\n"
                                 "set datafile missing 'NaN'\n";

static PetscErrorCode Trouble(ReportFigures *figs, const char *what, const char *path)
{
  PetscFunctionBeginUser;
  if (!figs->trouble[0])
    snprintf(figs->trouble, sizeof figs->trouble, "%s cannot be %s: %s", path, what, strerror(errno));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeDirectory(ReportFigures *figs, const char *path)
{
  PetscFunctionBeginUser;
  if (mkdir(path, 0777) && errno != EEXIST) PetscCall(Trouble(figs, "made", path));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportFiguresBegin(const char *run_dir, ReportFigures *figs)
{
  char path[PETSC_MAX_PATH_LEN + 8];
  PetscFunctionBeginUser;
  memset(figs, 0, sizeof *figs);
  figs->gnuplot = true;
  snprintf(figs->dir, sizeof figs->dir, "%s/figures", run_dir);
  snprintf(path, sizeof path, "%s/data", figs->dir);
  PetscCall(MakeDirectory(figs, figs->dir));
  PetscCall(MakeDirectory(figs, path));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportFiguresData(ReportFigures *figs, const char *file, const ReportText *text)
{
  char path[PETSC_MAX_PATH_LEN + 64];
  const char *dot = strrchr(file, '.');
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/data/%.*s%s%s", figs->dir, (int)(dot - file), file, figs->suffix, dot);
  FILE *out = fopen(path, "w");
  if (!out) {
    PetscCall(Trouble(figs, "written", path));
    PetscFunctionReturn(0);
  }
  const bool whole = fwrite(text->s ? text->s : "", 1, text->n, out) == text->n;
  if (fclose(out) || !whole) PetscCall(Trouble(figs, "written", path));
  PetscFunctionReturn(0);
}

/* gnuplot in the figures' directory, its messages in data/gnuplot.log; whether it could be started and ended well. */
static bool run_gnuplot(const ReportFigures *figs, char *script, bool *started)
{
  posix_spawn_file_actions_t actions;
  char *argv[] = {(char[]){"gnuplot"}, script, NULL};
  pid_t child;
  int status = 0;
  *started   = false;
  if (posix_spawn_file_actions_init(&actions)) return false;
  int bad = posix_spawn_file_actions_addchdir_np(&actions, figs->dir);
  bad     = bad || posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  bad = bad || posix_spawn_file_actions_addopen(&actions, 1, "data/gnuplot.log", O_WRONLY | O_CREAT | O_APPEND, 0666);
  bad = bad || posix_spawn_file_actions_adddup2(&actions, 1, 2);
  bad = bad || posix_spawnp(&child, "gnuplot", &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (bad) return false;
  *started = true;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A figure's commands, with the suffix in the names of its data, 'data/uq.dat'. */
static PetscErrorCode AppendBody(const char *suffix, const ReportText *body, ReportText *script)
{
  const char *at = body->s, *end;
  PetscFunctionBeginUser;
  while (*suffix && at && (end = strstr(at, ".dat'"))) {
    PetscCall(ReportAppend(script, at, (size_t)(end - at)));
    PetscCall(ReportPrint(script, "%s.dat'", suffix));
    at = end + strlen(".dat'");
  }
  if (at) PetscCall(ReportAppend(script, at, body->n - (size_t)(at - body->s)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Script(const char *suffix, const char *name, int width, int height, const ReportText *body,
                             ReportText *script)
{
  PetscFunctionBeginUser;
  PetscCall(
      ReportPrint(script,
                  "%sset terminal svg size %d,%d dynamic enhanced font 'Helvetica,13' name '%s' background 'white'\n"
                  "set output '%s.svg'\n",
                  style, width, height, name, name));
  PetscCall(AppendBody(suffix, body, script));
  PetscCall(ReportPrint(script,
                        "unset output\nif (strstrt(GPVAL_TERMINALS, 'pngcairo') == 0) { exit }\n"
                        "reset\n%sset terminal pngcairo size %d,%d enhanced font 'Sans,11' fontscale 1.7 "
                        "linewidth 1.7 pointscale 1.7\nset output '%s.png'\n",
                        style, 2 * width, 2 * height, name));
  PetscCall(AppendBody(suffix, body, script));
  PetscCall(ReportPrint(script, "unset output\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportLegendFrom(ReportText *body, const char *entries, double bottom)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(
      body,
      "set lmargin at screen 0.02\nset rmargin at screen 0.98\nset bmargin at screen %g\nset tmargin at "
      "screen 0.99\nunset border\nunset tics\nset key center center horizontal Left reverse samplen 3 width 1\n"
      "plot [0:1] [0:1] %s\nset border 3\nset xtics nomirror out scale 0.6\n"
      "set ytics nomirror out scale 0.6\nunset key\n",
      bottom, entries));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportLegend(ReportText *body, const char *entries)
{
  PetscFunctionBeginUser;
  PetscCall(ReportLegendFrom(body, entries, 0.93));
  PetscFunctionReturn(0);
}

/* Takes away what an earlier report drew, so that no old figure passes for a new one. */
static void remove_figure(const ReportFigures *figs, const char *name)
{
  char path[PETSC_MAX_PATH_LEN + 64];
  snprintf(path, sizeof path, "%s/%s.svg", figs->dir, name);
  unlink(path);
  snprintf(path, sizeof path, "%s/%s.png", figs->dir, name);
  unlink(path);
}

static bool figure_drawn(const ReportFigures *figs, const char *name)
{
  char path[PETSC_MAX_PATH_LEN + 64];
  struct stat info;
  snprintf(path, sizeof path, "%s/%s.svg", figs->dir, name);
  return !stat(path, &info) && info.st_size > 0;
}

PetscErrorCode ReportFiguresDraw(ReportFigures *figs, const char *first, int width, int height, const ReportText *body,
                                 const char *title, const char *caption)
{
  ReportText script = {0};
  char file[64], name[40];
  bool started;
  PetscFunctionBeginUser;
  snprintf(name, sizeof name, "%.24s%s", first, figs->suffix);
  remove_figure(figs, name);
  snprintf(file, sizeof file, "%.24s.gp", first); /* to which the suffix is added */
  PetscCall(Script(figs->suffix, name, width, height, body, &script));
  PetscCall(ReportFiguresData(figs, file, &script));
  PetscCall(ReportTextDestroy(&script));
  if (!figs->gnuplot || figs->trouble[0]) PetscFunctionReturn(0);
  snprintf(file, sizeof file, "data/%s.gp", name);
  const bool good = run_gnuplot(figs, file, &started);
  if (!started) {
    figs->gnuplot = false;
    snprintf(figs->warning, sizeof figs->warning,
             "gnuplot is missing or cannot be started: the page has its tables, but no figures; figures/data has "
             "what they are drawn from");
    PetscFunctionReturn(0);
  }
  if (!good || !figure_drawn(figs, name)) {
    remove_figure(figs, name);
    if (!figs->warning[0])
      snprintf(figs->warning, sizeof figs->warning, "gnuplot did not draw figures/%s: see figures/data/gnuplot.log",
               name);
    PetscFunctionReturn(0);
  }
  PetscCheck(figs->n < REPORT_MAX_FIGURES, PETSC_COMM_SELF, PETSC_ERR_PLIB, "more figures than REPORT_MAX_FIGURES");
  ReportFigure *figure = &figs->figure[figs->n++];
  *figure              = (ReportFigure){0};
  snprintf(figure->name, sizeof figure->name, "%.31s", name);
  snprintf(figure->title, sizeof figure->title, "%s", title);
  snprintf(figure->caption, sizeof figure->caption, "%s", caption);
  figure->width  = width;
  figure->height = height;
  if (figs->bar) PetscCall(ScoriaProgressExpect(figs->bar, NAN, NAN)); /* of how many, the data tell one by one */
  if (figs->bar) PetscCall(ScoriaProgressUpdate(figs->bar, figs->n, title));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportRowPanel(ReportText *body, int q, int of, double bottom)
{
  const double left = 0.065, width = (0.99 - left) / of;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body,
                        "set lmargin at screen %g\nset rmargin at screen %g\nset bmargin at screen %g\n"
                        "set tmargin at screen 0.86\n",
                        left + q * width, left + (q + 1) * width - 0.055, bottom));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- of fields ---- */

#define FIELD_ROW 400 /* points of one row with its strip */
#define FIELD_AXIS 58 /* of these, below a panel */

void report_fields_drawn(int drawn, int of, size_t size, char text[])
{
  *text = 0;
  if (drawn < of) snprintf(text, size, " The first %d of %d fields are drawn.", drawn, of);
}

static int field_rows(int of)
{
  return of > REPORT_QUANTITIES ? 2 : 1;
}

int report_fields_height(int of, int head)
{
  return head + field_rows(of) * (FIELD_ROW - head);
}

PetscErrorCode ReportFieldPanel(ReportText *body, int i, int of, int head)
{
  const int rows = field_rows(of), across = (of + rows - 1) / rows, row = i / across;
  const double left = 0.075, right = 0.985, gap = 0.08, height = report_fields_height(of, head);
  const double width = (right - left - (across - 1) * gap) / across, x0 = left + (i % across) * (width + gap);
  const double top = head + row * (FIELD_ROW - head);
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body,
                        "set lmargin at screen %.4f\nset rmargin at screen %.4f\nset tmargin at screen %.4f\n"
                        "set bmargin at screen %.4f\n",
                        x0, x0 + width, 1 - top / height, 1 - (top + FIELD_ROW - head - FIELD_AXIS) / height));
  PetscFunctionReturn(0);
}
