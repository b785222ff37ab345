/* The numbers that draws are keyed by: the highest bits say who draws, the next the condition, the rest which of its
 * draws. */
#include "scoria/draw.h"
#include "draw_ranges.h"

#define WHO_SHIFT 61
#define RANGE(who) (uint64_t)(who) << WHO_SHIFT, ((uint64_t)(who) << WHO_SHIFT) + (((uint64_t)1 << WHO_SHIFT) - 1)

const ScoriaDrawRange scoria_draw_ranges[SCORIA_NDRAWS] = {
    [SCORIA_DRAWS_ROWS]             = {"rows", "rows of datasets and of files of samples", RANGE(SCORIA_DRAWS_ROWS)},
    [SCORIA_DRAWS_SOBOL_CONDITIONS] = {"sobol_conditions", "pairs of conditions of uq's Sobol indices",
                                       RANGE(SCORIA_DRAWS_SOBOL_CONDITIONS)},
    [SCORIA_DRAWS_UQ]               = {"uq", "samples of uq at a condition", RANGE(SCORIA_DRAWS_UQ)},
    [SCORIA_DRAWS_SOBOL]            = {"sobol", "fields of uq's Sobol indices", RANGE(SCORIA_DRAWS_SOBOL)},
    [SCORIA_DRAWS_HELDOUT]  = {"heldout", "solves of compare at a held-out condition", RANGE(SCORIA_DRAWS_HELDOUT)},
    [SCORIA_DRAWS_COMPARED] = {"compared", "samples of compare there", RANGE(SCORIA_DRAWS_COMPARED)},
    [SCORIA_DRAWS_HELDOUT_AGAIN] = {"heldout_again", "solves of its second ensemble",
                                    RANGE(SCORIA_DRAWS_HELDOUT_AGAIN)},
    [SCORIA_DRAWS_GAUSSIAN]      = {"gaussian", "draws of its conditional Gaussian", RANGE(SCORIA_DRAWS_GAUSSIAN)},
};

uint64_t draw_number(ScoriaDraws of, int64_t condition, int64_t i)
{
  return scoria_draw_ranges[of].first + (uint64_t)condition * (uint64_t)SCORIA_DRAWS_PER_CONDITION + (uint64_t)i;
}

/* The second half of a condition's numbers is cut into parts. */
uint64_t draw_part(ScoriaDraws of, int64_t condition, int part, int64_t i)
{
  const int64_t half = SCORIA_DRAWS_PER_CONDITION / 2;
  return draw_number(of, condition, half + part * (half / SCORIA_DRAWS_PARTS) + i);
}

int64_t draw_condition(uint64_t number)
{
  return (int64_t)(number % ((uint64_t)1 << WHO_SHIFT) / (uint64_t)SCORIA_DRAWS_PER_CONDITION);
}

int64_t draw_realisation(uint64_t number)
{
  return (int64_t)(number % (uint64_t)SCORIA_DRAWS_PER_CONDITION);
}
