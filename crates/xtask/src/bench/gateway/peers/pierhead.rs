//! Ours: `pierhead run`, the whole program with one bundle.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Seat;
use crate::bench::gateway::ground::{Ground, KEYS};
use crate::run::Running;

pub(super) fn start(seat: &Seat<'_>, program: &Path) -> anyhow::Result<Running> {
    write_bundle(seat)?;
    let mut settings = String::from("[[map]]\nname = \"settings\"\nentries = { region = \"eu\" }\n");
    for index in 0..if seat.work.checks_keys() { KEYS } else { 0 } {
        settings.push_str(&format!("[[app]]\nname = \"app-{index}\"\nkey = \"key-{index}\"\n"));
    }
    let settings = seat.file("settings.toml", &settings)?;
    let mut run = Command::new(program);
    run.arg("run").arg(seat.folder.join("bundle")).arg("--settings").arg(settings);
    run.args(["--listen", &format!("127.0.0.1:{}", seat.port), "--json"]);
    if !seat.work.logs() {
        run.arg("--quiet");
    }
    Running::start(run.stdout(seat.log_file()?).stderr(Stdio::null()))
}

/// A proxy in Apigee's layout of the case's policies.
fn write_bundle(seat: &Seat<'_>) -> anyhow::Result<()> {
    let (source, root) = (Ground::bundle(), seat.folder.join("bundle/apiproxy"));
    for folder in ["proxies", "targets", "policies", "resources/jsc"] {
        std::fs::create_dir_all(root.join(folder))?;
    }
    let (request, response) = seat.work.policies();
    for name in request.iter().chain(response) {
        let text = std::fs::read_to_string(source.join(format!("policies/{name}.xml")))?;
        let text = text.replace("{{public key}}", seat.ground.public_key.trim());
        std::fs::write(root.join(format!("policies/{name}.xml")), text)?;
    }
    if response.contains(&"Transform") {
        std::fs::copy(source.join("scripts/transform.js"), root.join("resources/jsc/transform.js"))?;
    }
    let steps = |names: &[&str]| -> String {
        names.iter().map(|name| format!("<Step><Name>{name}</Name></Step>")).collect()
    };
    std::fs::write(root.join("bench.xml"), "<APIProxy name=\"bench\"/>")?;
    std::fs::write(
        root.join("proxies/default.xml"),
        format!(
            "<ProxyEndpoint name=\"default\"><PreFlow><Request>{}</Request><Response>{}</Response></PreFlow>\
             <HTTPProxyConnection><BasePath>/</BasePath></HTTPProxyConnection>\
             <RouteRule name=\"target\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
            steps(request),
            steps(response)
        ),
    )?;
    std::fs::write(
        root.join("targets/default.xml"),
        format!(
            "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>http://127.0.0.1:{}</URL>\
             </HTTPTargetConnection></TargetEndpoint>",
            seat.upstream
        ),
    )?;
    Ok(())
}
