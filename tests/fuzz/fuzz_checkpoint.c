/* The checkpoint loader: the newest checkpoint is the edited file, and there is none before it. */
#include "fuzz.h"
#include "score/checkpoint.h"
#include <math.h>

static const ScoriaTwin no_twin = {.reference = {NAN, NAN}};
static FuzzBase base;
static ScoriaDeck deck;
static ScoriaRun run;
static Trainer trainer;
static Kept kept;

enum { ROWS = 8, MODES = 2, SITES = 2, PARTS = 3 };

/* Saved as training saves it, after one step. */
static void save(ScoriaNormaliser norm)
{
  static float y[ROWS * MODES], u[SITES] = {-1, 1};
  static int32_t site[ROWS];
  const ScoriaNetSpec spec = {
      .kind = "modes", .r = MODES, .d = 1, .width = 6, .depth = 1, .embed = 4, .channels = 2, .cells = 5};
  const TrainData data       = {.rows = ROWS, .y = y, .condition = site, .u = u};
  const TrainOptions options = {
      .steps   = 4,
      .batch   = 4,
      .micro   = 2,
      .process = {-0.2, 1},
      .adam    = {.rate = 3e-3, .warmup = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .clip = 1, .ema = {0.07}}};
  TrainStep step;
  for (int i = 0; i < ROWS; i++) site[i] = i % SITES;
  rng_normalf(2, SCORIA_STREAM_SAMPLE, 0, 0, ROWS * MODES, y);
  MUST(TrainerCreate(PETSC_COMM_WORLD, &spec, &options, &data, &trainer));
  MUST(TrainerStep(trainer, &step));
  MUST(KeptCreate(1, false, net_parameter_count(trainer_net(trainer)), PARTS, &kept));
  MUST(CheckpointSave(run, deck, norm, trainer, &kept, &(Checkpoint){.loss = 1, .data = 7}));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  const ScoriaNormaliserOptions options = {2, 3, 1, 1, true, true, false, false, 0, NULL};
  const bool train[]                    = {true, true, true, true, true, true};
  ScoriaNormaliser norm;
  ScoriaDataset ds;
  (void)argc;
  (void)argv;
  fuzz_start();
  fuzz_make_dataset(fuzz_path("dataset.h5"));
  fuzz_training_deck(&deck);
  MUST(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "train", &run));
  MUST(ScoriaDatasetOpen(PETSC_COMM_WORLD, fuzz_path("dataset.h5"), &ds));
  MUST(NormaliserFit(PETSC_COMM_WORLD, ds, 2, (const int[]){0, 1}, train, &no_twin, &options, &norm));
  save(norm);
  base = fuzz_base_read(fuzz_path("train.ckpt"));
  MUST(NormaliserDestroy(&norm));
  MUST(ScoriaDatasetClose(&ds));
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Checkpoint found;
  fuzz_write_edited(base, fuzz_path("train.ckpt"), data, size);
  PetscErrorCode failed = CheckpointFind(run, deck, &found);
  if (!size) MUST(failed || !found.found); /* nothing is wrong with it yet */
  if (!failed && found.found) failed = CheckpointApply(run, &found, found.data, trainer, &kept);
  fuzz_verdict(failed);
  MUST(CheckpointDestroy(&found));
  return 0;
}
