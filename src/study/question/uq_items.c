/* Items of a list of the deck, and the quantities that they add to a question. */
#include "question.h"
#include <string.h>

PetscErrorCode UqReadItems(ScoriaDeck deck, UqQuestion *q, const char *key, UqTakeItem take)
{
  char name[32], item[UQ_ITEM];
  const char *list = NULL;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "uq_%s", key));
  PetscCall(ScoriaDeckString(deck, name, &list));
  while (list_next_text(&list, sizeof item, item)) {
    if (strlen(item) + 1 >= sizeof item) /* it may have been cut */
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%.60s...\" is too long, at most %d characters", key, item, UQ_ITEM - 2);
    if (!text_brackets(item)) SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: \"%s\": its brackets do not match", key, item);
    PetscCall(take(q, item));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UqAddQuantity(UqQuestion *q, const ScoriaQuantity *quantity, int *index)
{
  PetscFunctionBeginUser;
  if (q->nquantities == UQ_MAX_QUANTITIES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: \"%s\" is one too many: at most %d quantities", quantity->name,
                UQ_MAX_QUANTITIES);
  *index               = q->nquantities++;
  q->quantity[*index]  = *quantity;
  q->condition[*index] = -1;
  PetscFunctionReturn(0);
}

const char *uq_group_name(const char *quantity, size_t size, char group[])
{
  snprintf(group, size, "%s", quantity);
  for (char *at = group; *at; at++)
    if (*at == '/') *at = ':';
  return group;
}
