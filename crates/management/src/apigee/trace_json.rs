//! A transaction as Apigee's debug data: a list of points, each with results (decision 057).

use pierhead_domain::EpochMillis;
use pierhead_gateway::trace::{Assignment, BodyShot, MessageShot, Point, Reading, TracedFault, Transaction};
use serde_json::{Value, json};

/// `{"completed", "point": [{"id", "results": [{"ActionResult", …}]}]}`.
pub(super) fn transaction(transaction: &Transaction) -> Value {
    let mut points =
        Points { began: transaction.began, state: "REQ_START", flow: String::new(), all: Vec::new() };
    for timed in &transaction.points {
        points.add(timed.after_us, &timed.point);
    }
    let end = transaction.took_us;
    if transaction.status.is_some() {
        points.change(end, "END");
    }
    json!({
        "completed": !transaction.truncated && transaction.status.is_some(),
        "point": points.all,
        "transaction": transaction.id, "apiProxy": transaction.proxy, "revision": transaction.revision,
    })
}

struct Points {
    began: EpochMillis,
    /// Of the message flow, in the original's words.
    state: &'static str,
    flow: String,
    all: Vec<Value>,
}

impl Points {
    fn add(&mut self, after_us: u64, point: &Point) {
        match point {
            Point::Message { at, url, message } => {
                match at.as_str() {
                    "received" => self.change(after_us, "REQ_HEADERS_PARSED"),
                    "sent to target" => self.change(after_us, "REQ_SENT"),
                    "received from target" => self.change(after_us, "RESP_START"),
                    _ => self.change(after_us, "RESP_SENT"),
                }
                let mut results = vec![self.message(after_us, message)];
                if let Some(url) = url {
                    results.push(self.info(after_us, &[("target.url", url.clone())]));
                }
                self.point("FlowInfo", results);
            }
            Point::Condition { at, of, text, held, read } => {
                self.enter(after_us, at);
                let info = [
                    ("ExpressionResult", held.to_string()),
                    ("Expression", text.clone()),
                    ("Of", of.clone()),
                ];
                let results = vec![self.info(after_us, &info), self.access(after_us, read, &[])];
                self.point("Condition", results);
            }
            Point::Step { at, policy, kind, took_us, read, assigned, changed, fault, responded } => {
                self.enter(after_us, at);
                let enforcement = if at.contains("Response") { "response" } else { "request" };
                let info = [
                    ("type", format!("{kind}Execution")),
                    ("stepDefinition-name", policy.clone()),
                    ("stepDefinition-displayName", policy.clone()),
                    ("stepDefinition-type", kind.clone()),
                    ("stepDefinition-enabled", "true".to_owned()),
                    ("enforcement", enforcement.to_owned()),
                    ("result", fault.is_none().to_string()),
                    ("responded", responded.to_string()),
                    ("executionTime", format!("{:.3}", millis(*took_us))),
                ];
                let mut results = vec![self.info(after_us, &info), self.access(after_us, read, assigned)];
                results.extend(changed.iter().map(|shot| self.message(after_us, shot)));
                if let Some(fault) = fault {
                    results.push(self.info(after_us, &error(fault)));
                }
                self.point("Execution", results);
            }
            Point::Call { url, took_us, request, answer, fault } => {
                let mut info =
                    vec![("target.url", url.clone()), ("executionTime", format!("{:.3}", millis(*took_us)))];
                info.extend(fault.iter().flat_map(error));
                let mut results = vec![self.info(after_us, &info), self.message(after_us, request)];
                results.extend(answer.iter().map(|answer| self.message(after_us, answer)));
                self.point("FlowInfo", results);
            }
            Point::Fault { at, fault } => {
                let mut info = error(fault).to_vec();
                info.push(("type", "ErrorPoint".to_owned()));
                info.push(("state", at.clone()));
                let results = vec![self.info(after_us, &info)];
                self.point("Error", results);
            }
        }
    }

