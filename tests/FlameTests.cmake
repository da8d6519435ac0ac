# SPDX-License-Identifier: Apache-2.0
# fl_criterion_tests(FOLDER-NAME LINKS lib ...): every test_*.c here is one Criterion program that
# links all modules of the core.
function(fl_criterion_tests group)
    cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
    if(NOT CRITERION_FOUND)
        message(WARNING "criterion is missing: the tests in ${group} are left out")
        return()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS test_*.c)
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        add_executable(${group}-${name} ${source})
        target_compile_options(${group}-${name} PRIVATE -Wno-missing-prototypes -Wno-pedantic)
        target_link_libraries(${group}-${name} PRIVATE ${arg_LINKS} ${FL_MODULE_TARGETS}
            $<TARGET_NAME_IF_EXISTS:test-support> ${CMAKE_DL_LIBS})
        if(FLAME_SANITIZE STREQUAL "thread")
            # Criterion's arena and TSan's address layout exclude each other.
            target_include_directories(${group}-${name} BEFORE PRIVATE
                ${PROJECT_SOURCE_DIR}/tests/support/inprocess)
            target_compile_options(${group}-${name} PRIVATE -std=gnu11)
        else()
            target_link_libraries(${group}-${name} PRIVATE PkgConfig::CRITERION)
        endif()
        target_compile_definitions(${group}-${name} PRIVATE
            FLAME_SOURCE_DIR="${PROJECT_SOURCE_DIR}" FLAME_BINARY_DIR="${PROJECT_BINARY_DIR}"
            FLAME_TEST_PLUGIN_DIR="${FLAME_PLUGIN_OUTPUT_DIRECTORY}")
        add_test(NAME ${group}.${name} COMMAND ${group}-${name})
        fl_test_environment(${group}.${name})
        # A test's process reports its leaks when it has passed: Criterion does not hear of them.
        set_tests_properties(${group}.${name} PROPERTIES LABELS threads
            FAIL_REGULAR_EXPRESSION "ERROR: LeakSanitizer")
    endforeach()
endfunction()

# fl_python_tests(FOLDER-NAME): every test_*.py here is one pytest run over the built programs.
function(fl_python_tests group)
    file(GLOB sources CONFIGURE_DEPENDS test_*.py)
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        add_test(NAME ${group}.${name}
            COMMAND /usr/bin/python3 -m pytest -q -p no:cacheprovider -rs ${source})
        fl_test_environment(${group}.${name})
    endforeach()
endfunction()

function(fl_test_environment test)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
        "FLAME_SOURCE_DIR=${PROJECT_SOURCE_DIR}" "FLAME_BINARY_DIR=${PROJECT_BINARY_DIR}"
        "FLAME_SANITIZE=${FLAME_SANITIZE}" "PYTHONDONTWRITEBYTECODE=1"
        "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests"
        "TSAN_OPTIONS=ignore_noninstrumented_modules=1:second_deadlock_stack=1")
    set_tests_properties(${test} PROPERTIES TIMEOUT 300)
endfunction()

# fl_label_tests(LABEL test ...): packaging/check.sh goes by the labels.
#   timing   some of what they promise is in milliseconds or seconds, which a busy machine can miss
#            once: these are run once more, and no others
#   plain    left out of the sanitized builds
#   threads  what the race detector runs
# A name that no test has is an error, unless Criterion is missing and the test with it.
function(fl_label_tests label)
    foreach(test IN LISTS ARGN)
        if(TEST ${test})
            set_property(TEST ${test} APPEND PROPERTY LABELS ${label})
            continue()
        endif()
        string(REGEX REPLACE "^.*\\." "" name ${test})
        if(CRITERION_FOUND OR NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
            message(FATAL_ERROR "'${test}' shall be labelled '${label}', but is no test here")
        endif()
    endforeach()
endfunction()

# fl_long_tests(SECONDS test ...): about so long each takes. ctest begins with the longest, so that no
# processor has nothing to do at the end but wait for one.
function(fl_long_tests seconds)
    foreach(test IN LISTS ARGN)
        if(TEST ${test})
            set_tests_properties(${test} PROPERTIES COST ${seconds})
        endif()
    endforeach()
endfunction()
