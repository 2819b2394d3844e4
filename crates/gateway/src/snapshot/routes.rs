//! Which proxy endpoint serves a path: longest base path wins.

use std::sync::Arc;

use super::shared_map::SharedMap;
use crate::compile::CompiledProxy;

/// A proxy endpoint that serves a base path.
#[derive(Debug, Clone)]
pub struct Route {
    /// The proxy.
    pub proxy: Arc<CompiledProxy>,
    /// Index of the endpoint in the proxy.
    pub endpoint: usize,
}

/// A trie of path segments. A lookup costs one hash per segment of the path, however many routes there are;
/// a change copies the nodes on its own way, of a crowded one a part, and shares the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteTable {
    root: Arc<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    route: Option<Route>,
    literal: SharedMap<Box<str>, Arc<Node>>,
    /// The child for `*`.
    any: Option<Arc<Node>>,
}

impl RouteTable {
    /// The route with the longest base path that `path` lies in, and how many bytes of `path` it covers.
    /// Among equally long ones the literal segment wins over `*`.
    pub(crate) fn find(&self, path: &str) -> Option<(&Route, usize)> {
        deepest(&self.root, path, 0)
    }

    /// The route of exactly this base path.
    pub(crate) fn exact(&self, base_path: &str) -> Option<&Route> {
        let mut node = &self.root;
        for segment in segments(base_path) {
            node = if segment == "*" { node.any.as_ref()? } else { node.literal.get(segment)? };
        }
        node.route.as_ref()
    }

    pub(crate) fn insert(&mut self, base_path: &str, route: Route) {
        let mut node = Arc::make_mut(&mut self.root);
        for segment in segments(base_path) {
            let child = if segment == "*" {
                node.any.get_or_insert_default()
            } else {
                node.literal.entry(segment.into())
            };
            node = Arc::make_mut(child);
        }
        node.route = Some(route);
    }

    pub(crate) fn remove(&mut self, base_path: &str) {
        let path: Vec<&str> = segments(base_path).collect();
        prune(Arc::make_mut(&mut self.root), &path);
    }
}

/// The segments of a base path; `/` has none.
fn segments(base_path: &str) -> impl Iterator<Item = &str> {
    base_path.split('/').filter(|segment| !segment.is_empty())
}

fn deepest<'t>(node: &'t Node, path: &str, at: usize) -> Option<(&'t Route, usize)> {
    let below = path.get(at..).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| {
        let end = memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
        let (segment, next) = (&rest[..end], at + 1 + end);
        let exact = node.literal.get(segment).and_then(|child| deepest(child, path, next));
        let any = match &node.any {
            Some(child) if !segment.is_empty() => deepest(child, path, next),
            _ => None,
        };
        match (exact, any) {
            (Some(exact), Some(any)) => Some(if any.1 > exact.1 { any } else { exact }),
            (exact, any) => exact.or(any),
        }
    });
    below.or_else(|| node.route.as_ref().map(|route| (route, at)))
}

/// Removes the route at `path` and the nodes that lead nowhere afterwards; says whether `node` is one.
fn prune(node: &mut Node, path: &[&str]) -> bool {
    match path.split_first() {
        None => node.route = None,
        Some((&"*", rest)) => {
            if node.any.as_mut().is_some_and(|child| prune(Arc::make_mut(child), rest)) {
                node.any = None;
            }
        }
        Some((&segment, rest)) => {
            if node.literal.get_mut(segment).is_some_and(|child| prune(Arc::make_mut(child), rest)) {
                node.literal.remove(segment);
            }
        }
    }
    node.route.is_none() && node.literal.is_empty() && node.any.is_none()
}
