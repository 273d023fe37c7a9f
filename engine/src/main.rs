//! The `aiotest-engine` binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    refuse_huge_pages();
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