    /// Into a flow, which may be one of another state.
    fn enter(&mut self, after_us: u64, at: &str) {
        let (segment, flow) = at.split_once('/').unwrap_or((at, ""));
        match segment {
            "ProxyRequest" => self.change(after_us, "PROXY_REQ_FLOW"),
            "TargetRequest" => self.change(after_us, "TARGET_REQ_FLOW"),
            "TargetResponse" => self.change(after_us, "TARGET_RESP_FLOW"),
            "ProxyResponse" => self.change(after_us, "PROXY_RESP_FLOW"),
            "PostClient" => self.change(after_us, "PROXY_POST_RESP_SENT"),
            _ => self.change(after_us, "ERROR_FLOW"),
        }
        if self.flow != at {
            self.flow = at.to_owned();
            let results = vec![self.info(after_us, &[("current.flow.name", flow.to_owned())])];
            self.point("FlowInfo", results);
        }
    }

    fn change(&mut self, after_us: u64, to: &'static str) {
        if self.state != to {
            let info = [("To", to.to_owned()), ("From", self.state.to_owned())];
            let results = vec![self.info(after_us, &info)];
            self.point("StateChange", results);
            self.state = to;
        }
    }

    fn point(&mut self, id: &str, mut results: Vec<Value>) {
        results.retain(|result| !result.is_null());
        self.all.push(json!({"id": id, "results": results}));
    }

    fn info(&self, after_us: u64, properties: &[(&str, String)]) -> Value {
        let property: Vec<Value> =
            properties.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({"ActionResult": "DebugInfo", "timestamp": self.timestamp(after_us),
            "properties": {"property": property}})
    }

    /// Null when nothing was looked at or changed.
    fn access(&self, after_us: u64, read: &[Reading], assigned: &[Assignment]) -> Value {
        let get = read.iter().map(|one| json!({"Get": {"name": one.name, "value": one.value}}));
        let set = assigned.iter().map(|one| match &one.after {
            Some(after) => json!({"Set": {"name": one.name, "success": true, "value": after}}),
            None => json!({"Remove": {"name": one.name, "success": true}}),
        });
        let list: Vec<Value> = get.chain(set).collect();
        if list.is_empty() {
            return Value::Null;
        }
        json!({"ActionResult": "VariableAccess", "timestamp": self.timestamp(after_us), "accessList": list})
    }

    fn message(&self, after_us: u64, shot: &MessageShot) -> Value {
        let headers: Vec<Value> =
            shot.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let (first, rest) = shot.line.split_once(' ').unwrap_or((&shot.line, ""));
        let mut result = json!({"timestamp": self.timestamp(after_us), "headers": headers});
        let is_response = first.parse::<u16>().is_ok();
        let kind = match (is_response, shot.name.as_str()) {
            (false, _) => "RequestMessage",
            (true, "error") => "ErrorMessage",
            (true, _) => "ResponseMessage",
        };
        result["ActionResult"] = kind.into();
        if is_response {
            result["statusCode"] = first.into();
            result["reasonPhrase"] = rest.into();
        } else {
            result["verb"] = first.into();
            result["uRI"] = rest.into();
        }
        result["content"] = match &shot.body {
            BodyShot::Text { text, .. } => text.as_str().into(),
            BodyShot::Empty => "".into(),
            BodyShot::Streaming | BodyShot::Binary { .. } => Value::Null,
        };
        result
    }

    /// `24-11-26 09:05:01:007`, UTC.
    fn timestamp(&self, after_us: u64) -> String {
        let at = self.began.plus(std::time::Duration::from_micros(after_us)).utc();
        format!(
            "{:02}-{:02}-{:02} {:02}:{:02}:{:02}:{:03}",
            at.day(),
            u8::from(at.month()),
            at.year().rem_euclid(100),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

fn error(fault: &TracedFault) -> [(&'static str, String); 3] {
    [
        ("Cause", fault.text.clone()),
        ("fault.name", fault.code.clone()),
        ("failingStep", fault.policy.clone().unwrap_or_default()),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "times of steps are short")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
