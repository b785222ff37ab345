/* fit-porosity: the Gaussian process behind a measured structure, as a section of a deck on standard output. */
#include "cmd.h"
#include <math.h>

static void print_value(const char *name, const ScoriaEstimate *e, const char *unit)
{
  printf("  %s: %-12.4g  # ", name, e->value);
  if (isnan(e->error))
    printf("too few blocks for a standard error%s%s\n", *unit ? ", " : "", unit);
  else
    printf("+- %.2g%s%s\n", e->error, *unit ? " " : "", unit);
}

#define MOVED 1e-9 /* what every block leaves where it is has no error but rounding's */

/* min or max: where no block of the jackknife moves it, either the deck gives it, or the likelihood has no maximum in
 * the range that is searched, and the data do not tell it. */
static void print_bound(const char *name, const ScoriaEstimate *e, bool given)
{
  if (e->error > MOVED || isnan(e->error))
    print_value(name, e, "");
  else
    printf("  %s: %-12.4g  # %s\n", name, e->value,
           given ? "as given" : "at the end of the range that is searched: the data do not tell it");
}

static void print_anisotropy(const ScoriaPorosityFit *fit)
{
  double ratio[2], error[2];
  for (int a = 0; a < 2; a++) {
    const ScoriaEstimate *e = &fit->ell[1 + a], *x = &fit->ell[0];
    ratio[a] = isnan(e->value) ? 1 : e->value / x->value;
    error[a] = isnan(e->value) ? NAN : ratio[a] * hypot(e->error / e->value, x->error / x->value);
  }
  if (isnan(fit->ell[1].value) && isnan(fit->ell[2].value)) return;
  printf("  anisotropy: [%.4g, %.4g]  # ", ratio[0], ratio[1]);
  for (int a = 0; a < 2; a++) {
    if (isnan(fit->ell[1 + a].value))
      printf("%sfewer than 9 windows along %c", a ? "; " : "", "yz"[a]);
    else
      printf("%s+- %.2g", a ? "; " : "", error[a]);
  }
  printf("\n");
}

static void print_fit(const char *path, const ScoriaPorosityFit *fit, bool min_given, bool max_given)
{
  printf("# %s: ", path);
  if (fit->rows > 1) printf("%lld rows of ", (long long)fit->rows);
  printf("%d x %d x %d windows (x, y, z) of %.4g x %.4g x %.4g m\n", fit->n[0], fit->n[1], fit->n[2], fit->window[0],
         fit->window[1], fit->window[2]);
  printf("# mean %.4g +- %.2g, SD %.4g +- %.2g\n", fit->mean.value, fit->mean.error, fit->sd.value, fit->sd.error);
  printf("# misfit of the variograms:");
  for (int k = 0; k < fit->kernels; k++) printf("%s %s %.3g", k ? "," : "", fit->name[k], fit->misfit[k]);
  printf(" (rms of the logarithm)\n");
  printf("# standard errors: jackknife over %d blocks, %s\n", fit->blocks,
         fit->by_rows ? "of rows" : "slabs of the longest axis, taken to be independent");
  printf("porosity:\n");
  printf("  kernel: %s\n", fit->name[fit->kernel]);
  print_bound("min", &fit->min, min_given);
  print_bound("max", &fit->max, max_given);
  print_value("logit_mean", &fit->logit_mean, "");
  print_value("sigma", &fit->sigma, "");
  print_value("ell", &fit->ell[0], "m");
  print_anisotropy(fit);
}

PetscErrorCode CommandFitPorosity(ScoriaDeck deck, const char *path)
{
  ScoriaPorosityFit fit;
  bool min_given, max_given;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(ScoriaPorosityFitFile(PETSC_COMM_WORLD, deck, path, &fit));
  PetscCall(ScoriaDeckGiven(deck, "porosity_min", &min_given));
  PetscCall(ScoriaDeckGiven(deck, "porosity_max", &max_given));
  if (!rank) print_fit(path, &fit, min_given, max_given);
  PetscFunctionReturn(0);
}
