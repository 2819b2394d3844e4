//! What fuzzers feed (`fuzz/`), and the test that feeds the same with the seeds: bytes in, no panic, and what
//! must hold for any bytes.

/// An upload as a multipart form whose boundary is `b`: the file and the fields before it come out alike
/// however the bytes arrive. The first byte says in what pieces.
pub fn form(bytes: &[u8]) {
    crate::engine::fuzz_form(bytes);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_seed_of_the_fuzzers_passes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/form");
        let files = std::fs::read_dir(seeds).unwrap();
        let fed = files.map(|file| super::form(&std::fs::read(file.unwrap().path()).unwrap())).count();
        assert!(fed > 0);
    }
}
