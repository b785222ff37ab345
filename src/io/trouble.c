/* What went wrong on one rank, noted for ScoriaAgree: the first of it, with the innermost reason that HDF5 gives. */
#include "private.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void trouble_note(ScoriaTrouble *bad, ScoriaExit code, const char *format, ...)
{
  va_list args;
  int n;

  if (bad->code != SCORIA_EXIT_OK) return;
  bad->code = code;
  n         = snprintf(bad->line, sizeof bad->line, "%s: ", bad->path);
  if (n < 0 || (size_t)n >= sizeof bad->line) return;
  va_start(args, format);
  vsnprintf(bad->line + n, sizeof bad->line - (size_t)n, format, args);
  va_end(args);
}

static herr_t first_reason(unsigned n, const H5E_error2_t *error, void *context)
{
  (void)n;
  char *reason = context;

  snprintf(reason, 256, "%s", error->desc ? error->desc : "no reason given");
  reason[strcspn(reason, "\n")] = 0; /* some go on for lines */
  return 1;                          /* upward from the innermost: the first is the one */
}

void trouble_hdf5(ScoriaTrouble *bad, ScoriaExit code, const char *format, ...)
{
  char reason[256] = "no reason given", text[512];
  va_list args;

  if (bad->code != SCORIA_EXIT_OK) return;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, reason);
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  trouble_note(bad, code, "%s (HDF5: %s)", text, reason);
}
