#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| histomask_tests::fuzz::shapes(file));
