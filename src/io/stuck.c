/* The way out of a collective open, write, flush or close that never returns.  Where one rank fails alone in it, in its
 * open of the file or in a write, Open MPI 4.1 and 5.0 or HDF5 1.10 and 1.14 take that rank alone out of the collective
 * steps (the next is to set the view of the file), and it and the others wait for each other for ever: nothing (a short
 * write counts as success) tells of the failure before. */
#include "private.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT_SECONDS 10 /* rank 0 prints, and mpirun ends the others */

static char line[PETSC_MAX_PATH_LEN + 160];

static void end_here(int number)
{
  (void)number;
  (void)!write(STDERR_FILENO, line, strlen(line));
  _exit(SCORIA_EXIT_IO);
}

PetscErrorCode StuckBegin(const char *path, const char *what, int seconds, int rank)
{
  const char *text = getenv("SCORIA_CLOSE_SECONDS");
  const int asked  = text ? atoi(text) : 0;

  PetscFunctionBeginUser;
  if (asked > 0) seconds = asked;
  snprintf(line, sizeof line, "scoria: %s: cannot be %s: ranks have waited for one another for %d seconds\n", path,
           what, seconds);
  signal(SIGALRM, end_here);
  alarm((unsigned)(seconds + (rank ? NEXT_SECONDS : 0)));
  PetscFunctionReturn(0);
}

PetscErrorCode StuckEnd(void)
{
  PetscFunctionBeginUser;
  alarm(0);
  signal(SIGALRM, SIG_DFL);
  PetscFunctionReturn(0);
}
