/* Members of a line of JSON, one after the other. */
#include "scoria/run_files.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void json_member(size_t size, char line[], const char *name, const char *format, ...)
{
  size_t used = strlen(line);
  va_list args;
  used += (size_t)snprintf(line + used, size - used, "%s\"%s\":", used ? "," : "", name);
  if (used >= size) return;
  va_start(args, format);
  vsnprintf(line + used, size - used, format, args);
  va_end(args);
}
