/* Deck keys of this room. */
#include "scoria/base.h"
#include "rundir.h"

const ScoriaKey scoria_base_keys[] = {
    {"run_dir", SCORIA_KEY_STRING, "", "runs/scoria", 0, 0, NULL, "directory of everything a run writes",
     SCORIA_DECIDES_NOTHING},
    {"run_seed", SCORIA_KEY_INT, "", "1", 0, 9007199254740992.0, NULL,
     "seed of every random number: porosity, conditions, weights, noise", SCORIA_DECIDES_SEED},
    {"run_shard", SCORIA_KEY_INTS, "", NULL, 1, 1e9, NULL,
     "generate only part i of n, [i, n], in run_dir/shard-i-of-n; merge makes one dataset of the parts",
     SCORIA_DECIDES_NOTHING},
    {"run_max_hours", SCORIA_KEY_REAL, "h", "0", 0, 1e5, NULL,
     "stop in good order after this time, with exit code 75; 0: no limit", SCORIA_DECIDES_NOTHING},
    {"run_wait_minutes", SCORIA_KEY_REAL, "min", "0", 0, 1e5, NULL,
     "wait so long for a job that is still at work in run_dir, then exit code 75; 0: refused at once",
     SCORIA_DECIDES_NOTHING},
    {"run_kernels", SCORIA_KEY_CHOICE, "", "best", 0, 0, SCORIA_WORDS("best base v3 v4"),
     "instructions of the network's loops: those of any processor of this kind, AVX2 (v3), AVX-512 (v4)",
     SCORIA_DECIDES_NOTHING},
    {"run_checkpoint_minutes", SCORIA_KEY_REAL, "min", "5", 0, 1e5, NULL, "time between two checkpoints of a command",
     SCORIA_DECIDES_NOTHING},
    {"run_memory", SCORIA_KEY_REAL, "GB", "2", 0, 1e6, NULL,
     "memory of a rank for rows that train would otherwise read again in each of its passes; results do not depend on "
     "it, but what must be held of whole fields and needs more is refused",
     SCORIA_DECIDES_NOTHING},
    {"strict", SCORIA_KEY_BOOL, "", "false", 0, 0, NULL,
     "refuse what is otherwise a warning, such as a condition outside the training range", SCORIA_DECIDES_NOTHING},
    {"petsc_options", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "options for PETSc's solvers, '-ksp_rtol 1e-9'; all that are given, here, in the section petsc, on the command "
     "line, in PETSC_OPTIONS or .petscrc, are kept here",
     SCORIA_DECIDES_ROWS},
    {.name = NULL},
};
