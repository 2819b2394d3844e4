//! The kinds of policies that can be added, and what each begins as.

use std::sync::LazyLock;

use serde::Deserialize;

/// Elements and attributes of every kind; the editor reads the same file. Written by `cargo xtask policies`.
pub(crate) const VOCABULARY: &str = include_str!("../../../assets/policies.json");

/// One kind of policy.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    pub(super) kind: String,
    pub(super) summary: String,
    /// `sap`, `apigee`.
    of: Vec<String>,
}

impl Kind {
    /// Whose bundles may hold it.
    pub(super) fn originals(&self) -> &'static str {
        match self.of.len() {
            1 if self.of[0] == "sap" => "SAP",
            1 => "Apigee",
            _ => "SAP and Apigee",
        }
    }
}

/// Not to be added by hand: part of a provider's type, or nothing that runs here.
const NOT_OFFERED: &[&str] = &["OpenConnectors", "JavaCallout"];

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let all: Vec<Kind> = serde_json::from_str(VOCABULARY).unwrap_or_default();
    all.into_iter().filter(|kind| !NOT_OFFERED.contains(&kind.kind.as_str())).collect()
});

/// Every kind that can be added, by name.
pub(super) fn kinds() -> &'static [Kind] {
    &KINDS
}

/// Whether a kind begins as more than its root element.
#[cfg(test)]
pub(super) fn has_template(kind: &str) -> bool {
    !inner(kind).is_empty()
}

/// The document that a new policy of this kind begins as. It can be saved as it is, unless the kind needs something
/// that must be there first: a file, a shared flow, a provider.
pub(super) fn template(kind: &str) -> String {
    let inner = inner(kind);
    if inner.is_empty() {
        return format!("<{kind} continueOnError=\"false\" enabled=\"true\"/>\n");
    }
    let lines: Vec<String> = inner.lines().map(|line| format!("  {line}")).collect();
    format!("<{kind} continueOnError=\"false\" enabled=\"true\">\n{}\n</{kind}>\n", lines.join("\n"))
}

