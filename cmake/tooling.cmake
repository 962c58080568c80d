# ccache and mold where they are installed: the edit loop is a matter of seconds with them, minutes without.
find_program(CVP_CCACHE ccache)
if(CVP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CVP_CCACHE})
endif()
find_program(CVP_MOLD mold)
if(CVP_MOLD)
    add_link_options(-fuse-ld=mold)
endif()
