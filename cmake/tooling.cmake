# ccache and mold where they are installed: the edit loop is a matter of seconds with them, minutes without.
find_program(CVP_CCACHE ccache)
if(CVP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CVP_CCACHE})
endif()
find_program(CVP_MOLD mold)
if(CVP_MOLD)
    # Without the plugin for all but a program that asks for it: mold 1.10 fails on some links with it.
    add_link_options(-fuse-ld=mold $<$<CXX_COMPILER_ID:GNU>:-fno-use-linker-plugin>)
endif()
