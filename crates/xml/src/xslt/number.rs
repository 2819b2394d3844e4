//! `xsl:number` (XSLT 1.0, 7.7).

use super::avt::Avt;
use super::format::NumberFormat;
use super::instruction::Matching;
use super::run::Run;
use super::{Select, TransformError};
use crate::document::{Node, NodeKind};
use crate::xpath::{Focus, XPathError};

#[derive(Debug)]
pub(super) struct Numbering {
    pub(super) level: Level,
    pub(super) count: Option<Matching>,
    pub(super) from: Option<Matching>,
    pub(super) value: Option<Select>,
    pub(super) format: Avt,
    pub(super) grouping_separator: Option<Avt>,
    pub(super) grouping_size: Option<Avt>,
    pub(super) line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Single,
    Multiple,
    Any,
}

impl<'d> Run<'_, 'd> {
    pub(super) fn number(&self, numbering: &Numbering, focus: &Focus<'d>) -> Result<String, TransformError> {
        let numbers = match &numbering.value {
            Some(value) => {
                let number = self.value(value, focus)?.to_number();
                let number = (number + 0.5).floor();
                if number.is_nan() || number < 0.0 || number.is_infinite() {
                    return Ok(crate::xpath::write_number(number));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked; a cast saturates"
                )]
                let number = number as u64;
                vec![number]
            }
            None => self.places(numbering, focus.node).map_err(|error| self.failed(numbering.line, error))?,
        };
        let mut format = NumberFormat::new(&self.avt(&numbering.format, focus)?);
        if let (Some(separator), Some(size)) = (&numbering.grouping_separator, &numbering.grouping_size) {
            let separator = self.avt(separator, focus)?.into_owned();
            format.group = self.avt(size, focus)?.trim().parse().ok().map(|size| (separator, size));
        }
        Ok(format.write(&numbers))
    }

    fn places(&self, numbering: &Numbering, node: Node<'d>) -> Result<Vec<u64>, XPathError> {
        let counts = |candidate: Node<'d>| match &numbering.count {
            Some(patterns) => self.matches_any(patterns, candidate),
            None => Ok(candidate.kind() == node.kind()
                && candidate.local_name() == node.local_name()
                && candidate.namespace() == node.namespace()),
        };
        let is_from = |candidate: Node<'d>| match &numbering.from {
            Some(patterns) => self.matches_any(patterns, candidate),
            None => Ok(false),
        };
        let among_siblings = |counted: Node<'d>| -> Result<u64, XPathError> {
            let mut number = 1;
            for sibling in counted.preceding_siblings() {
                self.work.spend(1)?;
                number += u64::from(counts(sibling)?);
            }
            Ok(number)
        };
        let own = std::iter::once(node).chain(node.ancestors());
        let mut numbers = Vec::new();
        match numbering.level {
            Level::Single | Level::Multiple => {
                for candidate in own {
                    if candidate != node && is_from(candidate)? {
                        break;
                    }
                    if candidate.kind() != NodeKind::Root && counts(candidate)? {
                        numbers.insert(0, among_siblings(candidate)?);
                        if numbering.level == Level::Single {
                            break;
                        }
                    }
                }
            }
            Level::Any => {
                let mut number = 0;
                let mut before: Vec<Node<'d>> = node.preceding().collect();
                before.extend(own);
                before.sort_unstable();
                for candidate in before.into_iter().rev() {
                    self.work.spend(1)?;
                    if candidate != node && is_from(candidate)? {
                        break;
                    }
                    number += u64::from(counts(candidate)?);
                }
                if number > 0 {
                    numbers.push(number);
                }
            }
        }
        Ok(numbers)
    }
}
