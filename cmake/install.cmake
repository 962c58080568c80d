# cmake --install: programs, the systemd unit with the programs' path in it, documentation. Each is a component:
# `cmake --install build/release --component proxy` installs no operator.
set(CMAKE_INSTALL_DOCDIR share/doc/cloud-valkey-proxy CACHE PATH "Where documentation goes, below the prefix")
include(GNUInstallDirs)
set(CVP_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd units go, below the prefix")

install(TARGETS cloud-valkey-proxy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT proxy)
install(TARGETS cloud-valkey-operator RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT operator)
install(TARGETS kubectl-cloudvalkey RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT plugin)

# The proxy as a library, <cvp/proxy.hpp>: find_package(cloud-valkey-proxy) and cvp::proxy.
include(CMakePackageConfigHelpers)
set(CVP_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cloud-valkey-proxy)
configure_package_config_file(cmake/cloud-valkey-proxy-config.cmake.in cloud-valkey-proxy-config.cmake
    INSTALL_DESTINATION ${CVP_PACKAGE_DIR} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(cloud-valkey-proxy-config-version.cmake COMPATIBILITY SameMinorVersion)
install(TARGETS cvp_proxy cvp_common ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(FILES proxy/embedded.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cvp RENAME proxy.hpp COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/cloud-valkey-proxy-config.cmake
    ${PROJECT_BINARY_DIR}/cloud-valkey-proxy-config-version.cmake
    DESTINATION ${CVP_PACKAGE_DIR} COMPONENT library)

# An image's build stage has the sources alone.
if(EXISTS ${PROJECT_SOURCE_DIR}/packaging)
    set(CVP_BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
    set(CVP_DOCDIR ${CMAKE_INSTALL_FULL_DOCDIR})
    configure_file(packaging/systemd/cloud-valkey-proxy@.service packaging/cloud-valkey-proxy@.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/packaging/cloud-valkey-proxy@.service
        DESTINATION ${CVP_UNIT_DIR} COMPONENT proxy)
    install(FILES README.md LICENSE docs/vm.md docs/differences.md docs/metrics.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT proxy)
endif()
