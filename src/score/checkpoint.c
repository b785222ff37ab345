/* The file is a store: /normaliser as in a model, /training/{weights, adam_m, adam_v, average0, average1}, /kept, and
 * the counters as root attributes.  io.h says how it is written, found and checked. */
#include "checkpoint.h"
#include <string.h>

#define CHECKPOINT "train.ckpt"
#define KEPT_NUMBERS 9

static const char *const vector_names[] = {"/training/weights", "/training/adam_m", "/training/adam_v",
                                           "/training/average0", "/training/average1"};

PetscErrorCode CheckpointDestroy(Checkpoint *c)
{
  PetscFunctionBeginUser;
  PetscCall(NormaliserDestroy(&c->norm));
  PetscCall(KeptDestroy(&c->kept));
  PetscCall(PetscFree(c->vector));
  *c = (Checkpoint){0};
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

static PetscErrorCode ReadCounters(ScoriaStore store, Checkpoint *c)
{
  int64_t skips, data, vectors, tuning;
  bool stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreHas(store, "lengthened_at", &stored)); /* not in files from before it could be */
  if (stored) PetscCall(ScoriaStoreGetInt(store, "lengthened_at", &c->lengthened));
  PetscCall(ScoriaStoreHas(store, "blurred", &c->blurred));
  PetscCall(ScoriaStoreGetInt(store, "step", &c->step));
  PetscCall(ScoriaStoreGetInt(store, "taken", &c->taken));
  PetscCall(ScoriaStoreGetInt(store, "skips", &skips));
  PetscCall(ScoriaStoreGetInt(store, "data_crc", &data));
  PetscCall(ScoriaStoreGetInt(store, "parameters", &c->count));
  PetscCall(ScoriaStoreGetInt(store, "vectors", &vectors));
  PetscCall(ScoriaStoreGetInt(store, "tuning", &tuning));
  PetscCall(ScoriaStoreGetReal(store, "loss", &c->loss));
  PetscCall(ScoriaStoreGetReal(store, "seconds", &c->seconds));
  c->tuning  = (TrainKind)PetscClipInterval(tuning, TRAIN_DENOISER, TRAIN_KINDS - 1);
  c->skips   = (int)skips;
  c->data    = (uint32_t)data;
  c->vectors = (int)PetscMin(vectors, TRAINER_VECTORS);
  PetscFunctionReturn(0);
}

/* /kept: the averages as in a model file, the parts of the loss that others are measured by, and numbers. */
static PetscErrorCode ReadKept(ScoriaStore store, int64_t count, Kept *kept)
{
  double number[KEPT_NUMBERS];
  int rank;
  int64_t parts, gaussian = 0;
  bool stored;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, "/kept/reference", 1, &rank, &parts));
  PetscCall(ScoriaStoreGetReals(store, "/kept/numbers", KEPT_NUMBERS, number));
  if (!(number[0] == 1 || number[0] == 2))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "checkpoint: /kept/numbers says %g lengths of averages, expected 1 or 2", number[0]);
  PetscCall(KeptCreate((int)number[0], number[1] > 0, count, rank == 1 ? parts : 0, kept));
  kept->step       = (int64_t)number[2];
  kept->loss       = number[3];
  kept->waited     = (int64_t)number[4];
  kept->width      = number[5];
  kept->ended      = (int64_t)number[6];
  kept->train_loss = number[7];
  kept->baseline   = number[8];
  PetscCall(ScoriaStoreHas(store, "kept_gaussian", &stored)); /* not in files from before there was a choice */
  if (stored) PetscCall(ScoriaStoreGetInt(store, "kept_gaussian", &gaussian));
  kept->gaussian = gaussian > 0;
  PetscCall(ScoriaStoreGetReals(store, "/kept/reference", kept->parts, kept->reference));
  PetscCall(EmaSetDestroy(&kept->set));
  PetscCall(EmaSetLoad(store, "/kept", count, &kept->set));
  if (kept->set.n == 0) PetscCall(EmaSetCreate(count, &kept->set));
  PetscFunctionReturn(0);
}

