//! The `file` driver: one directory of this machine, spoken to like a vendor.
//!
//! Requests name an item by their path and what to do by their method: `STAT`, `LIST`, `GET`, `PUT`,
//! `MKDIR`, `MOVE`, `COPY`, `DELETE`, `SPACE`. Answers are JSON, bytes for `GET`, errors `{"message"}`.
//!
//! Invariants: every path is walked from the root's descriptor one component at a time and no symbolic link
//! is ever followed, so nothing outside of the directory can be reached, whatever changes meanwhile; what
//! is being written has a hidden name until it is whole.

mod answer;
mod entry;
mod read;
mod tree;
mod walk;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use pierhead_domain::{EpochMillis, SharedRng};
use serde_json::{Value, json};

use self::answer::{Fault, reply};
use self::walk::{ItemPath, Jail};
use super::OutboundProblem;
use crate::engine::Body;

/// Serves requests from a directory.
pub(crate) struct FileDriver<'e> {
    /// Directories that no root may be, contain or lie in.
    pub(crate) forbidden: &'e [PathBuf],
    pub(crate) rng: &'e SharedRng,
    pub(crate) now: EpochMillis,
}

impl FileDriver<'_> {
    /// Answers one request on the directory `root`.
    pub(crate) async fn send(
        &self,
        root: &str,
        request: Request<Body>,
    ) -> Result<Response<Body>, OutboundProblem> {
        // The URI is the root followed by the item's path; only the latter is percent-encoded.
        Ok(self.answer(root, request).await.unwrap_or_else(|fault| fault.response()))
    }

    async fn answer(&self, root: &str, request: Request<Body>) -> Result<Response<Body>, Fault> {
        let (head, body) = request.into_parts();
        let path = ItemPath::parse(head.uri.path())?;
        let query: Vec<(String, String)> =
            form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let query = Query(query);
        let root = Root { path: root.to_owned(), forbidden: self.forbidden.to_vec() };
        match head.method {
            Method::GET => return read::file(root, path, &head.headers).await,
            Method::PUT => {
                return write::file(root, path, query.flag("overwrite"), temporary(self.rng), body).await;
            }
            _ => {}
        }
        let (rng, now) = (Arc::clone(self.rng), self.now);
        let work = move || -> Result<Value, Fault> {
            let jail = root.open()?;
            match head.method.as_str() {
                "STAT" => entry::stat(&jail, &path),
                "LIST" => entry::list(&jail, &path, query.number("offset"), query.number("limit"), now),
                "SPACE" => entry::space(&jail),
                "MKDIR" => tree::make(&jail, &path),
                "MOVE" => {
                    tree::rename(&jail, &path, &query.target()?, query.flag("overwrite"), &temporary(&rng))
                }
                "COPY" => {
                    tree::copy(&jail, &path, &query.target()?, query.flag("overwrite"), &temporary(&rng))
                }
                "DELETE" => tree::remove(&jail, &path, &temporary(&rng)).map(|()| json!({})),
                _ => Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "the file driver has no such method")),
            }
        };
        let done = tokio::task::spawn_blocking(work).await;
        let value =
            done.map_err(|_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the work was given up"))??;
        Ok(reply(&value))
    }
}

/// A hidden name nobody else uses.
fn temporary(rng: &SharedRng) -> String {
    let mut random = [0u8; 12];
    rng.fill(&mut random);
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{digits}.part", walk::HIDDEN)
}

/// The directory of an instance, not yet looked at: only threads that may block do that.
struct Root {
    path: String,
    forbidden: Vec<PathBuf>,
}

impl Root {
    /// Opens it, if it may be served at all.
    fn open(&self) -> Result<Jail, Fault> {
        refuse_directory(Path::new(&self.path), &self.forbidden)
            .map_err(|rule| Fault::new(StatusCode::FORBIDDEN, rule))?;
        Jail::open(&self.path)
    }
}

struct Query(Vec<(String, String)>);

impl Query {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    fn target(&self) -> Result<ItemPath, Fault> {
        let to =
            self.get("to").ok_or_else(|| Fault::new(StatusCode::BAD_REQUEST, "to: the target is missing"))?;
        ItemPath::of_decoded(to)
    }
}

/// Says why `root` may not be served: it is no absolute path of a directory, or it is, contains or lies in a
/// forbidden directory. Links in either are resolved first.
pub fn refuse_directory(root: &Path, forbidden: &[PathBuf]) -> Result<(), &'static str> {
    if !root.is_absolute() {
        return Err("root.path: must be an absolute path");
    }
    let real = root.canonicalize().map_err(|_| "root.path: there is no such directory")?;
    if !real.is_dir() {
        return Err("root.path: is not a directory");
    }
    for private in forbidden {
        let private = private.canonicalize().unwrap_or_else(|_| private.clone());
        if real.starts_with(&private) || private.starts_with(&real) {
            return Err("root.path: may not be, contain or lie in the data directory");
        }
    }
    Ok(())
}
