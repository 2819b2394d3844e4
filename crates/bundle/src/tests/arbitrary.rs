//! Designs as bundles hold them: trimmed texts, names that files can have.

use pierhead_gateway::design::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::PolicyTemplate;

/// What a design may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Sap,
    Apigee,
    /// What both have.
    Common,
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9_ .-]{0,10}[A-Za-z0-9]"
}

fn text() -> impl Strategy<Value = String> {
    "([!-~é☃]([ -~é☃\\n\\t]{0,20}[!-~é☃])?)?"
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec((name(), text()).prop_map(|(policy, condition)| Step { policy, condition }), 0..4)
}

fn flow(
    name: impl Strategy<Value = String>,
    condition: bool,
    description: bool,
) -> impl Strategy<Value = Flow> {
    (name, text(), text(), steps(), steps()).prop_map(move |(name, about, held, request, response)| Flow {
        name,
        description: if description { about } else { String::new() },
        condition: if condition { held } else { String::new() },
        request,
        response,
    })
}

fn fault_rule(default: bool) -> impl Strategy<Value = FaultRule> {
    (name(), text(), any::<bool>(), steps()).prop_map(move |(name, condition, always, steps)| FaultRule {
        name,
        condition,
        always_enforce: always && default,
        steps,
    })
}

fn flows(flavour: Flavour, target: bool) -> impl Strategy<Value = EndpointFlows> {
    let apigee = flavour == Flavour::Apigee;
    (
        flow(Just("PreFlow".to_owned()), false, apigee),
        vec(flow(name(), true, apigee), 0..3),
        flow(Just("PostFlow".to_owned()), false, apigee),
        steps(),
        vec(fault_rule(false), 0..3),
        option::of(fault_rule(true)),
        option::of((name(), steps())),
    )
        .prop_map(
            move |(pre, conditional, post, post_client, fault_rules, default_fault_rule, event)| {
                EndpointFlows {
                    pre,
                    conditional,
                    post,
                    post_client,
                    fault_rules,
                    default_fault_rule,
                    event: event.filter(|_| apigee && target).map(|(name, response)| EventFlow {
                        name,
                        content_type: "text/event-stream".into(),
                        response,
                    }),
                }
            },
        )
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    vec((name(), text()).prop_map(|(name, value)| Property { name, value }), 0..3)
}

fn tls() -> impl Strategy<Value = TlsSettings> {
    (any::<[bool; 5]>(), name(), text(), vec(name(), 0..2)).prop_map(|(flags, name, text, names)| {
        TlsSettings {
            enabled: flags[0],
            client_auth: flags[1],
            key_store: text.clone(),
            key_alias: name.clone(),
            trust_store: text,
            ciphers: names.clone(),
            protocols: names,
            ignore_validation_errors: flags[2],
            enforce: flags[3],
            common_name_wildcard: flags[4],
            common_name: name,
        }
    })
}

fn balancer(flavour: Flavour) -> impl Strategy<Value = LoadBalancer> {
    let apigee = flavour == Flavour::Apigee;
    let probe = (any::<[u16; 3]>(), any::<[bool; 3]>(), properties(), text()).prop_map(
        move |(numbers, flags, headers, text)| {
            let seconds = u32::from(numbers[0]);
            if !flags[0] {
                return HealthProbe::Tcp { connect_timeout_seconds: seconds, port: Some(numbers[1]) };
            }
            HealthProbe::Http(Box::new(HttpProbe {
                connect_timeout_seconds: seconds,
                read_timeout_seconds: u32::from(numbers[1]),
                port: Some(numbers[2]),
                verb: "GET".into(),
                path: "/h".into(),
                success_statuses: numbers[..usize::from(flags[1]) + 1].to_vec(),
                headers: if apigee { headers.clone() } else { Vec::new() },
                payload: if apigee { text } else { String::new() },
                include_health_check_id: apigee && flags[1],
                tls: (apigee && flags[1]).then_some(flags[2]),
                use_server_tls: apigee && flags[2],
                success_headers: if apigee { headers } else { Vec::new() },
            }))
        },
    );
    let health = (any::<bool>(), any::<u16>(), probe).prop_map(|(enabled, seconds, probe)| HealthMonitor {
        enabled,
        interval_seconds: seconds.into(),
        probe,
    });
    (2_usize..5, any::<[u8; 4]>(), any::<[bool; 4]>(), option::of(any::<bool>()), option::of(health))
        .prop_map(move |(count, numbers, flags, retry, health)| LoadBalancer {
            algorithm: "Weighted".into(),
            servers: (0..count)
                .map(|index| BalancedServer {
                    name: format!("server-{index}"),
                    weight: flags[0].then(|| u32::from(numbers[index % 4])),
                    fallback: index == 1 && flags[1],
                    disabled: apigee && index == 0 && flags[2],
                })
                .collect(),
            path: if flags[3] { "/p".into() } else { String::new() },
            max_failures: numbers[0].into(),
            retry,
            unhealthy_statuses: numbers[1..3].iter().map(|n| u16::from(*n) + 400).collect(),
            disable_seconds: if apigee { numbers[3].into() } else { 0 },
            health,
        })
}

