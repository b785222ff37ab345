/* Progress on standard output: a bar that redraws itself on a terminal, a line every few seconds elsewhere. */
#include "scoria/base.h"
#include <fcntl.h>
#include <stdio.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 28
#define WINDOW 80 /* columns, where the terminal does not say */
#define LINE_SIZE 400
#define BAR_SECONDS 0.2  /* between redraws on a terminal */
#define LINE_SECONDS 5.0 /* between lines elsewhere */

struct ScoriaProgress_ {
  ScoriaRun run; /* borrowed */
  char what[48], unit[24];
  double total, done, start, shown;
  double first;  /* done before this start */
  bool expected; /* whether total and left are estimates, by ScoriaProgressExpect */
  double left;   /* [s]; NaN: not known */
  int drawn;     /* columns of the line on the terminal */
  bool print, terminal;
};

static void format_seconds(double s, size_t size, char text[])
{
  if (s < 90)
    snprintf(text, size, "%.0f s", s);
  else if (s < 5400)
    snprintf(text, size, "%d min %02d s", (int)s / 60, (int)s % 60);
  else if (s < 3600 * 1000)
    snprintf(text, size, "%d h %02d min", (int)(s / 3600), (int)(s / 60) % 60);
  else
    snprintf(text, size, "%.3g days", s / 86400);
}

static void format_rate(double rate, size_t size, char text[])
{
  if (rate >= 1e4)
    snprintf(text, size, "%.1fk", rate / 1e3);
  else
    snprintf(text, size, rate >= 10 ? "%.0f" : rate >= 0.1 ? "%.2f" : "%.2g", rate);
}

/* mpirun gives its ranks a pseudo-terminal even when its own output goes to a file, so the parent's output is asked
 * too. */
static bool is_terminal(void)
{
  char path[64];
  if (!isatty(STDOUT_FILENO)) return false;
  snprintf(path, sizeof path, "/proc/%d/fd/1", (int)getppid());
  /* not to wait, where that is a pipe whose reader has gone */
  const int parent = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  if (parent < 0) return false;
  const bool terminal = isatty(parent);
  close(parent);
  return terminal;
}

