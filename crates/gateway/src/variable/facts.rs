//! Variables that the exchange itself knows: proxy, client, target, system, error.

use pierhead_domain::EpochMillis;

use super::moment;
use super::value::Value;
use crate::balancer::Balancing;
use crate::compile::{DestinationPlan, Endpoint, FlowPlan, asks_for_itself};
use crate::exchange::{Exchange, Message, Part, Times};
use crate::flow::ForwardTo;
use crate::tls::{OfCertificate, TlsSession};

macro_rules! facts {
    ($($name:literal => $fact:ident),+ $(,)?) => {
        /// A variable of a fixed name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fact { $($fact),+ }

        impl Fact {
            pub(crate) fn named(name: &str) -> Option<Self> {
                Some(match name { $($name => Self::$fact,)+ _ => return None })
            }

            #[cfg(test)]
            pub(super) const NAMES: &[&str] = &[$($name),+];
        }
    };
}

facts! {
    "proxy.basepath" => ProxyBasePath,
    "proxy.pathsuffix" => ProxyPathSuffix,
    "proxy.url" => ProxyUrl,
    "proxy.name" => ProxyName,
    "proxy.client.ip" => ProxyClientIp,
    "apiproxy.name" => ApiProxyName,
    "apiproxy.revision" => ApiProxyRevision,
    "apiproxy.basepath" => ApiProxyBasePath,
    "application.basepath" => ApplicationBasePath,
    "organization.name" => OrganizationName,
    "environment.name" => EnvironmentName,
    "virtualhost.name" => VirtualHostName,
    "virtualhost.aliases.values" => VirtualHostAliases,
    "virtualhost.ssl.enabled" => VirtualHostTls,
    "messageid" => MessageId,
    "current.flow.name" => CurrentFlowName,
    "current.flow.description" => CurrentFlowDescription,
    "proxy.flow.name" => ProxyFlowName,
    "proxy.flow.description" => ProxyFlowDescription,
    "target.flow.name" => TargetFlowName,
    "target.flow.description" => TargetFlowDescription,
    "sharedflow.name" => SharedFlowName,
    "sharedflow.revision" => SharedFlowRevision,
    "route.name" => RouteName,
    "route.target" => RouteTarget,
    "client.ip" => ClientIp,
    "client.host" => ClientHost,
    "client.port" => ClientPort,
    "client.scheme" => ClientScheme,
    "client.ssl.enabled" => ClientTls,
    "client.cn" => ClientCommonName,
    "client.country" => ClientCountry,
    "client.email.address" => ClientEmail,
    "client.locality" => ClientLocality,
    "client.organization" => ClientOrganization,
    "client.organization.unit" => ClientUnit,
    "client.state" => ClientState,
    "tls.cipher" => TlsCipher,
    "tls.protocol" => TlsProtocol,
    "tls.server.name" => TlsServerName,
    "tls.session.id" => TlsSessionId,
    "tls.client.s.dn" => TlsClientSubject,
    "tls.client.i.dn" => TlsClientIssuer,
    "tls.client.raw.cert" => TlsClientCertificate,
    "tls.client.cert.serial" => TlsClientSerial,
    "tls.client.cert.fingerprint" => TlsClientFingerprint,
    "client.received.start.time" => ClientReceivedStartTime,
    "client.received.start.timestamp" => ClientReceivedStart,
    "client.received.end.time" => ClientReceivedEndTime,
    "client.received.end.timestamp" => ClientReceivedEnd,
    "client.sent.start.time" => ClientSentStartTime,
    "client.sent.start.timestamp" => ClientSentStart,
    "client.sent.end.time" => ClientSentEndTime,
    "client.sent.end.timestamp" => ClientSentEnd,
    "target.url" => TargetUrl,
    "target.basepath" => TargetBasePath,
    "target.name" => TargetName,
    "target.host" => TargetHost,
    "target.port" => TargetPort,
    "target.scheme" => TargetScheme,
    "target.ip" => TargetIp,
    "target.expectedcn" => TargetExpectedName,
    "target.ssl.enabled" => TargetTls,
    "target.cn" => TargetCommonName,
    "target.country" => TargetCountry,
    "target.email.address" => TargetEmail,
    "target.locality" => TargetLocality,
    "target.organization" => TargetOrganization,
    "target.organization.unit" => TargetUnit,
    "target.state" => TargetState,
    "target.copy.pathsuffix" => TargetCopyPathSuffix,
    "target.copy.queryparams" => TargetCopyQueryParams,
    "target.sent.start.time" => TargetSentStartTime,
    "target.sent.start.timestamp" => TargetSentStart,
    "target.sent.end.time" => TargetSentEndTime,
    "target.sent.end.timestamp" => TargetSentEnd,
    "target.received.start.time" => TargetReceivedStartTime,
    "target.received.start.timestamp" => TargetReceivedStart,
    "target.received.end.time" => TargetReceivedEndTime,
    "target.received.end.timestamp" => TargetReceivedEnd,
    "loadbalancing.targetserver" => BalancedServer,
    "loadbalancing.failedservers" => BalancedFailures,
    "loadbalancing.isfallback" => BalancedFallback,
    "system.pod.name" => SystemPod,
    "system.region.name" => SystemRegion,
    "system.uuid" => SystemUuid,
    "system.timestamp" => SystemTimestamp,
    "system.time" => SystemTime,
    "system.time.year" => SystemYear,
    "system.time.month" => SystemMonth,
    "system.time.day" => SystemDay,
    "system.time.dayofweek" => SystemDayOfWeek,
    "system.time.hour" => SystemHour,
    "system.time.minute" => SystemMinute,
    "system.time.second" => SystemSecond,
    "system.time.millisecond" => SystemMillisecond,
    "system.time.zone" => SystemZone,
    "is.error" => IsError,
    "error.state" => ErrorState,
    "error.message" => ErrorMessage,
    "fault.name" => FaultName,
    "fault.type" => FaultType,
    "fault.category" => FaultCategory,
    "fault.subcategory" => FaultSubcategory,
    "fault.policy" => FaultPolicy,
}

