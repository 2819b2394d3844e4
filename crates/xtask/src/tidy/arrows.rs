//! Which room may use which (ARCHITECTURE.md, "The house"), read from `cargo metadata`.

use std::process::Command;

use serde::Deserialize;

use crate::run::output;

/// Each room and the rooms it may name. What is absent is the invariant.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("vault", &["domain"]),
    ("store", &["domain"]),
    ("egress", &["domain"]),
    ("script", &["domain"]),
    ("web", &["domain", "vault"]),
    ("xml", &["domain"]),
    ("gateway", &["domain", "vault", "egress", "script", "xml"]),
    ("bundle", &["domain", "gateway"]),
    ("management", &["domain", "vault", "store", "web", "egress", "script", "xml", "gateway", "bundle"]),
    ("connectors", &["domain", "vault", "store", "web", "egress", "script", "xml"]),
    ("identity", &["domain", "vault", "store", "web", "egress"]),
    ("console", &["domain", "vault", "web"]),
    ("sandbox", &["domain"]),
];

/// Libraries that only the named rooms may use.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sea-orm", &["store"]),
    ("sea-orm-migration", &["store"]),
    ("chacha20poly1305", &["vault"]),
    ("argon2", &["vault"]),
    ("askama", &["console"]),
];

/// No room may bring these in, not even through another library: one TLS stack.
const NEVER: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-sys"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let text = output(Command::new("cargo").args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Metadata = serde_json::from_str(&text)?;
    let mut breaks = Vec::new();
    for package in &metadata.packages {
        if NEVER.contains(&package.name.as_str()) {
            breaks.push(format!(
                "{} is in the dependency tree; rustls with ring is the one TLS stack",
                package.name
            ));
        }
        if package.source.is_some() {
            continue;
        }
        let room = room(&package.name);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.is_none()) {
            breaks.extend(arrow(room, &dependency.name));
        }
    }
    Ok(breaks)
}

fn room(package: &str) -> &str {
    package.strip_prefix("pierhead-").unwrap_or(package)
}

fn arrow(from: &str, dependency: &str) -> Option<String> {
    if let Some((_, rooms)) = ONLY_IN.iter().find(|(library, _)| *library == dependency) {
        return (!rooms.contains(&from))
            .then(|| format!("{from} uses {dependency}; only {} may", rooms.join(", ")));
    }
    let to = dependency.strip_prefix("pierhead-")?;
    let (_, allowed) = ARROWS.iter().find(|(room, _)| *room == from)?;
    (!allowed.contains(&to)).then(|| format!("{from} may not use {to}: the arrow is not in the architecture"))
}

#[cfg(test)]
mod tests {
    use super::arrow;

    #[test]
    fn an_arrow_that_the_architecture_lacks_is_found() {
        assert!(arrow("gateway", "pierhead-store").is_some());
        assert!(arrow("connectors", "sea-orm").is_some());
        assert_eq!(arrow("management", "pierhead-gateway"), None);
        assert_eq!(arrow("pierhead", "pierhead-store"), None);
    }
}
