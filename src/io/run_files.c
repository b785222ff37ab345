/* The files that commands leave in a run directory under names of their own. */
#include "scoria/run_files.h"
#include <stdio.h>
#include <string.h>

#define LISTED SCORIA_FILE_LISTED
#define MADE SCORIA_FILE_MADE

const ScoriaRunFile scoria_run_files[] = {
    {"dataset.h5", "generate", "porosities, conditions and fields of every solve", NULL, LISTED},
    {"dataset.h5", "import", "conditions and fields of every row", NULL, LISTED},
    {"dataset.h5", "merge", "the rows of all shards", NULL, LISTED},
    {"cheap.h5", "generate", "rows of a cheaper fidelity", NULL, LISTED},
    {"fields.h5", "generate", "whole fields of the first solves", "fields", LISTED},
    {"fields.xdmf", "generate", NULL, NULL, LISTED},
    {"model.h5", "train", "the model", "model", LISTED | MADE},
    {TRAIN_FILE, "train", "losses, a line per logged step", NULL, 0},
    {"samples.h5", "sample", "fields of the model", NULL, LISTED | MADE},
    {"refined.h5", "refine", "solutions nearest to samples, and their porosity", NULL, MADE},
    {"refine.h5", "refine", "misfits and how they were reached", "refine", 0},
    {"compare.h5", "compare", "curves behind the figures", "compare", LISTED | MADE},
    {"compare.json", "compare", "measures and cost", NULL, LISTED},
    {"compare_files.json", "compare", "measures of one file against another", NULL, 0},
    {"solve.h5", "solve", "fields of given porosities", NULL, 0},
    {"uq.h5", "uq", "all statistics", "uq", LISTED | MADE},
    {"uq.json", "uq", "quantities of interest", NULL, LISTED},
    {"posterior.h5", "infer", "the fields given the readings", "posterior", LISTED | MADE},
    {"posterior.json", "infer", "summary", NULL, LISTED},
    {"likelihood.h5", "likelihood", "log densities of given fields", "likelihood", MADE},
    {MANIFEST_FILE, NULL, "lengths and checksums of the results", NULL, 0},
    {"croissant.json", NULL, "description of the files and their arrays (Croissant, JSON-LD)", NULL, 0},
    {"cost.json", NULL, "core seconds that the results have cost", NULL, 0},
    {"deck.yaml", NULL, "the deck of the results, resolved", NULL, 0},
    {LOG_FILE, NULL, "what was run, a line per event", NULL, 0},
    {NULL, NULL, NULL, NULL, 0},
};

const ScoriaRunFile *run_file_find(const char *name, const char *command)
{
  for (const ScoriaRunFile *f = scoria_run_files; f->name; f++)
    if (!strcmp(f->name, name) && (!command || (f->command && !strcmp(f->command, command)))) return f;
  return NULL;
}

const char *const scoria_file_axes[3] = {"/x", "/y", "/z"};

void file_field_path(const char *name, size_t size, char path[])
{
  snprintf(path, size, "/fields/%s", name);
}

void file_condition_path(const char *name, size_t size, char path[])
{
  snprintf(path, size, "/conditions/%s", name);
}
