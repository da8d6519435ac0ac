# SPDX-License-Identifier: Apache-2.0
# How everything here is compiled, and the three kinds of thing that are built: modules of the core,
# plugins, tests.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle>=3.7)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    -Wformat=2 -Wwrite-strings -Wpointer-arith -Wcast-qual
    -Wimplicit-fallthrough -fno-common -fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(FLAME_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
elseif(FLAME_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
endif()

if(FLAME_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# fl_module(NAME SOURCES a.c ... USES other-module ...): one folder of core/src. USES are the arrows
# of docs/architecture.md; tests/abi/check_arrows.py holds the #include lines against them.
function(fl_module name)
    cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS" ${ARGN})
    add_library(fl_${name} STATIC ${arg_SOURCES})
    target_include_directories(fl_${name} PUBLIC
        ${PROJECT_SOURCE_DIR}/core/src ${PROJECT_SOURCE_DIR}/core/include
        ${PROJECT_SOURCE_DIR}/sdk/include)
    list(TRANSFORM arg_USES PREPEND fl_)
    target_link_libraries(fl_${name} PUBLIC ${arg_USES} ${arg_LINKS} Threads::Threads)
endfunction()

# fl_plugin(NAME SOURCES a.c ... LINKS lib ...): a shipped plugin, <NAME>.so. One exported symbol,
# never unloaded, nothing unresolved, nothing of its libraries visible.
function(fl_plugin name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
    add_library(plugin-${name} MODULE ${arg_SOURCES})
    target_include_directories(plugin-${name} PRIVATE ${PROJECT_SOURCE_DIR}/sdk/include)
    target_link_libraries(plugin-${name} PRIVATE ${arg_LINKS} Threads::Threads)
    target_link_options(plugin-${name} PRIVATE
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/sdk/cmake/plugin.map
        -Wl,-z,now,-z,relro,-z,nodelete,-z,noexecstack -Wl,--exclude-libs,ALL)
    if(FLAME_SANITIZE STREQUAL "")
        target_link_options(plugin-${name} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${FLAME_PLUGIN_OUTPUT_DIRECTORY})
    install(TARGETS plugin-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/flame/plugins)
endfunction()
