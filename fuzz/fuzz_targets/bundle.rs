#![no_main]

use pierhead_bundle::{Limits, read_zip};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { total_bytes: 4 << 20, file_bytes: 1 << 20, free_bytes: 1 << 20, ..Limits::default() };
    let _ = read_zip(bytes, "fuzz", &limits);
});
