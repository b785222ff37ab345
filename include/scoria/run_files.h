/* scoria/run_files.h - the files of a run directory, and the names in them that one room writes and another reads; what
 * the results of studies hold is in results.h and uq_result.h. */
#ifndef SCORIA_RUN_FILES_H
#define SCORIA_RUN_FILES_H

#include "base.h"

/* -------------------------------------------------------------------------------------------------------- names ----
 */

/* A file that a command leaves under a name that is always the same. */
typedef struct {
  const char *name;
  const char *command; /* that makes it; NULL: whichever runs */
  const char *text;    /* what it holds, for people; NULL: as its ending says */
  const char *kind;    /* of a store, as ScoriaStoreOpen wants it; NULL of other files */
  unsigned is;         /* SCORIA_FILE_... */
} ScoriaRunFile;

#define SCORIA_FILE_LISTED 1u /* in the manifest, also where the start that finished it could not list it any more */
#define SCORIA_FILE_MADE 2u   /* from other results, which it names: a page of the report is of one chain */

/* Ends with a NULL name; a name that several commands make has a row for each. */
extern const ScoriaRunFile scoria_run_files[];
/* The row of a name that this command makes, or the first of it where command is NULL; NULL: there is none. */
const ScoriaRunFile *run_file_find(const char *name, const char *command);

/* ------------------------------------------------------------------------------------------------------- arrays ----
 */

extern const char *const scoria_file_axes[3]; /* centres of the cells along x, y, z */
/* A field (rows, cells) or (rows, z, y, x), and a condition (rows), of datasets and of stores. */
void file_field_path(const char *name, size_t size, char path[]);
void file_condition_path(const char *name, size_t size, char path[]);

/* ---------------------------------------------------------------------------------------------------- model.h5 ---- */

/* Attributes: rows that it was trained on, and validated on; older files lack them. */
#define MODEL_ROWS "train_rows"
#define MODEL_VALIDATION_ROWS "train_validation_rows"
/* What was held back: an attribute, rows of each condition, 0 where conditions are held back whole; and these by
 * number.
 */
#define MODEL_HOLDOUT_ROWS "holdout_rows"
#define MODEL_HOLDOUT "/holdout"

/* -------------------------------------------------------------------------------------------------- JSON lines ---- */

/* Appends a member to a line, "" at first, of `size`: a comma behind others, the name, the value in this format. */
void json_member(size_t size, char line[], const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* log.jsonl: time and event of every line, and the members of some events. */
#define LOG_FILE "log.jsonl"
#define LOG_TIME "time"
#define LOG_EVENT "event"
#define LOG_START "start" /* of the program: */
#define LOG_COMMAND "command"
#define LOG_VERSION "version"
#define LOG_RANKS "ranks"
#define LOG_END "end"                 /* in good order */
#define LOG_UNITS "units"             /* of an import: */
#define LOG_LINES "lines"             /* what was said of them, an array */
#define LOG_SUSPECT "suspect"         /* after these: what looks wrong in its file, */
#define LOG_LINE "line"               /* as it was said */
#define LOG_KEPT "kept"               /* of a training: what became the model */
#define LOG_CALIBRATION "calibration" /* of that model, where it is calibrated */
#define LOG_MEAN_MOVED "mean_moved"
#define LOG_SPREAD_MOVED "spread_moved"
#define LOG_WIDENED "spread_widened"
#define LOG_CORRECT "correct" /* of rows of a cheaper fidelity: */
#define LOG_CHEAP "cheap"     /* how many, */
#define LOG_PAIRS "pairs"     /* how many of them beside a row of the dataset, */
#define LOG_OFF "off"         /* how far off [SD], as they are and corrected, */
#define LOG_OFF_CORRECTED "off_corrected"
#define LOG_CORRELATION "correlation" /* with these, corrected, */
#define LOG_USED "used"               /* whether training takes them */

/* train.jsonl: a line per logged step; the last one, which has TRAIN_KEPT_STEP, is of what became the model. */
#define TRAIN_FILE "train.jsonl"
#define TRAIN_STEP "step"
#define TRAIN_LOSS "loss"
#define TRAIN_VALIDATION "validation"
#define TRAIN_BASELINE "baseline" /* validation loss of the Gaussian part alone */
#define TRAIN_RATE "lr"
#define TRAIN_SECONDS "seconds"
#define TRAIN_KEPT_STEP "kept_step"
#define TRAIN_KEPT_LOSS "kept_validation"
#define TRAIN_WIDTH "width" /* of the average of the weights, relative to the steps */
#define TRAIN_LENGTHENED "lengthened_at"

/* ----------------------------------------------------------------------------------------------- manifest.json ---- */

/* Object of objects by file. */
#define MANIFEST_FILE "manifest.json"
#define MANIFEST_MOST ((size_t)16 << 20) /* bytes that are read */
#define MANIFEST_FILES "files"
#define MANIFEST_BYTES "bytes"
#define MANIFEST_CRC "crc32c"
#define MANIFEST_COMMAND "command" /* that made it */

#endif
