/* What a rank may take, by run_memory: one message for all that would take more. */
#include "scoria/base.h"
#include <stdarg.h>
#include <stdio.h>

PetscErrorCode ScoriaMemoryOfDeck(ScoriaDeck deck, double *allowed)
{
  double gigabytes = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(deck, "run_memory", &gigabytes));
  *allowed = 1e9 * gigabytes;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaMemoryCheck(double need, double allowed, const char *instead, const char *what, ...)
{
  char text[512];
  va_list args;
  PetscFunctionBeginUser;
  if (need <= allowed) PetscFunctionReturn(0);
  va_start(args, what);
  vsnprintf(text, sizeof text, what, args);
  va_end(args);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "run_memory: found %.3g GB, but %s take %.3g GB of a rank; give that much, or %s",
              1e-9 * allowed, text, 1e-9 * need, instead);
}
