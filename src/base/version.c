/* The only file that is compiled anew when the revision changes. */
#include "scoria/base.h"
#include "scoria_version.h" /* made by src/cmake/Revision.cmake */

const char *scoria_version(void)
{
  return SCORIA_VERSION;
}

const char *scoria_revision(void)
{
  return SCORIA_GIT_REVISION;
}

const char *scoria_build_type(void)
{
  return SCORIA_BUILD_TYPE;
}
