/* scoria/io.h - files: the dataset (ensembles and samples, one layout), and a small tree of named arrays for everything
 * else (models, comparisons).  The only room that sees HDF5.  Layout: reliability notes in README.md, section Files. */
#ifndef SCORIA_IO_H
#define SCORIA_IO_H

#include "fields.h"

/* ---------------------------------------------------------------------------------------------------- dataset ---- */

#define SCORIA_SOURCE_SIZE 320

/* What a dataset is, fixed when it is made.  Rows are fields over the same cells: profiles along x, stored as (rows,
 * nx), or whole fields, x fastest, stored as (rows, nz, ny, nx). */
typedef struct {
  int64_t rows;
  int cells;    /* of a field: the product of shape */
  int shape[3]; /* cells along x, y, z; (cells, 1, 1) of profiles, nz = 1 of whole fields in two dimensions; where
                 * fields lie on different cells, of that with most */
  int nfields;
  ScoriaField field[SCORIA_MAX_FIELDS];
  ScoriaSpace space;
  int64_t realisations;            /* rows per condition, in order: row = condition * realisations + realisation */
  bool float64;                    /* fields stored in double precision */
  int64_t first, whole;            /* of a shard: it holds rows [first, first + rows) of a dataset of so many; else 0 */
  char source[SCORIA_SOURCE_SIZE]; /* of imported rows: the file they come from, its size and CRC32C; else "" */
  int64_t source_modified;         /* time of its last change (ctime) [ns]; 0: not known */
} ScoriaDatasetSpec;

/* Whether its fields are whole ones. */
bool spec_is_whole(const ScoriaDatasetSpec *spec);
/* How many fields of the state come first, as those of a problem do. */
int spec_states(const ScoriaDatasetSpec *spec);
/* Cell centres that a file of it holds: nx along x, followed, of whole fields, by ny along y and nz along z, and those
 * of the other axes of fields on cells of their own: the first are those of the field that has most. */
int spec_centres(const ScoriaDatasetSpec *spec);
/* "64 cells", "16 x 32 x 32 cells", "12 along x, 13 along x_flux", "24 x 48 of c, 25 x 48 of flux". */
void spec_cells_text(const ScoriaDatasetSpec *spec, size_t size, char text[]);

/* A run of consecutive rows in memory, one malloc'd arena behind it: fields in double precision, or as the file stores
 * them, for those who do not compute with them. */
typedef struct {
  int64_t rows, capacity;                   /* how many are filled; room */
  double *field[SCORIA_MAX_FIELDS];         /* (capacity, cells) each; NULL where they are as stored: */
  void *stored[SCORIA_MAX_FIELDS];          /* (capacity, field_cells) float, or double where spec.float64 */
  double *condition[SCORIA_MAX_CONDITIONS]; /* (capacity) each */
  uint8_t *done;                            /* (capacity) 1: solved; 2: failed, the fields are NaN */
  int32_t *reason;                          /* SNESConvergedReason, or 0 for a sample, or SCORIA_ROW_LACKING */
  int32_t *newton;                          /* Newton iterations */
  uint8_t *attempts;
  double *residual; /* final residual norm, scaled as the solver states */
  uint32_t *crc;    /* (capacity) of conditions and fields as stored, by the last ScoriaDatasetWrite of the rows */
  void *arena;      /* owned */
} ScoriaRows;

#define SCORIA_ROW_DONE 1
#define SCORIA_ROW_FAILED 2
/* Reason of a failed row that an imported file does not have; no SNESConvergedReason. */
#define SCORIA_ROW_LACKING (-30)

PetscErrorCode ScoriaRowsCreate(const ScoriaDatasetSpec *spec, int64_t capacity, ScoriaRows *rows);
/* The same with fields as the file stores them; only ScoriaDatasetRead and ScoriaDatasetWrite know such rows. */
PetscErrorCode ScoriaRowsCreateStored(const ScoriaDatasetSpec *spec, int64_t capacity, ScoriaRows *rows);
/* Bytes of a row of field f as the file stores it. */
size_t field_row_size(const ScoriaDatasetSpec *spec, int f);
PetscErrorCode ScoriaRowsDestroy(ScoriaRows *rows);
/* Rows from `offset` on as rows of their own, none of them filled: borrowed from `rows`, not to be destroyed. */
ScoriaRows rows_from(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int64_t offset);
/* The one packing of rows: fields (n, channels, cells) of rows [first, first + n), channel c being field field[c], or c
 * where field is NULL; and back into rows [0, n), done without failure, at theta. */
