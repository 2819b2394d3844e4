//! Matching the elements inside an element with what its type says.
//!
//! A schema must say of every element at once which of its particles it belongs to (part 1, "Unique Particle
//! Attribution"): so the first particle that an element may begin is the one it belongs to, and nothing is tried
//! twice.

use super::Schema;
use super::model::{Particle, Process, Term};
use crate::document::Node;

/// What an element was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Declared(usize),
    Wild(Process),
}

/// Elements, and what those looked at so far were found to be.
pub(super) struct Matching<'s, 'd> {
    pub(super) schema: &'s Schema,
    pub(super) elements: &'s [Node<'d>],
    pub(super) found: Vec<Found>,
}

impl Matching<'_, '_> {
    fn next(&self) -> Option<Node<'_>> {
        self.elements.get(self.found.len()).copied()
    }

    /// Takes as many elements as the particle wants.
    pub(super) fn particle(&mut self, particle: &Particle) -> Result<(), String> {
        let mut count = 0;
        while particle.most.is_none_or(|most| count < most) {
            let Some(next) = self.next() else { break };
            if !self.may_begin(&particle.term, next) {
                break;
            }
            let before = self.found.len();
            self.term(&particle.term)?;
            count += 1;
            if self.found.len() == before {
                break;
            }
        }
        if count < particle.least && !self.may_be_empty(&particle.term) {
            return Err(format!("{} is missing", self.expected(&particle.term)));
        }
        Ok(())
    }

    fn term(&mut self, term: &Term) -> Result<(), String> {
        match term {
            Term::Element(_) | Term::Any(_) => {
                if let Some(found) = self.next().and_then(|next| self.identify(term, next)) {
                    self.found.push(found);
                }
                Ok(())
            }
            Term::Sequence(particles) => particles.iter().try_for_each(|particle| self.particle(particle)),
            Term::Choice(particles) => {
                let chosen = self
                    .next()
                    .and_then(|next| particles.iter().find(|particle| self.may_begin(&particle.term, next)));
                match chosen {
                    Some(particle) => self.particle(particle),
                    None => Ok(()),
                }
            }
            Term::All(particles) => {
                let mut seen = vec![false; particles.len()];
                while let Some(next) = self.next() {
                    let at = particles
                        .iter()
                        .zip(&seen)
                        .position(|(p, seen)| !seen && self.may_begin(&p.term, next));
                    let Some(at) = at else { break };
                    seen[at] = true;
                    self.term(&particles[at].term)?;
                }
                match particles.iter().zip(seen).find(|(particle, seen)| !seen && particle.least > 0) {
                    Some((missing, _)) => Err(format!("{} is missing", self.expected(&missing.term))),
                    None => Ok(()),
                }
            }
        }
    }

    fn identify(&self, term: &Term, node: Node<'_>) -> Option<Found> {
        match term {
            Term::Element(index) => self.schema.element_for(*index, node).map(Found::Declared),
            Term::Any(wildcard) => wildcard.allows(node.namespace()).then_some(Found::Wild(wildcard.process)),
            _ => None,
        }
    }

    /// Whether an element may be the first of what the term takes.
    fn may_begin(&self, term: &Term, node: Node<'_>) -> bool {
        match term {
            Term::Element(_) | Term::Any(_) => self.identify(term, node).is_some(),
            Term::Choice(particles) | Term::All(particles) => {
                particles.iter().any(|particle| self.may_begin(&particle.term, node))
            }
            Term::Sequence(particles) => {
                for particle in particles {
                    if self.may_begin(&particle.term, node) {
                        return true;
                    }
                    if particle.least > 0 && !self.may_be_empty(&particle.term) {
                        return false;
                    }
                }
                false
            }
        }
    }

    fn may_be_empty(&self, term: &Term) -> bool {
        let empty = |particle: &Particle| particle.least == 0 || self.may_be_empty(&particle.term);
        match term {
            Term::Element(_) | Term::Any(_) => false,
            Term::Sequence(particles) | Term::All(particles) => particles.iter().all(empty),
            Term::Choice(particles) => particles.is_empty() || particles.iter().any(empty),
        }
    }

    /// What might stand first, for people.
    fn expected(&self, term: &Term) -> String {
        match term {
            Term::Element(index) => format!("element {}", self.schema.elements[*index].name.local),
            Term::Any(_) => "an element".to_owned(),
            Term::Sequence(particles) => match particles.first() {
                Some(first) => self.expected(&first.term),
                None => "nothing".to_owned(),
            },
            Term::Choice(particles) | Term::All(particles) => {
                let first: Vec<_> =
                    particles.iter().take(5).map(|particle| self.expected(&particle.term)).collect();
                first.join(" or ")
            }
        }
    }
}

impl Schema {
    /// The declaration a node has where the element `index` may stand: that one, or one that may stand for it.
    fn element_for(&self, index: usize, node: Node<'_>) -> Option<usize> {
        let element = &self.elements[index];
        if node.is_named(&element.name.uri, &element.name.local) {
            return Some(index);
        }
        // Only global elements have others that stand for them.
        if self.globals.get(&element.name) != Some(&index) || element.blocks.substitution {
            return None;
        }
        let candidates = self.substitutes.get(&element.name)?.iter().copied();
        candidates.into_iter().find(|candidate| {
            let name = &self.elements[*candidate].name;
            node.is_named(&name.uri, &name.local)
                && !self.is_blocked(self.elements[*candidate].kind, element.kind, element.blocks)
        })
    }
}
