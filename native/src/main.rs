//! The `histomask` program; see [`histomask::cli`].

/// Tensors of a step are allocated and freed by the hundred megabytes; the system's allocator gives each back to the
/// kernel, which a third of a training step's time then goes to.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    std::process::exit(histomask::cli::run(std::env::args_os()));
}
