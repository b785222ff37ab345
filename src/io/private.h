/* io/private.h - what the files of this room share: how trouble on one rank is noted and told to the others, the few
 * HDF5 wrappers, and the inside of a dataset.
 *
 * Files are made by rank 0 alone, with HDF5's serial driver, up to the last attribute and at their full size; only the
 * rows go through the parallel driver.  So everything that can go wrong while a file is made or examined goes wrong on
 * rank 0, is noted in a ScoriaTrouble, and is told to every rank by one ScoriaAgree before anything collective starts.
 */
#ifndef SCORIA_IO_PRIVATE_H
#define SCORIA_IO_PRIVATE_H

#include "scoria/io.h"
#define H5_USE_110_API /* the functions as of 1.10, also with a newer library */
#include <hdf5.h>

/* ------------------------------------------------------------------------------------------------- trouble ---- */

/* The first thing that went wrong on this rank; the functions below do nothing once there is one. */
typedef struct {
  const char *path; /* borrowed: the file that is blamed */
  ScoriaExit code;
  char line[1024];
} ScoriaTrouble;

/* Notes "path: text", unless something was noted before. */
void trouble_note(ScoriaTrouble *bad, ScoriaExit code, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(3, 4);
/* The same, followed by the innermost message on HDF5's error stack. */
void trouble_hdf5(ScoriaTrouble *bad, ScoriaExit code, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/* For HDF5 calls on ids of our own that cannot fail but by a defect or for want of memory. */
#define CallH5(call) PetscCheck((call) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5: %s", #call)

/* ------------------------------------------------------------------------------------- files on disk (local) ---- */

/* path.part */
PetscErrorCode PartName(const char *path, size_t size, char part[]);
/* Notes that `path` exists, which is never overwritten. */
PetscErrorCode FileRefuse(const char *path, ScoriaTrouble *bad);
/* Refuses when `path` exists, then makes `part` empty: an unwritable place is told by the system's own reason. */
PetscErrorCode FileStart(const char *path, const char *part, ScoriaTrouble *bad);
/* Reserves the first `size` bytes on disk, because a full disk is not reported by collective writes; where the file
 * system cannot, asks whether they are free, and says so once. */
PetscErrorCode FileReserve(const char *part, int64_t size, ScoriaTrouble *bad);
/* Writes all of a file, checking every step. */
PetscErrorCode FileWrite(const char *part, const void *bytes, size_t size, ScoriaTrouble *bad);
/* Length and CRC of a file; unknown: not known. */
typedef struct {
  bool known;
  int64_t size;
  uint32_t crc;
} ScoriaFileSum;
/* CRC of bytes [first, first + number) of a file of `size` bytes; 0, or the errno of what went wrong.  A file of
 * another size is not the one that is meant: a name that a file server has yet to learn of, or a file that is being
 * written. */
int file_crc(const char *path, int64_t size, int64_t first, int64_t number, uint32_t *crc);
/* The same of a whole file, each rank reading a share of a long one, with a look at whether to stop every second or so,
 * where run is not NULL: then it fails as ScoriaStopped.  *failed is the same on every rank.  Collective. */
PetscErrorCode FileCrc(MPI_Comm comm, ScoriaRun run, const char *path, int64_t size, uint32_t *crc, int *failed);
/* Syncs `part`, renames it to `path`, syncs the directory. */
PetscErrorCode FilePublish(const char *part, const char *path, ScoriaTrouble *bad);
/* How many different paths this rank has published since it last forgot them, and the paths. */
int files_published(void);
const char *files_published_path(int i);
/* Keeps what is known of the bytes of a path that has just been published; gives it (unknown: nothing is). */
void files_published_sum(const char *path, const ScoriaFileSum *sum);
ScoriaFileSum files_published_sum_of(const char *path);
PetscErrorCode FilesForgetPublished(void);
/* The description of a run directory beside its manifest, whose list is `files`: the one that is there, with what is
 * the program's written anew, or a new one.  The caller deletes it.  Local, for rank 0. */
#define SCORIA_CROISSANT "croissant.json"
struct cJSON;
PetscErrorCode CroissantCreate(ScoriaRun run, const char *dir, const struct cJSON *files, struct cJSON **root);
/* Is it there, a file, and not empty?  `expected` says what it should be. */
PetscErrorCode FileProbe(const char *path, const char *expected, int64_t *size, ScoriaTrouble *bad);
/* How long a file is, by its superblock (version 2 or 3). */
uint64_t superblock_end(const unsigned char head[48]);
/* Is it HDF5, and as long as its own superblock says?  After the probe. */
PetscErrorCode SuperblockProbe(const char *path, const char *expected, int64_t size, ScoriaTrouble *bad);

/* ---------------------------------------------------------------------------------------- HDF5 (local calls) ---- */

/* Types as stored, all little-endian. */
typedef enum { IO_U1, IO_I4, IO_U4, IO_I8, IO_U8, IO_F4, IO_F8 } ScoriaType;
hid_t type_of(ScoriaType type);
size_t type_size(ScoriaType type);

size_t fields_row_size(const ScoriaDatasetSpec *spec); /* of a row of all fields, in the file */
/* Axes of a field: x, of whole fields also y and z. */
int spec_axes(const ScoriaDatasetSpec *spec);
extern const char *const dataset_axes[3]; /* attributes: the names of the fields' axes along x, y, z */
/* The dimensions of the array of field f, and their number: (rows, nx), or (rows, nz, ny, nx). */
#define SCORIA_FIELD_RANK 4
int field_array_shape(const ScoriaDatasetSpec *spec, int f, int64_t dims[SCORIA_FIELD_RANK]);

/* The hints of the deck, or MPI_INFO_NULL; borrowed. */
MPI_Info io_hints(void);
/* Makes an empty `part` with the stripes that the hints ask for, if they do. */
PetscErrorCode FileStripe(const char *part);
/* How files are accessed: serial (MPI_COMM_NULL) or parallel, then with the hints. */
PetscErrorCode FileAccess(MPI_Comm comm, hid_t *access);
/* Between the two, a rank that waits too long ends the job with exit code 4 and a line, that `path` cannot be `what`:
 * SCORIA_CLOSE_SECONDS of the environment, or `seconds`, what a busy file system may take.  Local. */
#define SCORIA_STUCK_BYTES 300 /* [s] for few bytes: in an open, and in a close, as all else is on disk */
#define SCORIA_STUCK_ROWS                                                                                              \
  3600 /* [s] for a block of rows of all ranks, or all that was written since the last flush                           \
        */
PetscErrorCode StuckBegin(const char *path, const char *what, int seconds, int rank);
PetscErrorCode StuckEnd(void);
/* How datasets are made: contiguous, allocated at once, never filled, without time stamps. */
PetscErrorCode CreateLayout(hid_t *layout);

/* Whether a field of that name is latent, in a file from before files said so. */
bool field_was_latent(const char *name);

PetscErrorCode PutText(hid_t object, const char *name, const char *text, ScoriaTrouble *bad);
PetscErrorCode PutNumber(hid_t object, const char *name, ScoriaType type, const void *value, ScoriaTrouble *bad);
PetscErrorCode GetText(hid_t object, const char *name, char **text, ScoriaTrouble *bad); /* PetscFree it */
PetscErrorCode GetShortText(hid_t object, const char *name, size_t size, char text[], ScoriaTrouble *bad);
/* type: IO_I8 or IO_F8; HDF5 converts from whatever number is stored. */
PetscErrorCode GetNumber(hid_t object, const char *name, ScoriaType type, void *value, ScoriaTrouble *bad);

/* Makes an array and its groups; data may be NULL (reserved only).  With data, its CRC32C is kept as an attribute. */
PetscErrorCode PutArray(hid_t file, const char *name, ScoriaType type, int rank, const int64_t dims[], const void *data,
                        const char *unit, const char *description, ScoriaTrouble *bad);
/* The shape of an array and its type as stored; rank -1 when there is none, or none that can be read.  The array is
 * known to be no larger than the file. */
PetscErrorCode ShapeOf(hid_t file, const char *name, int max_rank, int *rank, int64_t dims[], ScoriaType *type,
                       ScoriaTrouble *bad);
/* Reads all of an array as stored and compares with its CRC. */
PetscErrorCode GetArray(hid_t file, const char *name, int64_t count, ScoriaType type, void *data, ScoriaTrouble *bad);

/* Names the axes of an array, "row x": the scale of each is the root array of that name, which is put before, or a
 * place holder made here. */
PetscErrorCode PutAxes(hid_t file, const char *array, const char *axes, ScoriaTrouble *bad);
/* The root array of that name becomes a scale, also where no array has its axis. */
PetscErrorCode PutScale(hid_t file, const char *name, int64_t length, ScoriaTrouble *bad);
/* Ties every array that names its axes to their scales; the last step of making a file. */
PetscErrorCode AttachScales(hid_t file, ScoriaTrouble *bad);
#define SCORIA_PATH_SIZE 256

/* "(3, 4)" */
void shape_text(int rank, const int64_t dims[], size_t size, char text[]);

/* Probes and opens a file of ours for serial reading, whatever its kind; `expected` as for the probe. */
PetscErrorCode OpenOurs(const char *path, const char *expected, int64_t *size, hid_t *file,
                        char format[SCORIA_NAME_SIZE], char kind[SCORIA_NAME_SIZE], ScoriaTrouble *bad);
/* The root attributes every file has: format, kind, versions, revision, date, job. */
PetscErrorCode PutOrigin(hid_t file, const char *format, const char *kind, const char *deck, ScoriaTrouble *bad);

/* Ordered names as one root attribute "c phi eps". */
#define SCORIA_LIST_SIZE (8 * SCORIA_NAME_SIZE)
PetscErrorCode PutNames(hid_t file, const char *attribute, int n, const char *const name[], ScoriaTrouble *bad);
PetscErrorCode GetNames(hid_t file, const char *attribute, int max, int *n, char name[][SCORIA_NAME_SIZE],
                        ScoriaTrouble *bad);
/* One condition as /conditions/<name> [n], along `axis`, with its unit and range; data may be NULL. */
PetscErrorCode PutConditionNames(hid_t file, const ScoriaSpace *space, ScoriaTrouble *bad);
PetscErrorCode PutCondition(hid_t file, const ScoriaCondition *c, int64_t n, const double data[],
                            const char *description, const char *axis, ScoriaTrouble *bad);
PetscErrorCode GetSpace(hid_t file, ScoriaSpace *space, ScoriaTrouble *bad);

/* Root attributes of ScoriaMadeFrom; those that are "" are left out. */
PetscErrorCode PutMadeFrom(hid_t file, const ScoriaMadeFrom *from, ScoriaTrouble *bad);
PetscErrorCode GetMadeFrom(hid_t file, ScoriaMadeFrom *from, ScoriaTrouble *bad);
/* "name, 1234 bytes, CRC32C 0badcafe"; the n files that it refers to, together, behind that; a file's date [ns]. */
struct stat;
void source_text(const char *path, int64_t bytes, uint32_t crc, size_t size, char text[]);
void source_add_others(int n, int64_t bytes, uint32_t crc, size_t size, char text[]);
int64_t source_modified(const struct stat *st);

#define SCORIA_DATASET_FORMAT "scoria-dataset"
#define SCORIA_STORE_FORMAT "scoria-store"
#define SCORIA_FORMAT_VERSION 1

/* --------------------------------------------------------------------------------------- files of others (local) ----
 */

#define SCORIA_TRIAL_SECONDS 300
#define SCORIA_TRIAL_BYTES (1ULL << 30) /* beyond what the process has, and what an array needs */

typedef struct {
  unsigned seconds; /* of CPU, and of the clock */
  uint64_t bytes;   /* beyond what the process has */
  unsigned cpu;     /* seconds of CPU where these are fewer; 0: they are not */
} ScoriaTrialLimits;

/* Runs `read` in a child process within limits, where it may crash or hang: what it notes, or that it did not come to
 * its end, is noted in bad.  Whatever else it does stays in the child. */
PetscErrorCode TrialRun(const char *path, const ScoriaTrialLimits *limits,
                        PetscErrorCode (*read)(void *ctx, ScoriaTrouble *bad), void *ctx, ScoriaTrouble *bad);

/* Opens path and an array of numbers in it; -1 and no note where the file is fine but has none of that name. */
PetscErrorCode OpenNumbers(const char *path, const char *name, hid_t *file, hid_t *array, ScoriaTrouble *bad);
void numbers_close(hid_t file, hid_t array);
/* Notes that a file is no HDF5 file, and of formats that are often meant what makes one of them. */
void not_hdf5_note(const char *path, ScoriaTrouble *bad);

/* --------------------------------------------------------------------------------------------------- store ---- */

struct ScoriaStore_ {
  MPI_Comm comm; /* borrowed */
  int rank;
  bool writing, failed; /* failed: a write went wrong, the file is not to be published */
  char path[PETSC_MAX_PATH_LEN], part[PETSC_MAX_PATH_LEN];
  hid_t file;  /* owned, on rank 0 */
  void *image; /* owned, malloc'd: the finished file, between HDF5's close and ours */
  char *deck;  /* owned */
};

/* Tells the outcome of rank 0's part to all. */
PetscErrorCode StoreAgree(ScoriaStore store, const ScoriaTrouble *bad);

/* ------------------------------------------------------------------------------------------------- dataset ---- */

/* Columns of /status, in the order of their CRC; "done" is the one that is written last. */
#define SCORIA_STATUS_COLUMNS 5

/* One array over all rows: [N], or that of a field. */
typedef struct {
  hid_t id; /* owned */
  ScoriaType type;
  int field;    /* of the fields; -1: another column */
  uint32_t sum; /* CRC of what this rank has read of it, while the dataset is summing */
  char name[SCORIA_NAME_SIZE + 16];
} ScoriaColumn;

struct ScoriaDataset_ {
  MPI_Comm comm; /* owned: plain, whatever the caller's topology */
  int rank, size;
  bool writing;
  bool extends;    /* takes the place of a finished file */
  bool tolerant;   /* rows that are damaged read as not done, and are counted, instead of a failure */
  int64_t damaged; /* how many were, on this rank */
  bool alone;      /* this rank reads by itself */
  bool summing;    /* reads, in order and once, go into the sums of the columns */
  bool intact;     /* all rows were read and found whole, and none has been written since */
  ScoriaRun run;   /* borrowed: whose progress is told, and whose stops are heeded; NULL: nobody's */
  ScoriaExit code; /* what bad contents are reported as: input, or i/o while verifying our own writes */
  char path[PETSC_MAX_PATH_LEN], part[PETSC_MAX_PATH_LEN];
  const char *open_path; /* one of the two */
  ScoriaDatasetSpec spec;
  ScoriaMadeFrom made;
  double *x;  /* (spec_centres), owned */
  char *deck; /* owned */
  hid_t file, row_space, field_space[SCORIA_MAX_FIELDS], transfer;
  ScoriaColumn field[SCORIA_MAX_FIELDS], condition[SCORIA_MAX_CONDITIONS], status[SCORIA_STATUS_COLUMNS];
  ScoriaColumn status_crc, crc;
  int64_t slab_rows;  /* rows of one field that one call transfers at most */
  int64_t batch_rows; /* rows that a rank reads back at a time; 0: as many as fit into some memory */
  void *slab;         /* owned: slab rows of one field as stored */
  uint32_t *sum;      /* owned: (2, sum_rows) CRCs computed; of the rows, then of their status */
  uint32_t *stored;   /* owned: (2, sum_rows) CRCs read back */
  int64_t slab_capacity, sum_rows;
  /* The last batch written, whose rows are marked done when it is known to be on disk. */
  bool unmarked;
  int64_t unmarked_first, unmarked_rows, unmarked_capacity;
  uint8_t *unmarked_done; /* owned */
};

typedef struct {
  const char *name;
  ScoriaType type;
  const char *unit, *description;
} ScoriaStatusColumn;
extern const ScoriaStatusColumn scoria_status[SCORIA_STATUS_COLUMNS];
/* Column i of the status in memory. */
void *rows_status(const ScoriaRows *rows, int i);

/* Of whole fields on a regular grid, an .xdmf file beside the dataset: of its first rows, SCORIA_XDMF_ROWS at most, as
 * their description takes a kilobyte each.  Collective. */
#define SCORIA_XDMF_ROWS 1000
PetscErrorCode DatasetDescribeGrid(ScoriaDataset ds);

/* ScoriaDatasetDigest, read from the file. */
PetscErrorCode DatasetReadDigest(ScoriaDataset ds, int64_t rows, uint32_t *digest);

/* Makes every object of a dataset in `part` at full size, on the rank that calls. */
PetscErrorCode DatasetLayOut(const char *part, const ScoriaDatasetSpec *spec, const double x[],
                             const ScoriaProvenance *from, ScoriaTrouble *bad);
/* Whether what was laid out reads back: a part file that does not would be refused by every start after this one. */
PetscErrorCode DatasetCheckLayOut(const char *fresh, ScoriaTrouble *bad);
/* Examines a file serially and reads all that is not a row; x and deck are for the caller to free. */
PetscErrorCode DatasetExamine(hid_t file, int64_t size, ScoriaDatasetSpec *spec, double **x, char **deck,
                              ScoriaTrouble *bad);
/* Opens the columns; collective where the file is. */
PetscErrorCode DatasetOpenColumns(ScoriaDataset ds, ScoriaTrouble *bad);
PetscErrorCode DatasetCloseColumns(ScoriaDataset ds);
/* Rows [first, first + number) of one column to or from memory, as stored; number may be 0.  Collective, but for a
 * dataset that reads alone. */
typedef enum { TO_FILE, FROM_FILE } ScoriaDirection;
PetscErrorCode ColumnTransfer(ScoriaDataset ds, ScoriaDirection direction, ScoriaColumn *column, int64_t first,
                              int64_t number, void *data, ScoriaTrouble *bad);
/* Hands what has been written over to the disk.  Collective. */
PetscErrorCode DatasetFlush(ScoriaDataset ds, ScoriaTrouble *bad);
/* All columns, SCORIA_MAX_COLUMNS at most, in the order of their making. */
#define SCORIA_MAX_COLUMNS (SCORIA_MAX_FIELDS + SCORIA_MAX_CONDITIONS + SCORIA_STATUS_COLUMNS + 2)
int dataset_columns(ScoriaDataset ds, ScoriaColumn *column[SCORIA_MAX_COLUMNS]);
int64_t column_row_bytes(ScoriaDataset ds, const ScoriaColumn *column); /* in the file */
/* How far a reading of all rows has come: the leading rows of the dataset. */
typedef struct {
  int64_t rows;
  int columns;
  uint32_t crc[SCORIA_MAX_COLUMNS]; /* of that part of every column, in the order of dataset_columns */
  ScoriaIntervals there;            /* owned: which of them are there and whole */
} ScoriaReading;
/* Writes it beside the dataset; removes what is there; finds what an earlier start has left, with rows = 0 where there
 * is nothing or nothing of this file's rows, the same on every rank.  Collective. */
PetscErrorCode ReadingKeep(ScoriaDataset ds, const ScoriaReading *reading);
PetscErrorCode ReadingForget(ScoriaDataset ds);
PetscErrorCode ReadingFind(ScoriaDataset ds, ScoriaReading *reading);
/* Conditions and status of rows, without the fields and unchecked.  Collective. */
PetscErrorCode DatasetReadStatus(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows);
/* Reads every row of `again`, the closed part file of `written` as a reader opens it, unless all of them have been read
 * and none written since.  sum, on rank 0: of the whole file, as read.  Collective. */
PetscErrorCode DatasetVerify(ScoriaDataset written, ScoriaDataset again, ScoriaFileSum *sum);
/* Rows of a dataset that may be open for writing; otherwise as ScoriaDatasetRead. */
PetscErrorCode DatasetReadRows(ScoriaDataset ds, int64_t first, int64_t number, ScoriaRows *rows);
/* Opens `which` (the path or the part file) for reading; bad contents are reported with `code`.  Collective. */
PetscErrorCode DatasetOpenFile(MPI_Comm comm, const char *path, const char *which, ScoriaExit code, ScoriaDataset *ds);

/* The body of a store's description, on rank 0. */
PetscErrorCode DescribeStore(hid_t file, ScoriaTrouble *bad);

/* CRC32C, both ways; the second may be called only where the first says so. */
bool crc32c_has_hardware(void);
uint32_t crc32c_hardware(uint32_t crc, const void *data, size_t size);
uint32_t crc32c_software(uint32_t crc, const void *data, size_t size);

/* Reads every file that the manifest of a directory lists and prints what is found; a file that is missing, cannot be
 * read or is not as listed is a user error, told after all have been looked at.  Collective. */
PetscErrorCode ManifestVerify(MPI_Comm comm, const char *dir);

#endif
