# Flags of every target of ours, on one INTERFACE target.
add_library(cvp_flags INTERFACE)
target_compile_options(cvp_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor)
target_include_directories(cvp_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(cvp_flags INTERFACE CVP_VERSION="${PROJECT_VERSION}"
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
