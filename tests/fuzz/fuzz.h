/* What the fuzz targets share.  A target is a program that gives bytes to one reader: libFuzzer makes them up
 * (SCORIA_FUZZ), or replay.c takes them from tests/fuzz/corpus, in every run of the tests.
 *
 * Bytes for a reader of HDF5 are a list of edits to a whole file of ours (edit.c), made through HDF5 itself, with the
 * checksums of what they touch set right: so that what lies behind the checksums is reached, and so that libhdf5 is
 * given well-formed files, its own defects being the child process's business (src/io/foreign.c). */
#ifndef SCORIA_TESTS_FUZZ_H
#define SCORIA_TESTS_FUZZ_H

#include "cmd/cmd.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A call that must succeed; ends the program where it does not, as every finding does. */
#define MUST(call) fuzz_must((call), #call)
void fuzz_must(PetscErrorCode failed, const char *call);

/* PETSc, and a scratch directory that goes when the program ends; to be called once.  Standard output is silenced. */
void fuzz_start(void);
/* Path of a file in the scratch directory; up to four in use at a time. */
const char *fuzz_path(const char *name);
/* A reader has failed or not: a finding, unless it was with one line about bad input.  The next input starts afresh. */
void fuzz_verdict(PetscErrorCode failed);
void fuzz_write(const char *path, const void *bytes, size_t size);

/* A finished dataset, small, with two fields that a model can be fitted to. */
void fuzz_make_dataset(const char *path);
/* A deck with the scratch directory as run directory, for a training that takes no time. */
void fuzz_training_deck(ScoriaDeck *deck);

/* The file that edits start from. */
typedef struct FuzzBase_ *FuzzBase;
FuzzBase fuzz_base_read(const char *path);
/* Writes base with the edits that data asks for. */
void fuzz_write_edited(FuzzBase base, const char *path, const uint8_t *data, size_t size);

#endif