impl Fact {
    pub(crate) fn read(self, cx: &Exchange) -> Value<'_> {
        match self {
            Self::ProxyPathSuffix => Value::text(cx.path_suffix()),
            Self::ProxyBasePath | Self::ApiProxyBasePath => Value::text(base_path(cx)),
            Self::ApplicationBasePath => Value::text(""),
            Self::ProxyUrl => Value::owned(proxy_url(cx)),
            Self::ProxyName => Value::text(&cx.endpoint().name),
            Self::ProxyClientIp => proxy_client_ip(cx),
            Self::ApiProxyName => Value::text(&cx.proxy().name),
            Self::ApiProxyRevision => Value::text(&cx.proxy().revision),
            Self::OrganizationName => Value::text(cx.snapshot.organization()),
            Self::EnvironmentName => Value::text(cx.snapshot.environment()),
            Self::VirtualHostName => cx.virtual_host().map_or(Value::Null, |host| Value::text(&host.name)),
            Self::VirtualHostAliases => cx
                .virtual_host()
                .map_or(Value::Null, |host| Value::owned(format!("[{}]", host.aliases.join(", ")))),
            Self::VirtualHostTls => cx.virtual_host().map_or(Value::Null, |host| Value::Boolean(host.tls)),
            Self::MessageId => Value::text(cx.message_id().as_str()),
            Self::SharedFlowName => {
                cx.shared_flows.last().map_or(Value::Null, |flow| Value::text(&flow.name))
            }
            Self::SharedFlowRevision => {
                cx.shared_flows.last().map_or(Value::Null, |flow| Value::text(&flow.revision))
            }
            Self::RouteName => rule(cx).map_or(Value::Null, |rule| Value::text(&rule.name)),
            Self::RouteTarget | Self::TargetName => {
                cx.target().map_or(Value::Null, |target| Value::text(&target.name))
            }
            Self::ClientIp => Value::owned(cx.client.ip().to_string()),
            Self::ClientHost => Value::owned(cx.local.ip().to_string()),
            Self::ClientPort => Value::Integer(i32::from(cx.client.port())),
            Self::ClientScheme => Value::text(if cx.tls.is_some() { "https" } else { "http" }),
            Self::ClientTls => Value::Boolean(cx.tls.is_some()),
            Self::IsError => Value::Boolean(cx.error.is_some()),
            Self::ErrorState => {
                cx.error.as_ref().map_or(Value::Null, |error| Value::Integer(error.origin.number()))
            }
            Self::ErrorMessage => cx.fault().map_or(Value::Null, |fault| Value::text(fault.text())),
            Self::FaultName => match cx.fault() {
                Some(fault) => Value::text(fault.name()),
                // Of a step that failed and let the flow go on.
                None => cx.variables.get("fault.name").unwrap_or(Value::Null),
            },
            Self::FaultType => cx.fault().map_or(Value::Null, |fault| {
                Value::text(fault.code().rsplit_once('.').map_or(fault.code(), |(kind, _)| kind))
            }),
            Self::FaultCategory => cx.fault().map_or(Value::Null, |fault| Value::text(fault.category())),
            Self::FaultSubcategory => cx.fault().map_or(Value::Null, |fault| {
                Value::text(if fault.policy().is_some() { "Policy" } else { "Fault" })
            }),
            Self::FaultPolicy => cx.fault().and_then(|fault| fault.policy()).map_or(Value::Null, Value::text),
            Self::CurrentFlowName | Self::ProxyFlowName | Self::TargetFlowName => {
                self.flow_name(cx).map_or(Value::Null, Value::text)
            }
            Self::CurrentFlowDescription | Self::ProxyFlowDescription | Self::TargetFlowDescription => {
                self.flow(cx).map_or(Value::Null, |flow| Value::text(&flow.description))
            }
            Self::TargetUrl => target_url(cx),
            Self::TargetBasePath => target_base_path(cx),
            Self::TargetHost => endpoint(cx).map_or(Value::Null, |to| Value::owned(to.host.to_string())),
            Self::TargetPort => endpoint(cx).map_or(Value::Null, |to| Value::Integer(i32::from(to.port))),
            Self::TargetScheme => endpoint(cx).map_or(Value::Null, |to| Value::text(scheme(&to))),
            Self::TargetIp => cx.target_ip.map_or(Value::Null, |ip| Value::owned(ip.to_string())),
            Self::TargetExpectedName => endpoint(cx).filter(|to| to.tls).map_or(Value::Null, |to| {
                let own = to.identity.as_ref().and_then(|identity| identity.expected_name());
                Value::owned(own.unwrap_or(&to.host).to_owned())
            }),
            Self::SystemPod => known(&cx.services.node.pod),
            Self::SystemRegion => known(&cx.services.node.region),
            Self::SystemUuid => known(&cx.services.node.uuid),
            Self::TargetTls => endpoint(cx).map_or(Value::Null, |to| Value::Boolean(to.tls)),
            Self::BalancedServer => balanced(cx, |balancing| {
                balancing.present().map_or(Value::Null, |server| Value::text(&server.name))
            }),
            Self::BalancedFailures => balanced(cx, |balancing| {
                let servers = &balancing.balancer.servers;
                let name = |index: &usize| servers.get(*index).map(|server| &*server.name);
                let names: Vec<&str> = balancing.failed.iter().filter_map(name).collect();
                if names.is_empty() { Value::Null } else { Value::owned(format!("[{}]", names.join(", "))) }
            }),
            Self::BalancedFallback => {
                balanced(cx, |balancing| Value::Boolean(balancing.balancer.is_fallback(balancing.server)))
            }
            Self::TargetCopyPathSuffix => Value::Boolean(cx.overrides.copy_path_suffix),
            Self::TargetCopyQueryParams => Value::Boolean(cx.overrides.copy_query_params),
            _ => self
                .of_target()
                .map(|what| cx.target_certificate.as_ref()?.tell(what).map(Value::owned))
                .or_else(|| cx.tls.as_deref().and_then(|tls| self.read_tls(tls)).map(Some))
                .map_or_else(|| self.read_time(cx), |value| value.unwrap_or(Value::Null)),
        }
    }

    /// What it tells of the target's certificate.
    const fn of_target(self) -> Option<OfCertificate> {
        Some(OfCertificate::Subject(match self {
            Self::TargetCommonName => "CN",
            Self::TargetCountry => "C",
            Self::TargetEmail => "emailAddress",
            Self::TargetLocality => "L",
            Self::TargetOrganization => "O",
            Self::TargetUnit => "OU",
            Self::TargetState => "ST",
            _ => return None,
        }))
    }

    fn read_tls<'a>(self, tls: &'a TlsSession) -> Option<Value<'a>> {
        let of_client = match self {
            Self::TlsCipher => return Some(Value::text(tls.cipher())),
            Self::TlsProtocol => return Some(Value::text(tls.protocol())),
            Self::TlsServerName => return tls.server_name().map(Value::text),
            Self::TlsSessionId => return Some(Value::owned(tls.id())),
            Self::ClientCommonName => OfCertificate::Subject("CN"),
            Self::ClientCountry => OfCertificate::Subject("C"),
            Self::ClientEmail => OfCertificate::Subject("emailAddress"),
            Self::ClientLocality => OfCertificate::Subject("L"),
            Self::ClientOrganization => OfCertificate::Subject("O"),
            Self::ClientUnit => OfCertificate::Subject("OU"),
            Self::ClientState => OfCertificate::Subject("ST"),
            Self::TlsClientSubject => OfCertificate::SubjectName,
            Self::TlsClientIssuer => OfCertificate::IssuerName,
            Self::TlsClientCertificate => OfCertificate::Pem,
            Self::TlsClientSerial => OfCertificate::Serial,
            Self::TlsClientFingerprint => OfCertificate::Fingerprint,
            _ => return None,
        };
        tls.client(of_client).map(Value::owned)
    }

    fn read_time(self, cx: &Exchange) -> Value<'_> {
        if let Some((at, as_text)) = self.recorded(&cx.known_times()) {
            return match at {
                None => Value::Null,
                Some(at) if as_text => Value::owned(moment::long_utc(at)),
                Some(at) => Value::Long(at.as_i64()),
            };
        }
        let now = cx.now();
        let at = now.utc();
        match self {
            Self::SystemTimestamp => Value::Long(now.as_i64()),
            Self::SystemTime => Value::owned(moment::long_utc(now)),
            Self::SystemYear => Value::Integer(at.year()),
            Self::SystemMonth => Value::Integer(i32::from(u8::from(at.month()))),
            Self::SystemDay => Value::Integer(i32::from(at.day())),
            Self::SystemDayOfWeek => Value::text(moment::weekday(at.weekday())),
            Self::SystemHour => Value::Integer(i32::from(at.hour())),
            Self::SystemMinute => Value::Integer(i32::from(at.minute())),
            Self::SystemSecond => Value::Integer(i32::from(at.second())),
            Self::SystemMillisecond => Value::Integer(i32::from(at.millisecond())),
            Self::SystemZone => Value::text("UTC"),
            _ => Value::Null,
        }
    }

    /// The recorded moment, and whether it is shown as text.
    fn recorded(self, times: &Times) -> Option<(Option<EpochMillis>, bool)> {
        Some(match self {
            Self::ClientReceivedStart => (Some(times.client_received_start), false),
            Self::ClientReceivedStartTime => (Some(times.client_received_start), true),
            Self::ClientReceivedEnd => (times.client_received_end, false),
            Self::ClientReceivedEndTime => (times.client_received_end, true),
            Self::ClientSentStart => (times.client_sent_start, false),
            Self::ClientSentStartTime => (times.client_sent_start, true),
            Self::ClientSentEnd => (times.client_sent_end, false),
            Self::ClientSentEndTime => (times.client_sent_end, true),
            Self::TargetSentStart => (times.target_sent_start, false),
            Self::TargetSentStartTime => (times.target_sent_start, true),
            Self::TargetSentEnd => (times.target_sent_end, false),
            Self::TargetSentEndTime => (times.target_sent_end, true),
            Self::TargetReceivedStart => (times.target_received_start, false),
            Self::TargetReceivedStartTime => (times.target_received_start, true),
            Self::TargetReceivedEnd => (times.target_received_end, false),
            Self::TargetReceivedEndTime => (times.target_received_end, true),
            _ => return None,
        })
    }

    fn flow_name(self, cx: &Exchange) -> Option<&str> {
        match self.part(cx)? {
            Part::Pre => Some("PreFlow"),
            Part::Post => Some("PostFlow"),
            Part::PostClient => Some("PostClientFlow"),
            Part::Conditional(_) => self.flow(cx).map(|flow| &*flow.name),
        }
    }

    fn part(self, cx: &Exchange) -> Option<Part> {
        if self.is_about_target(cx) { cx.position.target_part } else { Some(cx.position.proxy_part) }
    }

    fn flow(self, cx: &Exchange) -> Option<&FlowPlan> {
        let flows = if self.is_about_target(cx) { &cx.target()?.flows } else { &cx.endpoint().flows };
        match self.part(cx)? {
            Part::Pre => Some(&flows.pre),
            Part::Post => Some(&flows.post),
            Part::Conditional(index) => flows.conditional.get(index),
            Part::PostClient => None,
        }
    }

    fn is_about_target(self, cx: &Exchange) -> bool {
        match self {
            Self::TargetFlowName | Self::TargetFlowDescription => true,
            Self::CurrentFlowName | Self::CurrentFlowDescription => cx.position.segment.is_of_target(),
            _ => false,
        }
    }
}

