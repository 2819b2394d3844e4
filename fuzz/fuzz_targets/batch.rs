#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pierhead_management::fuzzing::batch(bytes));
