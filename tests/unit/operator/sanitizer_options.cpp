// What libcpprest leaves at exit is not ours: its static thread pool is torn down with OpenSSL's per-thread error state
// and cancelled calls still in it. Whole stacks are needed to tell those allocations, because libcrypto is built
// without frame pointers.

extern "C" {

const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
    return "fast_unwind_on_malloc=0";
}

const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
    return "leak:libcpprest.so\n";
}

// libcpprest itself is built without TSan, so what its shared_ptrs order between its threads and ours is not seen.
const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
    return "race:web::http::client::details::asio_context\n";
}

}  // extern "C"