/* That the vectors have as many values as the counter says is known before there is memory for them. */
static PetscErrorCode CheckCount(ScoriaStore store, const Checkpoint *c)
{
  int rank;
  int64_t stored = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, vector_names[0], 1, &rank, &stored));
  if (rank != 1 || stored != c->count || c->vectors < 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "checkpoint: %s has %lld values, expected %lld in each of %d vectors",
                vector_names[0], (long long)stored, (long long)c->count, c->vectors);
  PetscFunctionReturn(0);
}

static PetscErrorCode IsOutdated(ScoriaStore store, bool *outdated)
{
  int rank;
  int64_t dims[1];
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, "/training/average", 1, &rank, dims));
  *outdated = rank >= 0;
  PetscFunctionReturn(0);
}

/* What is read into. */
typedef struct {
  ScoriaDeck deck; /* borrowed, of this start */
  Checkpoint *c;
  PetscInt steps; /* that the training was begun with */
} Reading;

static PetscErrorCode ReadAll(void *ctx, ScoriaStore store)
{
  Reading *reading = ctx;
  Checkpoint *c    = reading->c;
  const char *stored;
  PetscFunctionBeginUser;
  PetscCall(ReadCounters(store, c));
  PetscCall(CheckCount(store, c));
  PetscCall(PetscMalloc1(c->vectors * c->count, &c->vector));
  for (int i = 0; i < c->vectors; i++)
    PetscCall(ScoriaStoreGetFloats(store, vector_names[i], c->count, c->vector + i * c->count));
  PetscCall(ReadKept(store, c->count, &c->kept));
  PetscCall(NormaliserLoad(store, &c->norm));
  PetscCall(ScoriaStoreDeck(store, &stored));
  PetscCall(ScoriaDeckStoredInt(reading->deck, stored, "train_steps", &reading->steps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointDestroy(((Reading *)ctx)->c));
  PetscFunctionReturn(0);
}

/* A training may get more steps while it is on; its learning rate continues with the schedule of all of them. */
static PetscErrorCode CheckSteps(ScoriaRun run, ScoriaDeck deck, const char *path, PetscInt there, Checkpoint *c)
{
  PetscInt here = there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "train_steps", &here));
  if (here == there) PetscFunctionReturn(0);
  if (here < there || c->tuning)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "%s: of another deck (train_steps is %d here and %d there); more steps are possible until the last one; "
        "choose another -run_dir or move the file away",
        path, (int)here, (int)there);
  c->lengthened = c->step;
  PetscCall(
      ScoriaSay(run, "  %s: begun with train_steps %d; resuming with the schedule of %d", path, (int)there, (int)here));
  PetscCall(
      ScoriaLog(run, "lengthen", "\"step\":%lld,\"from\":%d,\"to\":%d", (long long)c->step, (int)there, (int)here));
  PetscFunctionReturn(0);
}

PetscErrorCode CheckpointFind(ScoriaRun run, ScoriaDeck deck, Checkpoint *found)
{
  Reading reading                     = {.deck = deck, .c = found};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_TRAINING, .ctx = &reading, .outdated = IsOutdated, .read = ReadAll, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  *found = (Checkpoint){0};
  PetscCall(ScoriaCheckpointFind(run, deck, CHECKPOINT, &reader, &file));
  if (file.damaged && !file.whole)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: damaged, and no earlier checkpoint can be used; move %s* away to train from the beginning",
                file.path, CHECKPOINT);
  found->found = file.whole;
  if (file.whole) PetscCall(CheckSteps(run, deck, file.path, reading.steps, found));
  PetscFunctionReturn(0);
}

