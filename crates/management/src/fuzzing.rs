//! What fuzzers feed (`fuzz/`), and the test that feeds the same with the seeds: bytes in, no panic, and what
//! must hold for any bytes.

use crate::odata;
use crate::sets::SCHEMA;

/// A path in the first line, a query in the second, both as in a URI: what parses gives a next page that
/// parses.
pub fn odata(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, query) = text.split_once('\n').unwrap_or((text, ""));
    odata::fuzz_uri(&SCHEMA, path, query);
}

/// The body of a `$batch` whose boundary is `b`.
pub fn batch(bytes: &[u8]) {
    odata::fuzz_batch(bytes);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_seed_of_the_fuzzers_passes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        for (target, feed) in [("odata", super::odata as fn(&[u8])), ("batch", super::batch)] {
            let files = std::fs::read_dir(seeds.join(target)).unwrap();
            let fed = files.map(|file| feed(&std::fs::read(file.unwrap().path()).unwrap())).count();
            assert!(fed > 0, "no seed of {target}");
        }
    }
}