PetscErrorCode ScoriaProgressCreate(ScoriaRun run, const char *what, const char *unit, double total,
                                    ScoriaProgress *bar)
{
  int rank;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(bar));
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  (*bar)->run = run;
  snprintf((*bar)->what, sizeof(*bar)->what, "%s", what);
  snprintf((*bar)->unit, sizeof(*bar)->unit, "%s", unit);
  (*bar)->total    = total;
  (*bar)->start    = wall_seconds();
  (*bar)->shown    = (*bar)->start;
  (*bar)->print    = rank == 0;
  (*bar)->terminal = is_terminal();
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaProgressExpect(ScoriaProgress bar, double total, double seconds)
{
  PetscFunctionBeginUser;
  bar->expected = true;
  bar->total    = total;
  bar->left     = seconds;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaProgressFrom(ScoriaProgress bar, double done)
{
  PetscFunctionBeginUser;
  bar->first = bar->done = done;
  PetscFunctionReturn(0);
}

static double rate_of(const struct ScoriaProgress_ *bar, double elapsed)
{
  return elapsed > 0 ? (bar->done - bar->first) / elapsed : 0;
}

/* Columns of the window as it is now: under mpirun the parent's, as its pseudo-terminal for the ranks has none. */
static int window_columns(void)
{
  struct winsize size = {0};
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/1", (int)getppid());
  const int parent = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  if (parent >= 0) {
    if (ioctl(parent, TIOCGWINSZ, &size)) size.ws_col = 0;
    close(parent);
  }
  if (!size.ws_col && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) size.ws_col = 0;
  return size.ws_col ? size.ws_col : WINDOW;
}

/* In place of the line that was drawn last, which a window made narrower since has broken into several; no longer than
 * the window, as its end would go to a line of its own. */
static void redraw(struct ScoriaProgress_ *bar, char line[])
{
  const int columns = PetscMax(window_columns(), 2), broken = bar->drawn ? (bar->drawn - 1) / columns : 0;
  if ((int)strlen(line) > columns - 1) line[columns - 1] = 0;
  if (broken) printf("\033[%dA", broken);
  printf("\r%s\033[%s", line, broken ? "J" : "K");
  bar->drawn = (int)strlen(line);
}

static void draw(struct ScoriaProgress_ *bar, double now, const char *note)
{
  char drawn[BAR_WIDTH + 1], rate[32], left[32], numbers[LINE_SIZE], line[2 * LINE_SIZE];
  const double share   = bar->total > 0 ? PetscMin(1.0, bar->done / bar->total) : 0;
  const double pace    = rate_of(bar, now - bar->start),
               seconds = bar->expected ? bar->left : (bar->total - bar->done) / pace;
  const double whole   = floor(bar->done + 1e-9); /* of items that are done in part, those that are done */
  const bool known     = bar->expected ? !isnan(seconds) : pace > 0;
  format_rate(pace, sizeof rate, rate);
  format_seconds(known ? seconds : 0, sizeof left, left);
  if (bar->expected && !known)
    snprintf(numbers, sizeof numbers, "%.0f %s  %s/s", whole, bar->unit, rate);
  else
    snprintf(numbers, sizeof numbers, "%5.1f %%  %.0f/%s%.0f %s  %s/s  %s left", 100 * share, whole,
             bar->expected ? "about " : "", bar->total, bar->unit, rate, known ? left : "?");
  for (int i = 0; i < BAR_WIDTH; i++) drawn[i] = i < share * BAR_WIDTH ? '=' : ' ';
  drawn[BAR_WIDTH] = 0;
  snprintf(line, sizeof line, "  %-10s %s%s%s%s%s%s", bar->what, bar->terminal ? "[" : "", bar->terminal ? drawn : "",
           bar->terminal ? "] " : "", numbers, note && *note ? "  " : "", note ? note : "");
  if (bar->terminal)
    redraw(bar, line);
  else
    printf("%s\n", line);
  fflush(stdout);
}

PetscErrorCode ScoriaProgressUpdate(ScoriaProgress bar, double done, const char *note)
{
  PetscFunctionBeginUser;
  bar->done = done;
  if (!bar->print) PetscFunctionReturn(0);
  const double now = wall_seconds();
  if (now - bar->shown < (bar->terminal ? BAR_SECONDS : LINE_SECONDS)) PetscFunctionReturn(0);
  bar->shown = now;
  draw(bar, now, note);
  PetscFunctionReturn(0);
}

static void print_end(struct ScoriaProgress_ *bar, double elapsed)
{
  char rate[32], took[32], line[LINE_SIZE];
  format_rate(rate_of(bar, elapsed), sizeof rate, rate);
  format_seconds(elapsed, sizeof took, took);
  snprintf(line, sizeof line, "  %-10s %.0f %s in %s (%s/s)", bar->what, bar->done - bar->first, bar->unit, took, rate);
  if (bar->terminal)
    redraw(bar, line);
  else
    printf("%s", line);
  printf("\n");
  fflush(stdout);
}

PetscErrorCode ScoriaProgressDestroy(ScoriaProgress *bar)
{
  PetscFunctionBeginUser;
  if (!*bar) PetscFunctionReturn(0);
  if ((*bar)->print) {
    const double elapsed = wall_seconds() - (*bar)->start;
    print_end(*bar, elapsed);
    PetscCall(ScoriaLog((*bar)->run, "progress", "\"what\":\"%s\",\"done\":%.0f,\"unit\":\"%s\",\"seconds\":%.3f",
                        (*bar)->what, (*bar)->done, (*bar)->unit, elapsed));
  }
  PetscCall(PetscFree(*bar));
  PetscFunctionReturn(0);
}
