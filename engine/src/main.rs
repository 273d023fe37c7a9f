//! The `aiotest-engine` binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    refuse_huge_pages();
    outlive_large_files();
    aiotest_engine::cli::main()
}

/// A user's memory is a few small pieces here and there. Huge pages would make two
/// megabytes of each place that is touched: a fifth more memory a user, for no speed.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "there is no safe call for it among our dependencies"
)]
fn refuse_huge_pages() {
    // SAFETY: sets a flag of this process and touches no memory. If the kernel does not
    // know the flag, nothing changes.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

#[cfg(not(target_os = "linux"))]
fn refuse_huge_pages() {}

/// A file above the limit of file sizes (`ulimit -f`) is an error to tell, not the end of a
/// run and of all its results.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "there is no safe call for it among our dependencies"
)]
fn outlive_large_files() {
    // SAFETY: sets how this process takes a signal, before it has other threads, and touches
    // no memory.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

#[cfg(not(unix))]
fn outlive_large_files() {}
