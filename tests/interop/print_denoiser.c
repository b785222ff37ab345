/* What scoria itself makes of a model.h5, as text for an independent reader: the denoiser at three noise levels, and
 * samples of the whitened coordinates from given noise, calibrated.   print_denoiser model.h5 */
#include "score/model.h"
#include "score/samplers/samplers.h"
#include <stdio.h>

enum { N = 5, STEPS = 8 };

static void print_rows(const char *name, double value, int n, int r, const float x[])
{
  printf("%s %.17g %d %d", name, value, n, r);
  for (int i = 0; i < n * r; i++) printf(" %.9g", (double)x[i]);
  printf("\n");
}

static PetscErrorCode Print(const char *path)
{
  static const double unit[SCORIA_MAX_CONDITIONS] = {0.3, -0.5, 0.8, -0.2, 0.6, 0.1, -0.9, 0.4};
  const uint64_t id[N]                            = {0, 1, 2, 3, 4};
  const ScoriaSamplerOptions options              = {
                   .kind = "ab2", .steps = STEPS, .sigma_max = 30, .sigma_min = 0.002, .power = 1, .seed = 7};
  double theta[SCORIA_MAX_CONDITIONS];
  float *x, *D, *work;
  ScoriaModel model;
  ModelAt at;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelLoad(PETSC_COMM_SELF, path, &model));
  const int r = model->spec.r;
  PetscCall(PetscMalloc3(N * r, &x, N * r, &D, sampler_work_floats(N, r), &work));
  space_from_unit(ScoriaModelSpace(model), unit, theta);
  model_at(model, theta, &at);
  print_rows("u", 0, 1, ScoriaModelSpace(model)->n, at.u);
  sampler_noise(&options, 1, N, r, id, x);
  print_rows("noise", options.sigma_max, N, r, x);
  for (double sigma = 0.1; sigma < 50; sigma *= 10) {
    model_denoise(&at, N, x, sigma, D);
    print_rows("denoised", sigma, N, r, D);
  }
  sampler_find(options.kind)->run(&options, &(ScoriaDenoiser){r, &at, model_denoise}, N, id, work, D);
  model_calibrate(model, at.u, N, D);
  print_rows("sampled", STEPS, N, r, D);
  PetscCall(PetscFree3(x, D, work));
  PetscCall(ScoriaModelDestroy(&model));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = argc < 2 || Print(argv[1]);
  return PetscFinalize() || failed;
}