fn destination(flavour: Flavour) -> BoxedStrategy<Destination> {
    let url = "https://[a-z]{1,8}\\.test/[a-z{}?=&]{0,8}".prop_map(Destination::Url);
    let balanced = balancer(flavour).prop_map(Destination::Balanced);
    let provider = (name(), "(/[a-z]{1,5})?")
        .prop_map(|(name, relative_path)| Destination::Provider { name, relative_path });
    match flavour {
        Flavour::Common => prop_oneof![Just(Destination::None), url, balanced, provider].boxed(),
        Flavour::Sap => prop_oneof![Just(Destination::None), url, balanced, provider].boxed(),
        Flavour::Apigee => prop_oneof![
            Just(Destination::None),
            url,
            balanced,
            (name(), name()).prop_map(|(proxy, endpoint)| Destination::LocalProxy { proxy, endpoint }),
            "/[a-z/]{0,8}".prop_map(Destination::LocalPath),
            "[a-z]{0,8}".prop_map(|text| Destination::Foreign {
                kind: "HostedTarget".into(),
                xml: format!("<HostedTarget>\n  <!-- {text} --><A b=\"{text}\"/></HostedTarget>"),
            }),
        ]
        .boxed(),
    }
}

fn proxy_endpoint(flavour: Flavour) -> impl Strategy<Value = ProxyEndpoint> {
    let apigee = flavour == Flavour::Apigee;
    let route =
        (name(), text(), option::of(name()), any::<bool>()).prop_map(move |(name, condition, to, by_url)| {
            let by_url = by_url && apigee;
            let url = to.as_ref().filter(|_| by_url).map(|name| format!("http://{name}.test"));
            RouteRule { name, condition, target: to.filter(|_| !by_url), url }
        });
    (flows(flavour, false), vec(route, 0..3), properties(), text(), vec(name(), 0..3), option::of(tls()))
        .prop_map(move |(flows, routes, properties, description, hosts, tls)| ProxyEndpoint {
            name: String::new(),
            description: if apigee { description } else { String::new() },
            base_path: "/base/path".into(),
            virtual_hosts: if apigee { hosts } else { Vec::new() },
            routes,
            flows,
            properties,
            tls: tls.filter(|_| apigee),
        })
}

fn target_endpoint(flavour: Flavour) -> impl Strategy<Value = TargetEndpoint> {
    let apigee = flavour == Flavour::Apigee;
    (flows(flavour, true), destination(flavour), properties(), text(), option::of(tls()), any::<bool>())
        .prop_map(move |(flows, destination, properties, description, tls, authenticated)| {
            let http =
                matches!(destination, Destination::None | Destination::Url(_) | Destination::Balanced(_));
            let authentication =
                "<Authentication><GoogleIDToken><Audience>a</Audience></GoogleIDToken></Authentication>";
            TargetEndpoint {
                name: String::new(),
                description: if apigee { description } else { String::new() },
                destination,
                tls: tls.filter(|_| apigee && http),
                authentication: if apigee && http && authenticated {
                    authentication.into()
                } else {
                    String::new()
                },
                flows,
                properties: if apigee && !http { Vec::new() } else { properties },
            }
        })
}

fn policies(flavour: Flavour) -> impl Strategy<Value = Vec<PolicyText>> {
    vec((name(), text()), 0..4).prop_map(move |all| {
        let mut policies: Vec<PolicyText> = all
            .into_iter()
            .enumerate()
            .map(|(index, (name, text))| {
                let name = format!("{index}{name}");
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace(']', "");
                let attributes = match flavour {
                    Flavour::Apigee => format!("name=\"{name}\""),
                    _ => "xmlns=\"http://www.sap.com/apimgmt\" async='true'".to_owned(),
                };
                let xml = format!("<?xml version='1.0'?>\n<!-- <x> -->\n<Javascript {attributes}>\n<Source>{text}</Source></Javascript>");
                PolicyText { name, kind: "Javascript".into(), xml, fixed: false }
            })
            .collect();
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        policies
    })
}

