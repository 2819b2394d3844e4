//! `XMLToJSON` (api-management §9.5).

mod build;
mod options;
mod read;

use super::conversion::{Conversion, Kind};
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::MediaKind;
use crate::policy::{Compiled, Policy, PolicyRun};
use options::Options;

static KIND: Kind = Kind {
    policy: "XMLToJSON",
    prefix_apigee: "steps.xmltojson",
    prefix_sap: "steps.xml2json",
    from: MediaKind::Xml,
    content_type: "application/json",
};

/// Writes the XML of a message as JSON.
#[derive(Debug)]
pub(super) struct XmlToJson {
    conversion: Conversion,
    options: Options,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source", "OutputVariable", "Options", "Format"]);
    let conversion = Conversion::read(policy, &KIND);
    let options = Options::read(policy)?;
    Some(Box::new(XmlToJson { conversion, options }))
}

impl Policy for XmlToJson {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.conversion.run(cx, |text, dialect| read::convert(text, &self.options, dialect)))
    }
}

#[cfg(test)]
mod tests;
