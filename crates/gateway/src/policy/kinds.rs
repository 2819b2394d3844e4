//! Every kind of policy that the originals have (api-management §9.1), and why some cannot run here.

use super::entry_of;

/// A kind of policy that some original has.
#[derive(Debug, Clone, Copy)]
pub struct KnownKind {
    /// The root element.
    pub kind: &'static str,
    /// SAP API Management has it.
    pub sap: bool,
    /// Apigee has it.
    pub apigee: bool,
    /// This gateway runs it.
    pub runs: bool,
    /// Why it does not run; empty when it does.
    pub why_not: &'static str,
}

/// All kinds of both originals, by name.
pub fn known_kinds() -> impl Iterator<Item = KnownKind> {
    KINDS.iter().map(|known| {
        let runs = entry_of(known.kind).is_some();
        let why_not = if runs { "" } else { known.obstacle.unwrap_or(NOT_BUILT) };
        KnownKind {
            kind: known.kind,
            sap: known.of != Of::Apigee,
            apigee: known.of != Of::Sap,
            runs,
            why_not,
        }
    })
}

/// Why a kind of an original's cannot run here; `None` when neither has it.
pub(crate) fn why_not(kind: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|known| known.kind == kind)?;
    Some(known.obstacle.unwrap_or(NOT_BUILT))
}

const NOT_BUILT: &str = "it is not built yet";
const GOOGLE_AI: &str = "it calls services of Google's cloud that have no counterpart here";
const GOOGLE: &str = "it belongs to a service of Google's cloud";
const LDAP: &str = "there is no LDAP client here; call the directory's HTTP interface with a ServiceCallout";
const MONETIZATION: &str = "there is no monetization here";
const GRAPHQL: &str = "GraphQL documents are not understood here; the request can pass unchecked without it";
const GRPC: &str = "external processors are called by gRPC, which is not spoken here; use a ServiceCallout";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Sap,
    Apigee,
    Both,
}

struct Known {
    kind: &'static str,
    of: Of,
    /// Why it will not run; `None` for what this gateway is to run.
    obstacle: Option<&'static str>,
}

const fn runs(kind: &'static str, of: Of) -> Known {
    Known { kind, of, obstacle: None }
}

const fn cannot(kind: &'static str, of: Of, obstacle: &'static str) -> Known {
    Known { kind, of, obstacle: Some(obstacle) }
}

static KINDS: &[Known] = {
    use Of::{Apigee, Both, Sap};
    &[
        runs("AccessControl", Both),
        runs("AccessEntity", Both),
        runs("AssertCondition", Apigee),
        runs("AssignMessage", Both),
        runs("BasicAuthentication", Both),
        runs("CORS", Apigee),
        runs("ConcurrentRateLimit", Apigee),
        runs("ConcurrentRatelimit", Both),
        cannot("ConnectorCallout", Apigee, GOOGLE),
        runs("DataCapture", Apigee),
        runs("DecodeJWS", Apigee),
        runs("DecodeJWT", Both),
        runs("DeleteOAuthV1Info", Apigee),
        runs("DeleteOAuthV2Info", Apigee),
        cannot("ExternalCallout", Apigee, GRPC),
        runs("ExtractVariables", Both),
        runs("FlowCallout", Apigee),
        runs("GenerateJWS", Apigee),
        runs("GenerateJWT", Both),
        runs("GenerateSAMLAssertion", Both),
        runs("GetOAuthV1Info", Apigee),
        runs("GetOAuthV2Info", Both),
        cannot("GraphQL", Apigee, GRAPHQL),
        runs("HMAC", Apigee),
        runs("HTTPModifier", Apigee),
        cannot("IntegrationCallout", Apigee, GOOGLE),
        runs("InvalidateCache", Both),
        runs("JSONThreatProtection", Both),
        runs("JSONToXML", Both),
        runs("JavaCallout", Apigee),
        runs("Javascript", Both),
        runs("KeyValueMapOperations", Both),
        cannot("LLMTokenQuota", Apigee, GOOGLE_AI),
        cannot("Ldap", Apigee, LDAP),
        runs("LookupCache", Both),
        runs("MessageLogging", Both),
        runs("MessageValidation", Both),
        cannot("MonetizationLimitsCheck", Apigee, MONETIZATION),
        runs("OASValidation", Apigee),
        runs("OAuthV1", Apigee),
        runs("OAuthV2", Both),
        runs("OpenConnectorCallout", Sap),
        runs("OpenConnectors", Sap),
        cannot("ParseDialogflowRequest", Apigee, GOOGLE),
        runs("PopulateCache", Both),
        cannot("PromptTokenLimit", Apigee, GOOGLE_AI),
        cannot("PublishMessage", Apigee, GOOGLE),
        runs("Quota", Both),
        runs("RaiseFault", Both),
        runs("ReadPropertySet", Apigee),
        runs("RegularExpressionProtection", Both),
        runs("ResetQuota", Both),
        runs("ResponseCache", Both),
        runs("RevokeOAuthV2", Apigee),
        cannot("SanitizeModelResponse", Apigee, GOOGLE_AI),
        cannot("SanitizeUserPrompt", Apigee, GOOGLE_AI),
        runs("Script", Both),
        cannot("SemanticCacheLookup", Apigee, GOOGLE_AI),
        cannot("SemanticCachePopulate", Apigee, GOOGLE_AI),
        runs("ServiceCallout", Both),
        cannot("SetDialogflowResponse", Apigee, GOOGLE),
        cannot("SetIntegrationRequest", Apigee, GOOGLE),
        runs("SetOAuthV2Info", Both),
        runs("SpikeArrest", Both),
        runs("StatisticsCollector", Both),
        runs("TraceCapture", Apigee),
        runs("ValidateSAMLAssertion", Both),
        runs("VerifyAPIKey", Both),
        cannot("VerifyIAM", Apigee, GOOGLE),
        runs("VerifyJWS", Apigee),
        runs("VerifyJWT", Both),
        runs("XMLThreatProtection", Both),
        runs("XMLToJSON", Both),
        runs("XSL", Both),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_every_kind_that_runs() {
        assert!(KINDS.windows(2).all(|pair| pair[0].kind < pair[1].kind));
        for kind in crate::policy::kinds() {
            let known = KINDS.iter().find(|known| known.kind == kind);
            assert!(known.is_some_and(|known| known.obstacle.is_none()), "{kind}");
        }
    }

    #[test]
    fn what_will_not_run_has_a_reason() {
        assert_eq!(why_not("NoSuchThing"), None);
        assert_eq!(why_not("GraphQL"), Some(GRAPHQL));
        let graph = known_kinds().find(|known| known.kind == "GraphQL").unwrap();
        assert!(graph.apigee && !graph.sap && !graph.runs && graph.why_not == GRAPHQL);
        let raise = known_kinds().find(|known| known.kind == "RaiseFault").unwrap();
        assert!(raise.apigee && raise.sap && raise.runs && raise.why_not.is_empty());
    }
}
