# How third-party libraries are linked: by their shared objects, except into a program that cvp_link_statically() names,
# which then needs libc alone. The proxy is such a program where it ships: a shared libcrypto, libstdc++ and the rest cost
# each sidecar megabytes of memory and milliseconds at its start. The operator is not: cpprestsdk, which exists as a
# shared object only, brings the shared libssl, and two of them in one process do not mix.
option(CVP_STATIC_PROXY "Link all but libc statically into the proxy" OFF)

set(optional libz libzstd) # what Debian 13's libcrypto.a needs, and Debian 12's does not
foreach(archive libssl libcrypto libyaml-cpp ${optional})
    find_library(CVP_ARCHIVE_${archive} ${archive}.a)
    if(CVP_STATIC_PROXY AND NOT CVP_ARCHIVE_${archive} AND NOT archive IN_LIST optional)
        message(FATAL_ERROR "CVP_STATIC_PROXY needs ${archive}.a; without it, configure with -DCVP_STATIC_PROXY=OFF")
    endif()
endforeach()

# cvp_library(NAME SHARED target… ARCHIVES name…): stands for a library's shared objects, or its archives, as the program
# wants that links it in the end.
function(cvp_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SHARED;ARCHIVES")
    add_library(${name} INTERFACE)
    foreach(target ${arg_SHARED})
        target_link_libraries(${name} INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:CVP_IS_STATIC>>>:${target}>)
    endforeach()
    foreach(archive ${arg_ARCHIVES})
        if(CVP_ARCHIVE_${archive})
            target_link_libraries(${name} INTERFACE
                $<$<BOOL:$<TARGET_PROPERTY:CVP_IS_STATIC>>:${CVP_ARCHIVE_${archive}}>)
        endif()
    endforeach()
endfunction()

cvp_library(cvp_openssl SHARED OpenSSL::SSL OpenSSL::Crypto ARCHIVES libssl libcrypto ${optional})
cvp_library(cvp_yaml SHARED yaml-cpp ARCHIVES libyaml-cpp)

# Debian has no archives of these two; their headers hold all of them. What uses them is compiled once for all programs,
# so either way goes into both. In development the shared objects are used: they compile faster.
add_library(cvp_fmt INTERFACE)
add_library(cvp_spdlog INTERFACE)
if(CVP_STATIC_PROXY)
    target_link_libraries(cvp_fmt INTERFACE fmt::fmt-header-only)
    target_compile_definitions(cvp_spdlog INTERFACE SPDLOG_FMT_EXTERNAL) # spdlog's own target brings the shared fmt
    target_link_libraries(cvp_spdlog INTERFACE cvp_fmt)
else()
    target_link_libraries(cvp_fmt INTERFACE fmt::fmt)
    target_link_libraries(cvp_spdlog INTERFACE spdlog::spdlog)
endif()

# cvp_link_statically(PROGRAM): if CVP_STATIC_PROXY says so.
function(cvp_link_statically program)
    if(CVP_STATIC_PROXY)
        set_target_properties(${program} PROPERTIES CVP_IS_STATIC ON)
        target_link_options(${program} PRIVATE -static-libgcc -static-libstdc++)
    endif()
endfunction()
