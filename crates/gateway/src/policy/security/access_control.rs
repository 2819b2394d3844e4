//! `AccessControl`: lets addresses pass or not (api-management §9.3).

use std::borrow::Cow;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, StatusCode};
use ipnet::IpNet;

use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::Template;
use crate::variable::Variable;

const TRUE_CLIENT_IP: HeaderName = HeaderName::from_static("true-client-ip");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The first rule that an address matches decides; an address that is none matches no rule. The addresses of a
/// request are those in `X-Forwarded-For`, followed by the one that the connection came from.
///
/// Faults: `steps.accesscontrol.IPDeniedAccess` 403; 500: `steps.accesscontrol.ClientIpExtractionFailed`,
/// `steps.accesscontrol.InvalidIPAddressInVariable` (of `ClientIPVariable`, or of an address or mask of a rule).
#[derive(Debug)]
struct AccessControl {
    rules: Vec<Rule>,
    /// What happens to an address that no rule matches.
    otherwise: Action,
    from: From,
    ignore_true_client_ip: bool,
}

#[derive(Debug)]
struct Rule {
    action: Action,
    sources: Vec<Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Allow,
    Deny,
}

#[derive(Debug)]
enum Source {
    Network(IpNet),
    /// Address and mask; known when a request comes.
    Templates(Template, Option<Template>),
}

/// Where the address of the caller is found.
#[derive(Debug)]
enum From {
    Variable(Variable),
    First,
    Last,
    All,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(&[], &["IPRules", "ValidateBasedOn", "IgnoreTrueClientIPHeader", "ClientIPVariable"]);
    let (mut rules, mut otherwise) = (Vec::new(), Action::Allow);
    if let Some(element) = root.child("IPRules") {
        policy.only(element, &["noRuleMatchAction"], &["MatchRule"]);
        otherwise = action(policy, element, "noRuleMatchAction", Action::Allow);
        for child in &element.children {
            policy.only(child, &["action"], &["SourceAddress"]);
            let sources = child.children.iter().filter_map(|address| source(policy, address)).collect();
            rules.push(Rule { action: action(policy, child, "action", Action::Allow), sources });
        }
    }
    let mut from = From::First;
    if let Some(element) = root.child("ValidateBasedOn") {
        policy.only(element, &[], &[]);
        from = match element.text() {
            "" | "X_FORWARDED_FOR_FIRST_IP" => From::First,
            "X_FORWARDED_FOR_LAST_IP" => From::Last,
            "X_FORWARDED_FOR_ALL_IP" => From::All,
            other => {
                let message = format!("'{other}' is none of X_FORWARDED_FOR_FIRST_IP, _LAST_IP and _ALL_IP");
                policy.problem(element, "InvalidValidateBasedOn", message);
                From::First
            }
        };
    }
    if let Some(element) = root.child("ClientIPVariable").filter(|element| !element.text().is_empty()) {
        policy.only(element, &[], &[]);
        from = policy.variable(element, element.text()).map_or(From::First, From::Variable);
    }
    let ignore_true_client_ip = policy.flag_child(root, "IgnoreTrueClientIPHeader", false);
    Some(Box::new(AccessControl { rules, otherwise, from, ignore_true_client_ip }))
}

fn action(policy: &mut Blueprint<'_>, element: &Element, attribute: &str, default: Action) -> Action {
    match element.attribute(attribute).map(str::trim) {
        None | Some("") => default,
        Some("ALLOW") => Action::Allow,
        Some("DENY") => Action::Deny,
        Some(other) => {
            policy.problem(element, "InvalidAction", format!("'{other}' is neither ALLOW nor DENY"));
            default
        }
    }
}

