//! Reading and writing whole bundles.

mod arbitrary;
mod quirks;
mod round_trip;

use crate::{Bundle, Content, Files, Limits, read_files};
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};

fn bundle(files: &[(&str, &str)]) -> Bundle {
    let mut all = Files::default();
    for (path, text) in files {
        all.insert(*path, *text);
    }
    read_files(&all, "given", &Limits::default()).unwrap()
}

fn proxy(bundle: &Bundle) -> &ProxyDesign {
    match &bundle.content {
        Content::Proxy(design) => design,
        other => panic!("not a proxy: {}", other.noun()),
    }
}

fn shared_flow(bundle: &Bundle) -> &SharedFlowDesign {
    match &bundle.content {
        Content::SharedFlow(design) => design,
        other => panic!("not a shared flow: {}", other.noun()),
    }
}

/// Rule, file and line of each finding.
fn said(bundle: &Bundle) -> Vec<(&str, &str, usize)> {
    bundle.findings.iter().map(|finding| (finding.rule, finding.file.as_str(), finding.line)).collect()
}
