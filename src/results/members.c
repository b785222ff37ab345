/* Structs as JSON objects, by tables of their members. */
#include "scoria/results.h"
#include <math.h>
#include <string.h>

static void add_one(cJSON *object, const ScoriaMember *m, const char *at)
{
  double real;
  int64_t count;
  const char *text;
  switch (m->kind) {
  case SCORIA_MEMBER_REAL:
    memcpy(&real, at, sizeof real);
    cJSON_AddItemToObject(object, m->name, isfinite(real) ? cJSON_CreateNumber(real) : cJSON_CreateNull());
    break;
  case SCORIA_MEMBER_COUNT:
    memcpy(&count, at, sizeof count);
    cJSON_AddNumberToObject(object, m->name, (double)count);
    break;
  case SCORIA_MEMBER_FLAG:
    memcpy(&count, at, sizeof count);
    cJSON_AddBoolToObject(object, m->name, count == 1);
    break;
  case SCORIA_MEMBER_TEXT:
    memcpy(&text, at, sizeof text);
    cJSON_AddStringToObject(object, m->name, text);
    break;
  }
}

void members_add(cJSON *object, const ScoriaMember table[], const void *from)
{
  for (const ScoriaMember *m = table; m->name; m++) add_one(object, m, (const char *)from + m->offset);
}

static void take_one(const cJSON *item, const ScoriaMember *m, char *at)
{
  const bool number   = cJSON_IsNumber(item);
  const double real   = number ? item->valuedouble : NAN;
  const int64_t count = number ? (int64_t)item->valuedouble : -1;
  const int64_t flag  = cJSON_IsBool(item) ? cJSON_IsTrue(item) : -1;
  const char *text    = cJSON_GetStringValue(item);
  switch (m->kind) {
  case SCORIA_MEMBER_REAL:
    memcpy(at, &real, sizeof real);
    break;
  case SCORIA_MEMBER_COUNT:
    memcpy(at, &count, sizeof count);
    break;
  case SCORIA_MEMBER_FLAG:
    memcpy(at, &flag, sizeof flag);
    break;
  case SCORIA_MEMBER_TEXT:
    memcpy(at, &text, sizeof text);
    break;
  }
}

const char *member_name(const ScoriaMember table[], size_t offset)
{
  const ScoriaMember *m = table;
  while (m->name && m->offset != offset) m++;
  return m->name;
}

void members_take(const cJSON *object, const ScoriaMember table[], void *to)
{
  for (const ScoriaMember *m = table; m->name; m++)
    take_one(cJSON_GetObjectItemCaseSensitive(object, m->name), m, (char *)to + m->offset);
}
