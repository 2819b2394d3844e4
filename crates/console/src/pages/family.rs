//! Families of policies: an icon and a colour, so that a flow can be read at a glance.

/// What kinds of policies have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    /// Its class in the stylesheet.
    pub(crate) name: &'static str,
    pub(crate) icon: &'static str,
    /// For people.
    pub(crate) label: &'static str,
}

const SECURITY: Family = Family { name: "security", icon: "shield", label: "Security" };
const TRAFFIC: Family = Family { name: "traffic", icon: "gauge", label: "Traffic" };
const MEDIATION: Family = Family { name: "mediation", icon: "shuffle", label: "Mediation" };
const EXTENSION: Family = Family { name: "extension", icon: "code-xml", label: "Extension" };

const SECURITY_WORDS: &[&str] = &[
    "OAuth",
    "JWT",
    "JWS",
    "SAML",
    "VerifyAPIKey",
    "BasicAuth",
    "AccessControl",
    "AccessEntity",
    "HMAC",
    "Threat",
    "RegularExpressionProtection",
    "CORS",
    "Ldap",
    "VerifyIAM",
];
const TRAFFIC_WORDS: &[&str] = &["Quota", "SpikeArrest", "RateLimit", "Ratelimit", "Cache", "Limit"];
const MEDIATION_WORDS: &[&str] = &[
    "AssignMessage",
    "ExtractVariables",
    "RaiseFault",
    "XMLToJSON",
    "JSONToXML",
    "XSL",
    "MessageValidation",
    "OASValidation",
    "KeyValueMap",
    "HTTPModifier",
    "AssertCondition",
    "ReadPropertySet",
    "GraphQL",
];

/// The family of a kind of policy, by its root element.
pub(crate) fn family(kind: &str) -> Family {
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    match kind {
        _ if has(SECURITY_WORDS) => SECURITY,
        _ if has(TRAFFIC_WORDS) => TRAFFIC,
        _ if has(MEDIATION_WORDS) => MEDIATION,
        _ => EXTENSION,
    }
}

#[cfg(test)]
mod tests {
    use super::family;

    #[test]
    fn kinds_have_the_family_that_their_originals_list_them_under() {
        for (kind, name) in [
            ("VerifyAPIKey", "security"),
            ("GenerateJWT", "security"),
            ("JSONThreatProtection", "security"),
            ("Quota", "traffic"),
            ("ConcurrentRatelimit", "traffic"),
            ("ResponseCache", "traffic"),
            ("AssignMessage", "mediation"),
            ("KeyValueMapOperations", "mediation"),
            ("Javascript", "extension"),
            ("ServiceCallout", "extension"),
            ("FlowCallout", "extension"),
        ] {
            assert_eq!(family(kind).name, name, "{kind}");
        }
    }
}
