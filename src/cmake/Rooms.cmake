# scoria_room(NAME FOLDERS folder... ABOVE room... [LEVELS file...]): the files of some folders as one library, scoria_NAME, which is
# linked to those of the rooms below it alone.  A new file in a folder needs no edit.  LEVELS: files of it for scoria_levels.
#
# A static library may name what it lacks, so that a call upwards would go unseen where a program links all rooms: with SCORIA_TESTS
# each room is also linked as a whole into a program, scoria_NAME_alone, with the rooms below it.
function(scoria_room name)
  cmake_parse_arguments(ROOM "" "" "FOLDERS;ABOVE;LEVELS" ${ARGN})
  list(TRANSFORM ROOM_FOLDERS APPEND "/*.c" OUTPUT_VARIABLE patterns)
  list(TRANSFORM ROOM_ABOVE PREPEND scoria_ OUTPUT_VARIABLE below)
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  list(REMOVE_ITEM sources ${ROOM_LEVELS})
  add_library(scoria_${name} STATIC ${sources})
  if(ROOM_LEVELS)
    scoria_levels(scoria_${name} ${ROOM_LEVELS})
  endif()
  add_dependencies(scoria_${name} scoria_revision)
  target_include_directories(scoria_${name} PUBLIC include src ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(scoria_${name} PUBLIC ${below} scoria_dependencies scoria_native)
  target_link_libraries(scoria_${name} PRIVATE scoria_warnings)
  if(SCORIA_TESTS)
    set(alone scoria_${name}_alone)
    add_executable(${alone} ${PROJECT_SOURCE_DIR}/src/cmake/alone.c)
    target_link_libraries(${alone} PRIVATE -Wl,--whole-archive $<TARGET_FILE:scoria_${name}> -Wl,--no-whole-archive ${below}
                                           scoria_dependencies scoria_native)
    add_dependencies(${alone} scoria_${name})
    set_target_properties(${alone} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/rooms)
  endif()
endfunction()
