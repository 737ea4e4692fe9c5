#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "the others have programs of their own")]
mod targets;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| targets::redirect(octets));