fn resources(flavour: Flavour) -> impl Strategy<Value = Vec<FileResource>> {
    vec((name(), vec(any::<u8>(), 0..30)), 0..3).prop_map(move |all| {
        let mut files: Vec<FileResource> = all
            .into_iter()
            .enumerate()
            .map(|(index, (name, bytes))| {
                let (content, binary) = crate::files::content_of(&bytes);
                let (kind, name) = match (flavour, index) {
                    (Flavour::Apigee, 1) => ("node", format!("{index}/{name}")),
                    (_, 2) => ("xsl", format!("{index}{name}.xslt")),
                    _ => ("jsc", format!("{index}{name}.js")),
                };
                FileResource { name, kind: kind.into(), content, binary }
            })
            .collect();
        let path = |file: &FileResource| match flavour {
            Flavour::Apigee => format!("{}/{}", file.kind, file.name),
            _ => file.name.clone(),
        };
        files.sort_by_key(path);
        files
    })
}

fn enclosures(flavour: Flavour) -> impl Strategy<Value = Vec<Enclosure>> {
    vec(vec(any::<u8>(), 0..30), 0..3).prop_map(move |all| {
        let folder = match flavour {
            Flavour::Apigee => "manifests",
            Flavour::Sap => "Documentation",
            Flavour::Common => "notes",
        };
        all.into_iter()
            .enumerate()
            .map(|(index, bytes)| {
                let (content, binary) = crate::files::content_of(&bytes);
                Enclosure { path: format!("{folder}/{index}_en.html"), content, binary }
            })
            .collect()
    })
}

fn annotations(flavour: Flavour) -> impl Strategy<Value = Vec<Property>> {
    text().prop_map(move |value| {
        let names: &[&str] = match flavour {
            Flavour::Apigee => &["@revision", "ConfigurationVersion@majorVersion", "CreatedBy", "Spec"],
            _ => &["life_cycle/created_by", "life_cycle/changed_by"],
        };
        let value = format!("x{value}");
        names.iter().map(|name| Property { name: (*name).into(), value: value.clone() }).collect()
    })
}

/// A proxy as a bundle of this kind holds it.
pub(super) fn proxies(flavour: Flavour) -> impl Strategy<Value = ProxyDesign> {
    (
        (name(), text(), text()),
        vec(proxy_endpoint(flavour), 1..3),
        vec(target_endpoint(flavour), 0..3),
        policies(flavour),
        resources(flavour),
        enclosures(flavour),
        annotations(flavour),
    )
        .prop_map(
            move |(
                (name, title, description),
                proxies,
                targets,
                policies,
                resources,
                enclosures,
                annotations,
            )| {
                let mut design = ProxyDesign {
                    name,
                    title,
                    description,
                    service_code: if flavour == Flavour::Apigee { String::new() } else { "REST".into() },
                    proxy_endpoints: proxies,
                    target_endpoints: targets,
                    policies,
                    resources,
                    enclosures,
                    annotations,
                };
                // Not in the order of their names: the root document says the order.
                for (index, endpoint) in design.proxy_endpoints.iter_mut().enumerate() {
                    endpoint.name = format!("proxy-{}", 9 - index);
                }
                for (index, endpoint) in design.target_endpoints.iter_mut().enumerate() {
                    endpoint.name = format!("target-{}", 9 - index);
                }
                design
            },
        )
}

pub(super) fn shared_flows() -> impl Strategy<Value = SharedFlowDesign> {
    let flavour = Flavour::Apigee;
    (
        (name(), text(), text()),
        steps(),
        policies(flavour),
        resources(flavour),
        enclosures(flavour),
        annotations(flavour),
    )
        .prop_map(|((name, title, description), steps, policies, resources, enclosures, annotations)| {
            SharedFlowDesign { name, title, description, steps, policies, resources, enclosures, annotations }
        })
}

pub(super) fn templates() -> impl Strategy<Value = PolicyTemplate> {
    let flavour = Flavour::Sap;
    (
        (name(), text(), text()),
        flows(flavour, false),
        flows(flavour, true),
        policies(flavour),
        resources(flavour),
        annotations(flavour),
    )
        .prop_map(
            |((name, title, description), proxy_flows, target_flows, policies, resources, annotations)| {
                PolicyTemplate {
                    name,
                    version: "1".into(),
                    title,
                    description,
                    proxy_flows,
                    target_flows,
                    policies,
                    resources,
                    enclosures: Vec::new(),
                    annotations,
                }
            },
        )
}