void rows_pack(const ScoriaRows *rows, int64_t first, int64_t n, int channels, const int field[], int cells,
               double fields[]);
void rows_unpack(int64_t n, int channels, int cells, const double fields[], int conditions, const double theta[],
                 ScoriaRows *rows);
/* A row without a solve behind it. */
void rows_set_status(ScoriaRows *rows, int64_t i, uint8_t done);
/* Brings rows to the ranks that write them.  Row i of `from`, on any rank, is row where[i] of [first, first + number),
 * which all ranks together hold once each; from->rows may be 0.  `to` gets this rank's block of that range
 * (deal_block), rows [*at, *at + to->rows).  The fields of a row that changes ranks are rounded to the file's precision
 * on the way.  Collective on comm. */
PetscErrorCode ScoriaRowsExchange(MPI_Comm comm, const ScoriaDatasetSpec *spec, const ScoriaRows *from,
                                  const int64_t where[], int64_t first, int64_t number, int64_t *at, ScoriaRows *to);

/* What a file is made from, by the identities of the things: root attributes made_from_model, _dataset, _file,
 * _library.  "": not of any, or not said, as in files of earlier versions. */
#define SCORIA_IDENTITY_SIZE 64
typedef struct {
  char model[SCORIA_IDENTITY_SIZE], dataset[SCORIA_IDENTITY_SIZE];
  char file[SCORIA_SOURCE_SIZE];    /* another one, which the deck names */
  char library[SCORIA_SOURCE_SIZE]; /* of porosities (porosity_file) */
  double correlation; /* of rows of a cheaper fidelity, corrected, with those of the dataset; 0: there are none */
} ScoriaMadeFrom;

/* Root attributes that say where a file comes from. */
typedef struct {
  const char *kind; /* "dataset", "shard", "samples", "solve" */
  const char *deck; /* resolved deck, YAML */
  uint64_t seed;
  int ranks, group_size;
  ScoriaMadeFrom made;
} ScoriaProvenance;

typedef struct ScoriaDataset_ *ScoriaDataset;

/* Hints for MPI-IO from the deck's section io (scoria_io_keys), which go with every file opened in parallel from then
 * on, until they are forgotten.  Local, with the same deck on every rank. */
extern const ScoriaKey scoria_io_keys[];
PetscErrorCode ScoriaHintsFromDeck(ScoriaDeck deck);
PetscErrorCode ScoriaHintsForget(void);

/* A user error where the fields of spec need more than all of the file system that directory `dir` lies on.  Collective
 * on comm. */
PetscErrorCode ScoriaDatasetCheckRoom(MPI_Comm comm, const char *dir, const ScoriaDatasetSpec *spec);
/* Makes `path`.part with every object at full size (contiguous, early allocation, never filled), reserves its extent on
 * disk, and opens it for collective writing.  It appears under that name when it is laid out completely, in place of
 * one that was there.  Refuses to overwrite `path` itself.  x (spec_centres) [m] are the cell centres.  Collective on
 * comm. */
PetscErrorCode ScoriaDatasetCreate(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec, const double x[],
                                   const ScoriaProvenance *from, ScoriaDataset *ds);
/* The same, to take the place of a finished and smaller `path` that all its rows are copied from: that stays as it is
 * until this one is finished.  Collective on comm. */
PetscErrorCode ScoriaDatasetExtend(MPI_Comm comm, const char *path, const ScoriaDatasetSpec *spec, const double x[],
                                   const ScoriaProvenance *from, ScoriaDataset *ds);
/* Opens the `path`.part that an interrupted run has left, for writing on; *ds is NULL where there is none.  A damaged
 * one is a user error, and stays; so is a finished `path` beside it, but where it `extends` that.  Collective on comm.
 */
PetscErrorCode ScoriaDatasetResume(MPI_Comm comm, const char *path, bool extends, ScoriaDataset *ds);
/* From here on, reading all rows back (Survey, Finish) tells its progress and stops where the run is to stop: it fails
 * as ScoriaStopped, the part file stays, and `path`.ckpt says how far the reading has come, from where the next Survey
 * goes on.  The dataset is on the run's ranks. */
