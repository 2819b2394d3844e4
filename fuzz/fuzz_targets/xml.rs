#![no_main]

use pierhead_xml::{Document, Limits};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::parse_bytes(bytes, &Limits::default()) {
        assert!(document.element().is_some());
    }
});
