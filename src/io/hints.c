/* What the deck wants MPI-IO to know: hints that go with every file that is opened in parallel.
 *
 * How a file is striped is fixed when it is made, and files are made by rank 0 alone: it makes the empty file through
 * MPI-IO with the hints, where any is about striping, before HDF5 fills it in.  ROMIO knows striping_factor and
 * striping_unit, OMPIO's Lustre component the same by the names of stripe_width and stripe_size. */
#include "private.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const ScoriaKey scoria_io_keys[] = {
    {"io_hints", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "hints for MPI-IO, [romio_cb_write=enable, cb_buffer_size=16777216], beside those of the other keys; which there "
     "are is the MPI library's choice, and it ignores others",
     SCORIA_DECIDES_NOTHING},
    {"io_striping_factor", SCORIA_KEY_INT, "", NULL, 1, 1e6, NULL,
     "storage targets that a dataset is spread over, on a parallel file system (not set: as its directory says)",
     SCORIA_DECIDES_NOTHING},
    {"io_striping_unit", SCORIA_KEY_INT, "B", NULL, 65536, 4294967296.0, NULL,
     "bytes on one of them before the next (not set: as the directory says)", SCORIA_DECIDES_NOTHING},
    {"io_cb_nodes", SCORIA_KEY_INT, "", NULL, 1, 1e6, NULL,
     "ranks that write for all in a collective call (not set: as the MPI library chooses)", SCORIA_DECIDES_NOTHING},
    {.name = NULL},
};

static MPI_Info hints = MPI_INFO_NULL;
static bool striped; /* one of them is about striping */

MPI_Info io_hints(void)
{
  return hints;
}

static PetscErrorCode Set(const char *name, const char *value)
{
  PetscFunctionBeginUser;
  if (hints == MPI_INFO_NULL) PetscCallMPI(MPI_Info_create(&hints));
  PetscCallMPI(MPI_Info_set(hints, name, value));
  striped = striped || !strncmp(name, "strip", 5);
  PetscFunctionReturn(0);
}

/* One word of io_hints, "name=value". */
static PetscErrorCode SetWord(const char *word, size_t length)
{
  char name[MPI_MAX_INFO_KEY], value[MPI_MAX_INFO_VAL];
  const char *equals = memchr(word, '=', length);
  const size_t n     = equals ? (size_t)(equals - word) : 0;

  PetscFunctionBeginUser;
  if (n == 0 || n >= sizeof name || length - n - 1 == 0 || length - n - 1 >= sizeof value)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "io_hints: found \"%.*s\", expected name=value", (int)PetscMin(length, 200), word);
  snprintf(name, sizeof name, "%.*s", (int)n, word);
  snprintf(value, sizeof value, "%.*s", (int)(length - n - 1), equals + 1);
  PetscCall(Set(name, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetNumber(ScoriaDeck deck, const char *key, const char *name, const char *also)
{
  PetscInt number = 0;
  char value[32];

  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, key, &number));
  if (number == 0) PetscFunctionReturn(0);
  snprintf(value, sizeof value, "%lld", (long long)number);
  PetscCall(Set(name, value));
  if (also) PetscCall(Set(also, value));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaHintsFromDeck(ScoriaDeck deck)
{
  const char *words = NULL;

  PetscFunctionBeginUser;
  PetscCall(ScoriaHintsForget());
  PetscCall(SetNumber(deck, "io_striping_factor", "striping_factor", "stripe_width"));
  PetscCall(SetNumber(deck, "io_striping_unit", "striping_unit", "stripe_size"));
  PetscCall(SetNumber(deck, "io_cb_nodes", "cb_nodes", NULL));
  PetscCall(ScoriaDeckString(deck, "io_hints", &words));
  while (words && *words) {
    const size_t length = strcspn(words, ",");

    PetscCall(SetWord(words, length));
    words += length + (words[length] == ',');
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaHintsForget(void)
{
  PetscFunctionBeginUser;
  if (hints != MPI_INFO_NULL) PetscCallMPI(MPI_Info_free(&hints));
  striped = false;
  PetscFunctionReturn(0);
}

PetscErrorCode FileStripe(const char *part)
{
  MPI_File file;

  PetscFunctionBeginUser;
  if (!striped) PetscFunctionReturn(0);
  unlink(part); /* one that is there keeps its stripes */
  if (!MPI_File_open(MPI_COMM_SELF, part, MPI_MODE_CREATE | MPI_MODE_RDWR, hints, &file)) MPI_File_close(&file);
  PetscFunctionReturn(0); /* where it could not be made, the next step tells why */
}