PetscErrorCode ScoriaDatasetWatch(ScoriaDataset ds, ScoriaRun run);
/* Reads every row of a dataset being written, but those that an earlier start has read: `there`, an empty set before
 * and the same on every rank after, gets those that are there and whole.  Where visit is given, it is called with every
 * batch of rows [first, first + rows->rows), on one rank each; rows->done tells the same (0: to be written); fields are
 * as stored, and not set in rows that an earlier start has read.  Collective. */
PetscErrorCode ScoriaDatasetSurvey(ScoriaDataset ds, ScoriaIntervals *there,
                                   void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows), void *ctx);
/* Calls visit with every batch of rows of a finished dataset, on one rank each, conditions and status only, unchecked.
 * Stopped on the way where it is watched.  Collective. */
PetscErrorCode ScoriaDatasetVisit(ScoriaDataset ds, void (*visit)(void *ctx, int64_t first, const ScoriaRows *rows),
                                  void *ctx);
/* Writes rows [first, first + rows->rows) of this rank, which must not overlap another rank's; rows->rows may be 0.
 * The stored CRC32C covers the row's conditions and fields as stored.  They count as written from the next call on, or
 * when the dataset is closed or finished: by then they are on disk.  Collective. */
PetscErrorCode ScoriaDatasetWrite(ScoriaDataset ds, int64_t first, const ScoriaRows *rows);
/* Waits until the rows of the last write are on disk, and marks them as done now.  Collective. */
PetscErrorCode ScoriaDatasetSettle(ScoriaDataset ds);
/* Flushes, reads every row back (unless a Survey has and nothing was written since), syncs to disk, renames `path`.part
 * to `path`, closes.  The CRC of the file, for the manifest, is of what was read then.  Of whole fields, with an .xdmf
 * file beside it, of its first 1000 rows.  Collective. */
PetscErrorCode ScoriaDatasetFinish(ScoriaDataset *ds);
/* Closes without finishing (an error path), leaving the .part file; or closes a dataset that was opened.  Collective.
 */
PetscErrorCode ScoriaDatasetClose(ScoriaDataset *ds);

/* Opens for reading and verifies format, shapes and file size; what is wrong is a user error that names the file.
 * Collective on comm. */
PetscErrorCode ScoriaDatasetOpen(MPI_Comm comm, const char *path, ScoriaDataset *ds);
/* The same for those who take profiles along x: whole fields are a user error. */
PetscErrorCode ScoriaDatasetOpenProfiles(MPI_Comm comm, const char *path, ScoriaDataset *ds);
/* What it holds; borrowed pointers, valid until it is closed. */
PetscErrorCode ScoriaDatasetInfo(ScoriaDataset ds, const ScoriaDatasetSpec **spec, const double **x, const char **deck);
/* Reads rows [first, first + number) into rows (capacity permitting), status included, and checks every row's CRC.
 * Collective; every rank may ask for rows of its own, or for none. */
PetscErrorCode ScoriaDatasetRead(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows);

/* The same by this rank alone: local.  A row that is damaged is a user error of this rank (ScoriaAgreeFailed). */
PetscErrorCode ScoriaDatasetReadAlone(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows);
/* CRC32C of the CRCs of the first `rows` rows and their status: two datasets that differ in one of these differ in it.
 * It is read once in a run, as long as the file has the same length and date; run NULL: always.  Collective. */
PetscErrorCode ScoriaDatasetDigest(ScoriaRun run, ScoriaDataset ds, int64_t rows, uint32_t *digest);
/* "4096 rows, CRC32C 0badcafe", of the first `rows` rows: the same for the same rows of the same fields, conditions and
 * cells, whatever ranks, starts, shards or copies made them.  Read from the CRCs that the file holds, 8 bytes a row.
 * Collective. */
PetscErrorCode ScoriaDatasetIdentity(ScoriaRun run, ScoriaDataset ds, int64_t rows,
                                     char identity[SCORIA_IDENTITY_SIZE]);
int64_t identity_rows(const char *identity); /* 0 where it tells none */
int64_t dataset_rows(ScoriaDataset ds);
const ScoriaMadeFrom *dataset_made_from(ScoriaDataset ds); /* borrowed */
/* theta (number, space.n) of conditions [first, first + number), each from the first of its rows, without their CRCs.
 * Collective; every rank may ask for conditions of its own, or for none. */