/// What nobody named is null.
fn known(name: &str) -> Value<'_> {
    if name.is_empty() { Value::Null } else { Value::text(name) }
}

fn balanced<'a>(cx: &'a Exchange, read: impl FnOnce(&'a Balancing) -> Value<'a>) -> Value<'a> {
    cx.balancing.as_deref().map_or(Value::Null, read)
}

fn base_path(cx: &Exchange) -> &str {
    if cx.base_end == 0 { "/" } else { cx.base_path() }
}

fn rule(cx: &Exchange) -> Option<&crate::compile::RoutePlan> {
    cx.endpoint().routes.get(cx.route_rule?)
}

/// The server the request goes to; none for a hub in this process.
fn endpoint(cx: &Exchange) -> Option<Endpoint> {
    match crate::flow::preview(cx)? {
        ForwardTo::Network { endpoint, .. } => Some(endpoint),
        ForwardTo::Hub { .. } | ForwardTo::Local(_) => None,
    }
}

const fn scheme(to: &Endpoint) -> &'static str {
    if to.tls { "https" } else { "http" }
}

/// The target's URL without path suffix and query.
fn target_url(cx: &Exchange) -> Value<'_> {
    if let Some(url) = &cx.overrides.url {
        return Value::text(url);
    }
    match cx.target().map(|target| &target.destination) {
        // It would be asked for without an end.
        Some(DestinationPlan::Url(url)) if asks_for_itself(&url.template) => Value::Null,
        Some(DestinationPlan::Url(url)) => {
            url.template.render(cx, true).map_or(Value::Null, |url| Value::owned(url.into_owned()))
        }
        Some(DestinationPlan::Provider { provider, relative_path }) => match provider.server() {
            Some(to) => {
                let (scheme, prefix) = (scheme(to), &to.path_prefix);
                Value::owned(format!("{scheme}://{}:{}{prefix}{relative_path}", to.host, to.port))
            }
            None => Value::text(relative_path),
        },
        Some(DestinationPlan::Balanced(balancer)) => match endpoint(cx) {
            Some(to) => {
                let path = balancer.path.render(cx, true).unwrap_or_default();
                let (scheme, prefix) = (scheme(&to), &to.path_prefix);
                Value::owned(format!("{scheme}://{}:{}{prefix}{path}", to.host, to.port))
            }
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

fn target_base_path(cx: &Exchange) -> Value<'_> {
    match cx.target().map(|target| &target.destination) {
        Some(DestinationPlan::Provider { relative_path, .. }) => Value::text(relative_path),
        Some(DestinationPlan::Url(_)) => match target_url(cx).into_text().map(|url| url.parse::<http::Uri>())
        {
            Some(Ok(uri)) => Value::owned(uri.path().to_owned()),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

/// The address the client wrote, as far as it can be told.
fn proxy_url(cx: &Exchange) -> String {
    let scheme = if cx.tls.is_some() { "https" } else { "http" };
    let host =
        cx.request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let query = cx.request.as_request().and_then(|head| head.uri.query());
    let (mark, query) = query.map_or(("", ""), |query| ("?", query));
    format!("{scheme}://{host}{}{mark}{query}", cx.path())
}

/// The last hop that X-Forwarded-For names, else the client.
fn proxy_client_ip(cx: &Exchange) -> Value<'_> {
    let forwarded = cx.request.headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
    match last.map(str::trim).filter(|address| !address.is_empty()) {
        Some(address) => Value::text(address),
        None => Value::owned(cx.client.ip().to_string()),
    }
}

impl Exchange {
    /// The status of the error message, for `error.status.code`.
    pub(crate) fn error_message(&self) -> Option<&Message> {
        self.error.as_ref().map(|error| &error.message)
    }
}