PetscErrorCode CheckpointApply(ScoriaRun run, Checkpoint *from, uint32_t data, Trainer trainer, Kept *kept)
{
  TrainerState state;
  PetscFunctionBeginUser;
  trainer_state(trainer, &state);
  if (from->data != data || from->count != state.count || from->vectors != state.vectors ||
      from->kept.parts != kept->parts)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "train.ckpt: of a training on other rows than dataset.h5 holds; choose another -run_dir or move the file "
        "away");
  for (int i = 0; i < from->vectors; i++)
    PetscCall(PetscArraycpy(state.vector[i], from->vector + i * from->count, from->count));
  trainer_set(trainer, from->step, from->taken);
  PetscCall(KeptDestroy(kept));
  *kept      = from->kept;
  from->kept = (Kept){0};
  PetscCall(ScoriaSay(run, "  train.ckpt: resuming from step %lld%s%s%s", (long long)from->step,
                      from->tuning ? " of the " : "", from->tuning ? train_kind_names[from->tuning] : "",
                      from->tuning ? " tuning" : ""));
  PetscCall(ScoriaLog(run, "resume", "\"step\":%lld", (long long)from->step));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- writing ---- */

static PetscErrorCode WriteKept(ScoriaStore store, const Kept *kept)
{
  const double number[KEPT_NUMBERS] = {kept->lengths,       kept->last,           (double)kept->step,
                                       kept->loss,          (double)kept->waited, kept->width,
                                       (double)kept->ended, kept->train_loss,     kept->baseline};
  const int64_t numbers             = KEPT_NUMBERS;
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaStorePutReals(store, "/kept/numbers", 1, &numbers, number, "",
                          "lengths of the average; last is kept; step kept; its loss; evaluations since the reference; "
                          "width chosen; step of the end; training loss and baseline there"));
  PetscCall(ScoriaStorePutReals(store, "/kept/reference", 1, &kept->parts, kept->reference, "",
                                "parts of the loss that later ones are measured by"));
  PetscCall(EmaSetSave(&kept->set, store, "/kept"));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteAll(ScoriaStore store, ScoriaNormaliser norm, const TrainerState *state, const Kept *kept,
                               const Checkpoint *now)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaStorePutInt(store, "step", state->step));
  PetscCall(ScoriaStorePutInt(store, "taken", state->taken));
  PetscCall(ScoriaStorePutInt(store, "skips", now->skips));
  PetscCall(ScoriaStorePutInt(store, "data_crc", now->data));
  PetscCall(ScoriaStorePutInt(store, "parameters", state->count));
  PetscCall(ScoriaStorePutInt(store, "vectors", state->vectors));
  PetscCall(ScoriaStorePutInt(store, "tuning", now->tuning));
  PetscCall(ScoriaStorePutInt(store, "lengthened_at", now->lengthened));
  if (now->blurred) PetscCall(ScoriaStorePutInt(store, "blurred", 1));
  PetscCall(ScoriaStorePutInt(store, "kept_gaussian", kept->gaussian));
  PetscCall(ScoriaStorePutReal(store, "loss", now->loss));
  PetscCall(ScoriaStorePutReal(store, "seconds", now->seconds));
  for (int i = 0; i < state->vectors; i++)
    PetscCall(ScoriaStorePutFloats(store, vector_names[i], 1, &state->count, state->vector[i], "",
                                   "one value per parameter, in the order of the tensors"));
  PetscCall(WriteKept(store, kept));
  PetscCall(NormaliserSave(norm, store));
  PetscFunctionReturn(0);
}

PetscErrorCode CheckpointSave(ScoriaRun run, ScoriaDeck deck, ScoriaNormaliser norm, Trainer trainer, const Kept *kept,
                              const Checkpoint *now)
{
  ScoriaStore store;
  TrainerState state;
  PetscFunctionBeginUser;
  trainer_state(trainer, &state);
  PetscCall(ScoriaCheckpointBegin(run, deck, CHECKPOINT, &store));
  PetscCall(WriteAll(store, norm, &state, kept, now));
  PetscCall(ScoriaCheckpointEnd(run, CHECKPOINT, &store));
  PetscFunctionReturn(0);
}

PetscErrorCode CheckpointForget(ScoriaRun run)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointRemove(run, CHECKPOINT));
  PetscFunctionReturn(0);
}