PetscErrorCode ScoriaDatasetReadTheta(ScoriaDataset ds, int64_t first, int64_t number, double theta[]);

/* How many rows are marked as failed, from that column alone.  Collective. */
PetscErrorCode ScoriaDatasetCountFailed(ScoriaDataset ds, int64_t *failed);

/* CRC32C (Castagnoli), software or SSE4.2. crc is 0 at the start, and may be chained. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/* Of bytes with CRC a followed by n bytes with CRC b. */
uint32_t crc32c_join(uint32_t a, uint32_t b, int64_t n);

/* --------------------------------------------------------------------------------------------- named arrays ---- */

/* A self-describing HDF5 file of named arrays and attributes, written by rank 0 as `path`.part and renamed when closed;
 * read by rank 0 and broadcast.  Every call is collective on comm, with the same arguments. */
typedef struct ScoriaStore_ *ScoriaStore;

PetscErrorCode ScoriaStoreCreate(MPI_Comm comm, const char *path, const char *kind, const char *deck,
                                 ScoriaStore *store);
PetscErrorCode ScoriaStoreOpen(MPI_Comm comm, const char *path, const char *kind, ScoriaStore *store);
PetscErrorCode ScoriaStoreClose(ScoriaStore *store);                  /* finishes a file that was being written */
PetscErrorCode ScoriaStoreDeck(ScoriaStore store, const char **deck); /* borrowed */

/* Arrays: name is a path ("/network/block0/W1"), groups are made on the way; unit and description may be "". */
PetscErrorCode ScoriaStorePutReals(ScoriaStore store, const char *name, int rank, const int64_t dims[],
                                   const double data[], const char *unit, const char *description);
PetscErrorCode ScoriaStorePutFloats(ScoriaStore store, const char *name, int rank, const int64_t dims[],
                                    const float data[], const char *unit, const char *description);
/* Names the axes of an array that has been put, "condition x", for readers such as xarray.  Axes of one name have one
 * length; an array of the root with that name, put before, holds their coordinates. */
PetscErrorCode ScoriaStorePutAxes(ScoriaStore store, const char *name, const char *axes);
/* Where in the file the bytes of an array that has been put begin: for readers that know nothing of HDF5. */
PetscErrorCode ScoriaStoreOffset(ScoriaStore store, const char *name, int64_t *offset);
PetscErrorCode ScoriaStoreShape(ScoriaStore store, const char *name, int max_rank, int *rank,
                                int64_t dims[]); /* rank -1: none */
PetscErrorCode ScoriaStoreGetReals(ScoriaStore store, const char *name, int64_t count, double data[]);
PetscErrorCode ScoriaStoreGetFloats(ScoriaStore store, const char *name, int64_t count, float data[]);
/* Attributes of the root. */
PetscErrorCode ScoriaStorePutText(ScoriaStore store, const char *name, const char *text);
PetscErrorCode ScoriaStorePutReal(ScoriaStore store, const char *name, double value);
PetscErrorCode ScoriaStorePutInt(ScoriaStore store, const char *name, int64_t value);
PetscErrorCode ScoriaStoreHas(ScoriaStore store, const char *name, bool *has);
PetscErrorCode ScoriaStoreGetText(ScoriaStore store, const char *name, size_t size, char text[]);
PetscErrorCode ScoriaStoreGetReal(ScoriaStore store, const char *name, double *value);
PetscErrorCode ScoriaStoreGetInt(ScoriaStore store, const char *name, int64_t *value);
PetscErrorCode ScoriaStoreUnit(ScoriaStore store, const char *array, size_t size, char unit[]);
/* "CRC32C 0badcafe", of the names and CRCs of all arrays, of a store that was opened; attributes (dates, times taken,
 * decks) do not count. */
PetscErrorCode ScoriaStoreIdentity(ScoriaStore store, char identity[SCORIA_IDENTITY_SIZE]);
PetscErrorCode ScoriaStorePutMadeFrom(ScoriaStore store, const ScoriaMadeFrom *from);
PetscErrorCode ScoriaStoreMadeFrom(ScoriaStore store, ScoriaMadeFrom *from);
/* Names, units and descriptions of fields, as attributes of the root; SCORIA_MAX_FIELDS at most. */
PetscErrorCode ScoriaStorePutFields(ScoriaStore store, int n, const ScoriaField field[]);
PetscErrorCode ScoriaStoreGetFields(ScoriaStore store, int *n, ScoriaField field[]);
/* The centres x (fields_centres) of the cells of n fields along each axis: /x, of whole fields /y and /z, of fields
 * on cells of their own these by their names.  Got are those of fields that were got, whose shape[0] is the cells of
 * the longest. */