fn inner(kind: &str) -> &'static str {
    match kind {
        "AccessControl" => {
            "<IPRules noRuleMatchAction=\"DENY\">\n  <MatchRule action=\"ALLOW\">\n    <SourceAddress mask=\"24\">203.0.113.0</SourceAddress>\n  </MatchRule>\n</IPRules>"
        }
        "AccessEntity" => {
            "<EntityType value=\"app\"/>\n<EntityIdentifier ref=\"request.header.apikey\" type=\"consumerkey\"/>"
        }
        "AssertCondition" => "<Condition>request.verb = \"GET\"</Condition>",
        "AssignMessage" => {
            "<Set>\n  <Headers>\n    <Header name=\"X-Example\">value</Header>\n  </Headers>\n</Set>\n<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>\n<AssignTo createNew=\"false\" type=\"request\"/>"
        }
        "BasicAuthentication" => {
            "<Operation>Encode</Operation>\n<User ref=\"request.queryparam.user\"/>\n<Password ref=\"request.queryparam.password\"/>\n<AssignTo createNew=\"false\">request.header.Authorization</AssignTo>"
        }
        "CORS" => {
            "<AllowOrigins>{request.header.origin}</AllowOrigins>\n<AllowMethods>GET, POST, PUT, DELETE</AllowMethods>\n<AllowHeaders>origin, content-type, accept</AllowHeaders>\n<MaxAge>3600</MaxAge>"
        }
        "ConcurrentRatelimit" => "<AllowConnections count=\"100\" ttl=\"5\"/>",
        "DataCapture" => {
            "<Capture>\n  <DataCollector>dc_example</DataCollector>\n  <Collect ref=\"request.verb\"/>\n</Capture>"
        }
        "DecodeJWS" | "DecodeJWT" => "<Source>request.header.jwt</Source>",
        "DeleteOAuthV2Info" => "<AccessToken ref=\"request.queryparam.access_token\"/>",
        "ExtractVariables" => {
            "<Source>request</Source>\n<URIPath>\n  <Pattern ignoreCase=\"true\">/items/{id}</Pattern>\n</URIPath>\n<VariablePrefix>urirequest</VariablePrefix>\n<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"
        }
        "FlowCallout" => "<SharedFlowBundle>shared-flow</SharedFlowBundle>",
        "GenerateJWS" => {
            "<Algorithm>HS256</Algorithm>\n<SecretKey>\n  <Value ref=\"private.secret\"/>\n</SecretKey>\n<Payload ref=\"request.content\"/>\n<OutputVariable>jws</OutputVariable>"
        }
        "GenerateJWT" => {
            "<Algorithm>HS256</Algorithm>\n<SecretKey>\n  <Value ref=\"private.secret\"/>\n</SecretKey>\n<Subject>subject</Subject>\n<ExpiresIn>1h</ExpiresIn>\n<OutputVariable>jwt</OutputVariable>"
        }
        "GetOAuthV2Info" => "<AccessToken ref=\"request.queryparam.access_token\"/>",
        "HMAC" => {
            "<Algorithm>SHA-256</Algorithm>\n<SecretKey ref=\"private.secret\"/>\n<Message>{request.content}</Message>\n<Output>hmac</Output>"
        }
        "HTTPModifier" => {
            "<Set>\n  <Headers>\n    <Header name=\"X-Example\">value</Header>\n  </Headers>\n</Set>\n<AssignTo createNew=\"false\" type=\"request\"/>"
        }
        "InvalidateCache" => {
            "<CacheKey>\n  <KeyFragment ref=\"request.uri\"/>\n</CacheKey>\n<Scope>Exclusive</Scope>"
        }
        "JSONThreatProtection" => {
            "<Source>request</Source>\n<ContainerDepth>10</ContainerDepth>\n<ArrayElementCount>100</ArrayElementCount>\n<ObjectEntryCount>100</ObjectEntryCount>\n<StringValueLength>500</StringValueLength>"
        }
        "JSONToXML" => "<Source>request</Source>\n<OutputVariable>request</OutputVariable>",
        "Javascript" => "<Source>\ncontext.setVariable(\"example\", \"value\");\n</Source>",
        "KeyValueMapOperations" => {
            "<Get assignTo=\"example\">\n  <Key>\n    <Parameter>key</Parameter>\n  </Key>\n</Get>\n<Scope>environment</Scope>"
        }
        "LookupCache" => {
            "<CacheKey>\n  <KeyFragment ref=\"request.uri\"/>\n</CacheKey>\n<Scope>Exclusive</Scope>\n<AssignTo>cached</AssignTo>"
        }
        "MessageLogging" => {
            "<Syslog>\n  <Message>{request.verb} {request.uri}</Message>\n  <Host>logs.example</Host>\n  <Port>514</Port>\n  <Protocol>TCP</Protocol>\n</Syslog>"
        }
        "MessageValidation" => "<Source>request</Source>",
        "OAuthV2" => "<Operation>VerifyAccessToken</Operation>",
        "PopulateCache" => {
            "<CacheKey>\n  <KeyFragment ref=\"request.uri\"/>\n</CacheKey>\n<Scope>Exclusive</Scope>\n<ExpirySettings>\n  <TimeoutInSeconds>300</TimeoutInSeconds>\n</ExpirySettings>\n<Source>response.content</Source>"
        }
        "Quota" => {
            "<Allow count=\"1000\"/>\n<Interval>1</Interval>\n<TimeUnit>hour</TimeUnit>\n<Identifier ref=\"request.header.apikey\"/>\n<Distributed>true</Distributed>\n<Synchronous>true</Synchronous>"
        }
        "RaiseFault" => {
            "<FaultResponse>\n  <Set>\n    <StatusCode>400</StatusCode>\n    <ReasonPhrase>Bad Request</ReasonPhrase>\n    <Payload contentType=\"application/json\">{\"error\": \"bad request\"}</Payload>\n  </Set>\n</FaultResponse>\n<IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>"
        }
        "RegularExpressionProtection" => {
            "<Source>request</Source>\n<QueryParam name=\"q\">\n  <Pattern>[\\s]*((delete)|(exec)|(drop\\s*table))</Pattern>\n</QueryParam>"
        }
        "ResetQuota" => {
            "<Quota name=\"quota\">\n  <Identifier name=\"client\">\n    <Allow>100</Allow>\n  </Identifier>\n</Quota>"
        }
        "ResponseCache" => {
            "<CacheKey>\n  <KeyFragment ref=\"request.uri\"/>\n</CacheKey>\n<Scope>Exclusive</Scope>\n<ExpirySettings>\n  <TimeoutInSeconds>300</TimeoutInSeconds>\n</ExpirySettings>"
        }
        "RevokeOAuthV2" => "<AppId ref=\"request.queryparam.app_id\"/>",
        "ServiceCallout" => {
            "<Request variable=\"calloutRequest\">\n  <Set>\n    <Verb>GET</Verb>\n  </Set>\n</Request>\n<Response>calloutResponse</Response>\n<Timeout>30000</Timeout>\n<HTTPTargetConnection>\n  <URL>https://backend.example/</URL>\n</HTTPTargetConnection>"
        }
        "SetOAuthV2Info" => {
            "<AccessToken ref=\"request.queryparam.access_token\"/>\n<Attributes>\n  <Attribute name=\"example\">value</Attribute>\n</Attributes>"
        }
        "SpikeArrest" => "<Rate>30ps</Rate>",
        "StatisticsCollector" => {
            "<Statistics>\n  <Statistic name=\"example\" ref=\"request.verb\" type=\"string\">none</Statistic>\n</Statistics>"
        }
        "TraceCapture" => {
            "<Variables>\n  <Variable name=\"example\" ref=\"request.verb\">none</Variable>\n</Variables>"
        }
        "VerifyAPIKey" => "<APIKey ref=\"request.header.apikey\"/>",
        "VerifyJWS" => {
            "<Algorithm>HS256</Algorithm>\n<Source>request.header.jws</Source>\n<SecretKey>\n  <Value ref=\"private.secret\"/>\n</SecretKey>"
        }
        "VerifyJWT" => {
            "<Algorithm>HS256</Algorithm>\n<Source>request.header.jwt</Source>\n<SecretKey>\n  <Value ref=\"private.secret\"/>\n</SecretKey>\n<Issuer>issuer</Issuer>"
        }
        "XMLThreatProtection" => {
            "<Source>request</Source>\n<StructureLimits>\n  <NodeDepth>10</NodeDepth>\n  <AttributeCountPerElement>10</AttributeCountPerElement>\n</StructureLimits>"
        }
        "XMLToJSON" => {
            "<Source>response</Source>\n<OutputVariable>response</OutputVariable>\n<Options>\n  <RecognizeNumber>true</RecognizeNumber>\n</Options>"
        }
        "Script" => "<ResourceURL>py://example.py</ResourceURL>",
        "OASValidation" => "<OASResource>oas://example.yaml</OASResource>\n<Source>request</Source>",
        "XSL" => "<ResourceURL>xsl://example.xsl</ResourceURL>\n<Source>response</Source>",
        "ReadPropertySet" => {
            "<Read>\n  <Name>example</Name>\n  <Key>key</Key>\n  <AssignTo>example.value</AssignTo>\n</Read>"
        }
        _ => "",
    }
}
