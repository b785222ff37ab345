# Run by every build: writes the header with version and revision of the sources, which may have changed since the last
# configuration, and leaves it alone where it says so already.
#   cmake -DSOURCE=... -DHEADER=... -DVERSION=... -DBUILD_TYPE=... -P Revision.cmake
set(SCORIA_GIT_REVISION unknown)
# In an archive made by git this file names its commit; it may lie inside a repository of somebody else's.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/revision.txt archived LIMIT_COUNT 1)
if(NOT archived MATCHES "Format")
  set(SCORIA_GIT_REVISION ${archived})
else()
  find_package(Git QUIET)
  if(GIT_FOUND)
    # The path from the top of the repository: empty where the repository is that of these sources.
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --show-prefix WORKING_DIRECTORY ${SOURCE}
                    OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND prefix STREQUAL "")
      execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty WORKING_DIRECTORY ${SOURCE}
                      OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
      if(NOT failed)
        set(SCORIA_GIT_REVISION ${revision})
      endif()
    endif()
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${HEADER} @ONLY)