fn source<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Source> {
    policy.only(element, &["mask"], &[]);
    let address = policy.template(element, element.text());
    let mask = element.attribute("mask").map(str::trim).filter(|mask| !mask.is_empty());
    let mask = mask.map(|mask| policy.template(element, mask));
    let Some(text) = address.as_literal() else { return Some(Source::Templates(address, mask)) };
    let Ok(parsed) = text.parse::<IpAddr>() else {
        let (rule, kind) =
            if text.contains(':') { ("InvalidIPv6Address", "IPv6") } else { ("InvalidIPv4Address", "IPv4") };
        policy.problem(element, rule, format!("'{text}' is no {kind} address"));
        return None;
    };
    let mask = match mask {
        None => None,
        Some(mask) => match mask.as_literal() {
            Some(text) => Some(text.to_owned()),
            None => return Some(Source::Templates(address, Some(mask))),
        },
    };
    let network = network(parsed, mask.as_deref());
    if network.is_none() {
        let message = format!("'{}' is no mask of that address", mask.unwrap_or_default());
        policy.problem(element, "InvalidRulePattern", message);
    }
    network.map(Source::Network)
}

fn network(address: IpAddr, mask: Option<&str>) -> Option<IpNet> {
    match mask {
        None => Some(IpNet::from(address)),
        Some(mask) => IpNet::new(address, mask.trim().parse().ok()?).ok(),
    }
}

impl Policy for AccessControl {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.check(cx))
    }
}

impl AccessControl {
    fn check(&self, cx: &Exchange) -> Result<Next, Fault> {
        if let From::Variable(variable) = &self.from {
            let text = cx.value(variable).into_text().ok_or_else(|| {
                failed("ClientIpExtractionFailed", "Failed to extract client ip from ClientIPVariable")
            })?;
            let address = parse(&text).ok_or_else(|| invalid(variable.name()))?;
            return self.judge(cx, Some(address), &text);
        }
        let true_client = cx.request.headers.get(TRUE_CLIENT_IP).filter(|_| !self.ignore_true_client_ip);
        if let Some(value) = true_client {
            let text = String::from_utf8_lossy(value.as_bytes());
            return self.judge(cx, parse(&text), &text);
        }
        let forwarded = || {
            let lines = cx.request.headers.get_all(X_FORWARDED_FOR).iter();
            lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
        };
        let peer = cx.client.ip().to_canonical();
        let judge_peer = || self.judge(cx, Some(peer), &peer);
        match self.from {
            From::Last => judge_peer(),
            From::First => match forwarded().next() {
                Some(first) => self.judge(cx, parse(first), &first),
                None => judge_peer(),
            },
            From::All | From::Variable(_) => {
                forwarded().try_for_each(|text| self.judge(cx, parse(text), &text).map(drop))?;
                judge_peer()
            }
        }
    }

    /// `shown` is written out only when the address is denied.
    fn judge(&self, cx: &Exchange, address: Option<IpAddr>, shown: &dyn Display) -> Result<Next, Fault> {
        let mut action = self.otherwise;
        if let Some(address) = address {
            for rule in &self.rules {
                if rule.matches(cx, address)? {
                    action = rule.action;
                    break;
                }
            }
        }
        match action {
            Action::Allow => Ok(Next::Continue),
            Action::Deny => {
                let text = format!("Access Denied for client ip : {shown}");
                Err(Fault::step(StatusCode::FORBIDDEN, "steps.accesscontrol.IPDeniedAccess", text))
            }
        }
    }
}

impl Rule {
    fn matches(&self, cx: &Exchange, address: IpAddr) -> Result<bool, Fault> {
        for source in &self.sources {
            let network = match source {
                Source::Network(network) => *network,
                Source::Templates(at, mask) => {
                    let rendered = |template: &Template| -> Option<String> {
                        template.render(cx, false).ok().map(Cow::into_owned)
                    };
                    let found = rendered(at).and_then(|at| parse(&at)).and_then(|at| match mask {
                        None => network(at, None),
                        Some(mask) => network(at, Some(&rendered(mask)?)),
                    });
                    found.ok_or_else(|| invalid("SourceAddress"))?
                }
            };
            if network.contains(&address) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

fn invalid(place: &str) -> Fault {
    failed("InvalidIPAddressInVariable", &format!("Invalid IP address in variable : {place}"))
}

fn failed(name: &str, text: &str) -> Fault {
    Fault::internal(format!("steps.accesscontrol.{name}"), text.to_owned())
}

#[cfg(test)]
mod tests;