PetscErrorCode ScoriaStorePutCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     const ScoriaSpace *space, const double x[]);
PetscErrorCode ScoriaStoreGetCentres(ScoriaStore store, int n, const ScoriaField field[], const int shape[3],
                                     double x[]);
/* A space as attributes and arrays under /conditions. */
PetscErrorCode ScoriaStorePutSpace(ScoriaStore store, const ScoriaSpace *space);
PetscErrorCode ScoriaStoreGetSpace(ScoriaStore store, ScoriaSpace *space);

/* Fields (rows, nz, ny, nx) of an HDF5 file, as they lie in it, for an .xdmf file: what ParaView and VisIt open. */
typedef struct {
  int n[3];          /* cells along x, y, z */
  double spacing[3]; /* [m] */
  double origin[3];  /* the corner of the first cell [m] */
} ScoriaXdmfGrid;
typedef struct {
  int grids; /* of a row: 1, or one for each of the different cells that fields lie on */
  ScoriaXdmfGrid grid[SCORIA_MAX_FIELDS];
  int on[SCORIA_MAX_FIELDS]; /* the grid of each field */
  const double *length;      /* (rows) [m]: of which spacing and origin along x are shares; NULL: they are in metres */
  int64_t rows;
  const int64_t *row; /* (rows) their numbers; NULL: 0, 1, ... */
  int nfields;
  const ScoriaField *field;
  int64_t offset[SCORIA_MAX_FIELDS]; /* of the first row in the file [byte] */
  bool float64;
} ScoriaXdmf;
/* Writes it beside `path`, in place of the ending .h5.  Collective on comm. */
PetscErrorCode ScoriaXdmfWrite(MPI_Comm comm, const char *path, const ScoriaXdmf *of);

/* "name, 1234 bytes, CRC32C 0badcafe" of a file as it is now, "" where there is none that can be read.  Where its
 * length and date [ns] are those that `stored`, such a text (may be NULL), and `modified` tell, it is `stored`, and the
 * file is not read.  Collective on comm. */
PetscErrorCode ScoriaSourceNow(MPI_Comm comm, const char *path, const char *stored, int64_t modified,
                               char now[SCORIA_SOURCE_SIZE]);
bool source_has_others(const char *source); /* whether such a text tells of other files, which this does not look at */

/* A file said to be ours that somebody else may have made: every header and attribute is read in a child process with
 * limits on time and memory, since libhdf5 may crash or hang on a malformed one.  To be called before such a file is
 * opened.  What does not pass is a user error.  Collective. */
PetscErrorCode ScoriaFileTrial(MPI_Comm comm, const char *path);

/* Describes any file of ours on standard output (rank 0): kind, shapes, units, ranges, provenance; of a text in a run
 * directory what it is; of a run directory whether its files are as its manifest lists them. Collective. */
PetscErrorCode ScoriaDescribeFile(MPI_Comm comm, const char *path);

/* Removes `path` if it is there.  Collective. */
PetscErrorCode ScoriaFileRemove(MPI_Comm comm, const char *path);
/* `from`, a file that is whole, becomes `path`, in place of one that is there.  Collective. */
PetscErrorCode ScoriaFileReplace(MPI_Comm comm, const char *from, const char *path);
/* Removes all generations of a checkpoint of the run.  Collective. */
PetscErrorCode ScoriaCheckpointRemove(ScoriaRun run, const char *name);

/* Checkpoints: stores of kind "checkpoint" in the run directory, each a whole file beside the one before it, so that a
 * job that is killed at any instant finds one of them.  Between Begin and End the caller puts in what is to be kept.
 * Collective on the run's ranks. */
PetscErrorCode ScoriaCheckpointBegin(ScoriaRun run, ScoriaDeck deck, const char *name, ScoriaStore *store);
PetscErrorCode ScoriaCheckpointEnd(ScoriaRun run, const char *name, ScoriaStore *store);

