// The one place where Asio's and Beast's non-template code is compiled (BOOST_*_SEPARATE_COMPILATION,
// cmake/flags.cmake).
//
// libcpprest calls asio_handler_allocate, and in the operator the dynamic linker hands it the one that is compiled
// here: with BOOST_ASIO_NO_DEPRECATED it would return nothing where libcpprest takes memory, so that macro stays off.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
