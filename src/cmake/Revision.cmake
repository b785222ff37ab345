# Run by every build: writes the header with the revision of the sources, which may have changed since the last
# configuration, and leaves it alone where it says so already.
#   cmake -DSOURCE=... -DHEADER=... -DBUILD_TYPE=... -P Revision.cmake
find_package(Git QUIET)
set(SCORIA_GIT_REVISION unknown)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty WORKING_DIRECTORY ${SOURCE}
                  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(SCORIA_GIT_REVISION ${revision})
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${HEADER} @ONLY)