typedef struct {
  unsigned results; /* of the deck: a checkpoint whose deck differs in what decides them is a user error */
  void *ctx;        /* borrowed */
  /* NULL, or what is said to be done where one cannot be used, in words: then one of another deck, or that `check`
   * does not accept, is no error but passed over. */
  const char *otherwise;
  /* Whether it is of a layout that is no longer read, which is a user error; NULL: there is none. */
  PetscErrorCode (*outdated)(ScoriaStore store, bool *outdated);
  /* A user error where it was made from another model or file than there is now; NULL: nothing to compare. */
  PetscErrorCode (*check)(void *ctx, const char *path, ScoriaStore store);
  /* Reads everything, so that all CRCs have been compared before anything is used: a failure with
   * SCORIA_EXIT_INPUT says that the file is damaged. */
  PetscErrorCode (*read)(void *ctx, ScoriaStore store);
  PetscErrorCode (*clear)(void *ctx); /* undoes what a read that failed has left */
} ScoriaCheckpointReader;

typedef struct {
  bool whole;                         /* one was found and read */
  int damaged;                        /* how many were passed over with a warning */
  char path[PETSC_MAX_PATH_LEN + 16]; /* of the one that was read, else of the newest */
} ScoriaCheckpointFound;

/* Reads the newest checkpoint of this deck that is whole.  Collective on the run's ranks. */
PetscErrorCode ScoriaCheckpointFind(ScoriaRun run, ScoriaDeck deck, const char *name,
                                    const ScoriaCheckpointReader *reader, ScoriaCheckpointFound *found);
/* Removes all generations where the newest is this deck's, as far as `results` go.  Collective on the run's ranks. */
PetscErrorCode ScoriaCheckpointForget(ScoriaRun run, ScoriaDeck deck, const char *name, unsigned results);

/* Rank 0 writes a text file through path.part and rename, checking every write. Collective. */
PetscErrorCode ScoriaWriteText(MPI_Comm comm, const char *path, const char *text);
/* root as text in a file, through ScoriaWriteText; root is destroyed.  Collective. */
struct cJSON;
PetscErrorCode ScoriaWriteJson(MPI_Comm comm, const char *path, struct cJSON *root);
/* A file that holds a JSON object, of at most `most` bytes; NULL where there is none or it is something else.  Local.
 */
PetscErrorCode ScoriaReadJson(const char *path, size_t most, struct cJSON **root);
/* FILE.h5 -> FILE.json, the summary beside it; one that is another file's name is a user error. */
PetscErrorCode ScoriaJsonPath(const char *store, size_t size, char json[]);

/* ---------------------------------------------------------------------------------------------- libraries ---- */

typedef struct {
  char petsc[32], hdf5[32]; /* major.minor.patch */
  char mpi[64];             /* name and version, as MPI gives them */
} ScoriaLibraries;
/* The versions at run time.  Local; also before MPI and PETSc are initialised. */
PetscErrorCode ScoriaLibrariesGet(ScoriaLibraries *libraries);

/* ----------------------------------------------------------------------------------------------- manifest ---- */

/* Puts the results that this program has finished in the run directory since the last call into run_dir/manifest.json:
 * name, length, CRC-32C, date, and the command that made them.  Reads them; what cannot be read is warned of.  Beside
 * it, run_dir/croissant.json describes all files of the manifest and their arrays; what a user has added there stays.
 * Collective on the run's communicator. */
PetscErrorCode ScoriaManifestUpdate(ScoriaRun run, const char *command);

/* --------------------------------------------------------------------------------------------------- cost ---- */

/* Core seconds (wall time times ranks) that a file of the run directory has cost over all starts, kept in
 * run_dir/cost.json under the file's name.  goes_on: what earlier starts have spent counts, as their work does.  Keep
 * writes the account down every few seconds, or now; End does, and closes it.  Collective on the run's communicator. */
typedef struct ScoriaCost_ *ScoriaCost;
PetscErrorCode ScoriaCostBegin(ScoriaRun run, const char *name, bool goes_on, ScoriaCost *cost);
PetscErrorCode ScoriaCostKeep(ScoriaCost cost, bool now);
PetscErrorCode ScoriaCostEnd(ScoriaCost *cost);
/* Removes what a start that was killed while it kept the account has left of the new one.  Collective. */
PetscErrorCode ScoriaCostTidy(ScoriaRun run);
/* NaN where it is not known.  Collective. */
PetscErrorCode ScoriaCostRead(ScoriaRun run, const char *name, double *core_seconds);

#endif
