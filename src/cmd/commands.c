/* The command table: a new command is a row here and a file beside this one. */
#include "cmd.h"
#include "scoria/phases.h"
#include "scoria/run_decks.h"
#include <string.h>

/* Sections: "problem" stands for those of all problems. */
const ScoriaCommand scoria_commands[] = {
    {"run", "generate (or import), train, sample, compare and report; skips what is complete", NULL, CommandRun, NULL,
     NULL, true},
    {"solve", "solve for given or drawn porosity profiles -> solve.h5", "porosity ensemble problem sample solve",
     CommandSolve, NULL, NULL, true},
    {"generate", "draw porosities and solve the PDE ensemble -> dataset.h5", "porosity conditions ensemble problem",
     CommandGenerate, NULL, NULL, true},
    {"import", "rows of a file of yours, mapped by the deck's section import -> dataset.h5", "import", CommandImport,
     NULL, NULL, false},
    {"merge", "shards that generate -run_shard i,n has made -> dataset.h5", "", CommandMerge, NULL, NULL, true},
    {"train", "train the score model on dataset.h5 -> model.h5", "train", CommandTrain, NULL, NULL, true},
    {"sample", "sample the model at one condition -> samples.h5", "sample", CommandSample, NULL, NULL, true},
    {"compare", "model against fresh PDE ensembles at held-out conditions -> compare.json", "sample compare",
     CommandCompare, NULL, NULL, true},
    {"uq", "streamed statistics of the model or the PDE at one or many conditions -> uq.json", "sample uq", CommandUq,
     NULL, NULL, true},
    {"infer", "fields, and unknown conditions, given sensor readings -> posterior.h5", "sample sensors infer",
     CommandInfer, NULL, NULL, true},
    {"likelihood", "log densities of given fields under the model -> likelihood.h5", "likelihood", CommandLikelihood,
     NULL, NULL, true},
    {"refine", "the porosity behind sampled fields, and how near they are to solutions -> refined.h5", "sample refine",
     CommandRefine, NULL, NULL, false},
    {"deck", "check the keys and values of a deck, and print it with every key that has one", NULL, CommandDeck, NULL,
     NULL, true},
    {"report", "figures and report.html of what the run directory holds", "", CommandReport, NULL, NULL, true},
    {"fit-porosity", "the Gaussian process behind a measured structure, as a deck's section porosity", "porosity", NULL,
     NULL, CommandFitPorosity, true},
    {"info", "describe a file of ours, or check the files of a run directory", "", NULL, ScoriaDescribeFile, NULL,
     true},
    {NULL, NULL, NULL, NULL, NULL, NULL, false},
};

const ScoriaCommand *cmd_find(const char *name)
{
  for (const ScoriaCommand *row = scoria_commands; row->name; row++)
    if (!strcmp(row->name, name)) return row;
  return NULL;
}

#define MOST_COMMANDS 32

void cmd_unknown(const char *name, size_t size, char line[])
{
  const char *names[MOST_COMMANDS], *nearest;
  int n = 0;
  for (const ScoriaCommand *row = scoria_commands; row->name && n < MOST_COMMANDS; row++) names[n++] = row->name;
  nearest = text_nearest(name, n, names);
  snprintf(line, size, "unknown command \"%s\"%s%s%s; scoria help lists the commands", name,
           nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

/* Runs a command in its stage of the log; where it ends in good order, says where its time went. */
static PetscErrorCode CmdTimed(ScoriaRun run, ScoriaDeck deck, const ScoriaCommand *command)
{
  PetscFunctionBeginUser;
  if (command->with_deck == CommandRun) PetscFunctionReturn(CommandRun(run, deck)); /* of commands that are timed */
  PetscCall(ScoriaPhasesBegin(command->name));
  const PetscErrorCode failed = command->with_deck(run, deck);
  const ScoriaExit code       = ScoriaFailureCode();
  PetscCall(ScoriaPhasesEnd());
  if (!failed || code == SCORIA_EXIT_CHECKPOINT || code == SCORIA_EXIT_SOLVES || code == SCORIA_EXIT_DIFFERENT)
    PetscCall(ScoriaPhasesLog(run, command->name));
  PetscFunctionReturn(failed);
}

/* A command that knows profiles alone does not begin with a deck of whole fields. */
static PetscErrorCode CheckWholeFields(ScoriaDeck deck, const ScoriaCommand *command)
{
  bool whole;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "ensemble_whole_fields", &whole));
  if (whole && !command->whole_fields)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "ensemble_whole_fields: found true, but %s takes profiles along x; generate, solve, merge, train, "
                "sample, compare, uq, infer, likelihood and report take whole fields",
                command->name);
  PetscFunctionReturn(0);
}

PetscErrorCode CmdDo(ScoriaRun run, ScoriaDeck deck, const char *name)
{
  const ScoriaCommand *command = cmd_find(name);
  PetscFunctionBeginUser;
  PetscCall(CheckWholeFields(deck, command));
  PetscCall(ScoriaCostTidy(run)); /* the command may find its result complete, and keep no account */
  const PetscErrorCode failed = CmdTimed(run, deck, command);
  const ScoriaExit code       = ScoriaFailureCode();
  /* Two of the failures are about what a finished file says. */
  const bool finished         = !failed || code == SCORIA_EXIT_SOLVES || code == SCORIA_EXIT_DIFFERENT;
  if (command->with_deck == CommandRun) PetscFunctionReturn(failed);
  if (finished) PetscCall(ScoriaManifestUpdate(run, name));
  const bool begun = finished || code == SCORIA_EXIT_CHECKPOINT; /* its checks have passed */
  if (begun && command->with_deck != CommandReport) PetscCall(ScoriaRunKeepDeck(run, deck));
  PetscFunctionReturn(failed);
}

/* A model of imported data is compared with the rows that were held back, where there were enough to hold some back. */
PetscErrorCode CommandRun(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN];
  bool imported, there, compared = true, asked[3];
  PetscFunctionBeginUser;
  PetscCall(ScoriaImported(deck, &imported));
  PetscCall(ScoriaDeckHas(deck, "uq_quantities", &asked[0]));
  PetscCall(ScoriaDeckHas(deck, "uq_exceed", &asked[1]));
  PetscCall(ScoriaDeckHas(deck, "uq_probes", &asked[2]));
  if (asked[0] || asked[1] || asked[2]) PetscCall(CmdCheckDeck(deck)); /* compare reads them, after all the work */
  PetscCall(CmdDo(run, deck, imported ? "import" : "generate"));
  if (imported) {
    PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
    PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
    if (!there) PetscFunctionReturn(0); /* the deck maps nothing yet: the file was listed */
  }
  PetscCall(CmdDo(run, deck, "train"));
  PetscCall(CmdDo(run, deck, "sample"));
  if (imported) PetscCall(ScoriaHeldBack(run, &compared));
  if (compared)
    PetscCall(CmdDo(run, deck, "compare"));
  else
    PetscCall(ScoriaSay(run,
                        "compare\n  fewer than %d rows could be spared for a verdict on the model, or are to be "
                        "(import_holdout): there is none",
                        SCORIA_HOLDOUT_LEAST));
  PetscCall(CmdDo(run, deck, "report"));
  PetscFunctionReturn(0);
}
