/* An evaluation is kept when its loss is the lowest so far.  Whether the training still becomes better is another
 * question: losses of the same rows, levels and noise are compared part by part, and only a difference that these parts
 * agree on counts.
 *
 * Snapshots of both lengths at .9, .81 and .73 of the steps, with the two at the kept step, give the profile of any
 * width between the two to 1 % (ema.h; to 6 % where the step kept is before them). */
#include "kept.h"
#include <math.h>
#include <string.h>

#define SNAPSHOTS 3
#define SNAPSHOT_RATIO 0.9

PetscErrorCode KeptCreate(int lengths, bool last, int64_t count, int64_t parts, Kept *kept)
{
  PetscFunctionBeginUser;
  *kept = (Kept){.lengths = lengths, .last = last, .parts = parts};
  PetscCall(EmaSetCreate(count, &kept->set));
  PetscCall(PetscCalloc1(parts, &kept->reference));
  PetscFunctionReturn(0);
}

PetscErrorCode KeptDestroy(Kept *kept)
{
  PetscFunctionBeginUser;
  PetscCall(EmaSetDestroy(&kept->set));
  PetscCall(PetscFree(kept->reference));
  PetscFunctionReturn(0);
}

bool kept_improved(int64_t parts, const double reference[], const double part[])
{
  double mean = 0, square = 0;
  const double n = (double)parts;
  for (int64_t i = 0; i < parts; i++) mean += (reference[i] - part[i]) / n;
  for (int64_t i = 0; i < parts; i++) square += pow(reference[i] - part[i] - mean, 2);
  return mean > 2 * sqrt(square / (n * PetscMax(n - 1, 1)));
}

/* The trainer's averages into the set from place `at` on. */
static void put_averages(Kept *kept, Trainer trainer, int at)
{
  EmaSet *set = &kept->set;
  for (int k = 0; k < kept->lengths; k++) {
    set->profile[at + k] = trainer_profile(trainer, k);
    memcpy(set->weights + (at + k) * set->count, trainer_average(trainer, k), sizeof(float) * (size_t)set->count);
  }
  set->n = PetscMax(set->n, at + kept->lengths);
}

void kept_offer(Kept *kept, Trainer trainer, int64_t step, double loss, const double part[])
{
  if (kept->step == 0 || kept->last || loss < kept->loss) {
    put_averages(kept, trainer, 0);
    kept->step = step;
    kept->loss = loss;
  }
  kept->waited++;
  if (kept->reference[0] > 0 && !kept_improved(kept->parts, kept->reference, part)) return;
  kept->waited = 0;
  memcpy(kept->reference, part, sizeof *part * (size_t)kept->parts);
}

void kept_snapshot(Kept *kept, Trainer trainer, int64_t step, int64_t steps)
{
  bool planned = false;
  for (int i = 1; i <= SNAPSHOTS; i++) planned = planned || step == (int64_t)(pow(SNAPSHOT_RATIO, i) * (double)steps);
  if (kept->lengths < 2 || !planned || kept->set.n + 2 > EMA_MOST) return;
  put_averages(kept, trainer, PetscMax(kept->set.n, kept->lengths));
}
