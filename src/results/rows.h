/* Rows of the tables of members: a member of a struct is one of JSON under the same name. */
#ifndef SCORIA_RESULTS_ROWS_H
#define SCORIA_RESULTS_ROWS_H

#include "scoria/results.h"

#define REAL(type, member, ...)                                                                                        \
  {                                                                                                                    \
#member, SCORIA_MEMBER_REAL, offsetof(type, member), __VA_ARGS__                                                   \
  }
#define COUNT(type, member, ...)                                                                                       \
  {                                                                                                                    \
#member, SCORIA_MEMBER_COUNT, offsetof(type, member), __VA_ARGS__                                                  \
  }
#define TEXT(type, member, ...)                                                                                        \
  {                                                                                                                    \
#member, SCORIA_MEMBER_TEXT, offsetof(type, member), __VA_ARGS__                                                   \
  }
#define END                                                                                                            \
  {                                                                                                                    \
    NULL, SCORIA_MEMBER_REAL, 0, NULL, 0                                                                               \
  }
#define FLAG(type, member, ...)                                                                                        \
  {                                                                                                                    \
#member, SCORIA_MEMBER_FLAG, offsetof(type, member), __VA_ARGS__                                                   \
  }

#endif
