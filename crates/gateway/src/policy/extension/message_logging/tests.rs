use crate::logging::{LogDestination, LogFolder, LogLine, Rotation, SyslogTransport};
use crate::testing::*;

fn policy(inside: &str) -> String {
    format!(
        "<MessageLogging><Syslog><Message>m {{request.verb}}|{{none}}</Message>{inside}</Syslog></MessageLogging>"
    )
}

fn logged(xml: &str) -> LogLine {
    let bench = Bench::new(&design().step(xml));
    let sent = bench.get("/p");
    assert!(!sent.is_answered(), "{}", sent.body());
    let mut lines = bench.outside.logged.borrow_mut();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn text(xml: &str) -> String {
    String::from_utf8(logged(xml).text.to_vec()).unwrap()
}

fn to(xml: &str) -> (String, u16, SyslogTransport) {
    match &*logged(xml).to {
        LogDestination::Syslog { host, port, transport } => (host.to_string(), *port, transport.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_goes_to_the_usual_place_with_a_short_head() {
    assert_eq!(text(&policy("")), "<14>Jun 06 18:54:51 Apigee m GET|");
    assert_eq!(to(&policy("")), ("localhost".into(), 514, SyslogTransport::Udp));
}

#[test]
fn a_formatted_line_has_date_and_id() {
    let line = text(&policy("<FormatMessage>true</FormatMessage>"));
    let (head, rest) = line.split_at("<14>1 2017-06-06T18:54:51.007+0000 ".len());
    assert_eq!(head, "<14>1 2017-06-06T18:54:51.007+0000 ");
    let (id, message) = rest.split_once(' ').unwrap();
    assert_eq!((id.len(), message), (24, "Apigee - - - m GET|"));
}

#[test]
fn the_payload_alone_can_be_sent() {
    let line = text(&policy("<FormatMessage>true</FormatMessage><PayloadOnly>true</PayloadOnly>"));
    assert_eq!(line, "m GET|");
}

#[test]
fn the_date_can_have_another_form() {
    let line = text(&policy("<DateFormat>yyyy/MM/dd</DateFormat>"));
    assert_eq!(line, "<14>2017/06/06 Apigee m GET|");
}

#[test]
fn the_level_is_the_severity() {
    for (level, head) in [("ALERT", "<9>"), ("ERROR", "<11>"), ("WARN", "<12>"), ("INFO", "<14>")] {
        let xml = policy("").replace("<Syslog>", &format!("<logLevel>{level}</logLevel><Syslog>"));
        assert!(text(&xml).starts_with(head), "{level}");
    }
}

#[test]
fn host_port_and_protocol_are_chosen() {
    let tcp = policy("<Host>log.example</Host><Port>6514</Port><Protocol>TCP</Protocol>");
    assert_eq!(to(&tcp), ("log.example".into(), 6514, SyslogTransport::Tcp));
    let off = policy("<Protocol>TCP</Protocol><SSLInfo><Enabled>false</Enabled></SSLInfo>");
    assert_eq!(to(&off).2, SyslogTransport::Tcp);
}

#[test]
fn tls_is_spoken_over_tcp() {
    let tls = |info: &str| {
        policy(&format!("<Protocol>TCP</Protocol><SSLInfo><Enabled>true</Enabled>{info}</SSLInfo>"))
    };
    assert_eq!(to(&tls("")).2, SyslogTransport::Tls { trust_all: false, identity: None });
    let trusting = tls("<IgnoreValidationErrors>true</IgnoreValidationErrors>");
    assert_eq!(to(&trusting).2, SyslogTransport::Tls { trust_all: true, identity: None });
    assert!(compiled(&design().step(&tls("<TrustStore>mine</TrustStore>"))).is_degraded());
}

#[test]
fn a_callers_line_ends_begin_no_line_of_the_log() {
    let xml = "<MessageLogging><BufferMessage>true</BufferMessage><Syslog><Message>{request.content}</Message><PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>";
    let bench = Bench::new(&design().step(xml));
    bench.send(request(http::Method::POST, "/p", &[], "a\r\n<14>forged\u{0}b"));
    assert_eq!(&bench.outside.logged.borrow()[0].text[..], b"a  <14>forged b");
}

#[test]
fn a_line_that_is_too_long_is_cut() {
    let xml = "<MessageLogging><Syslog><Message>{request.content}</Message><PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>";
    let bench = Bench::new(&design().step(xml));
    bench.send(request(http::Method::POST, "/p", &[], &"é".repeat(100_000)));
    assert_eq!(bench.outside.logged.borrow()[0].text.len(), LogLine::MOST_BYTES);
}

#[test]
fn a_message_that_cannot_be_made_fails_the_step() {
    // Each doubling of a variable is a step: 20 bytes become more than a template may give.
    let mut design = design().policy(
        "Grow",
        "<AssignMessage><AssignVariable><Name>big</Name><Template>{big}{big}{big}{big}{big}{big}{big}{big}{firstnonnull(big,'12345678')}</Template></AssignVariable><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>",
    );
    for _ in 0..7 {
        design.proxy().flows.pre.request.push(step("Grow"));
    }
    let message = "{big}".repeat(10);
    let design = design
        .step(&format!("<MessageLogging><Syslog><Message>{message}</Message></Syslog></MessageLogging>"));
    let sent = Bench::new(&design).get("/p");
    assert_eq!(
        (sent.status(), sent.code().as_str()),
        (500, "steps.messagelogging.StepDefinitionExecutionFailed")
    );
    assert_eq!([sent.var("messagelogging.failed"), sent.var("messagelogging.s1.failed")], ["true", "true"]);
}

#[test]
fn a_cloud_log_is_the_programs_own() {
    let line = logged(
        "<MessageLogging><CloudLogging><LogName>projects/{organization.name}/logs/a</LogName>\
         <Message contentType='application/json'>{\"verb\":\"{request.verb}\"}</Message>\
         <Labels><Label><Key>k</Key><Value>{request.verb}</Value></Label></Labels><ResourceType>api</ResourceType></CloudLogging></MessageLogging>",
    );
    assert_eq!(*line.to, LogDestination::OwnLog { name: "projects/acme/logs/a".into() });
    assert_eq!(&line.text[..], b"{\"verb\":\"GET\"} k=GET");
}

#[test]
fn lines_are_logged_after_the_answer_too() {
    let mut design = design().policy("L", &policy("").replace("{request.verb}", "{response.status.code}"));
    design.proxy().flows.post_client.push(step("L"));
    let bench = Bench::new(&design);
    let mut sent = bench.get("/p").receive(response(201, &[], "x"));
    sent.cx.take_answer();
    on_a_runtime(crate::flow::run_post_client(&mut sent.cx));
    assert!(bench.outside.logged.borrow()[0].text.ends_with(b"m 201|"));
}

fn file(inside: &str) -> String {
    format!(
        "<MessageLogging><File><Message>{{request.verb}}</Message><FileName>a.log</FileName>{inside}</File></MessageLogging>"
    )
}

fn with_a_folder() -> crate::compile::World {
    let mut world = world();
    let clock = std::sync::Arc::new(pierhead_domain::StoppedClock::at(NOW));
    world.log_folder = Some(LogFolder::new("logs", clock));
    world
}

/// What a policy's file is, and its line.
fn filed(inside: &str) -> (String, Rotation, String) {
    let bench = Bench::in_world(&design().step(&file(inside)), &with_a_folder());
    bench.get("/p");
    let line = bench.outside.logged.borrow_mut().remove(0);
    match &*line.to {
        LogDestination::File { file, folder } => {
            assert_eq!(folder.root(), std::path::Path::new("logs"));
            (file.path().to_owned(), file.rotation.clone(), String::from_utf8(line.text.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_goes_to_a_file_of_its_policy() {
    assert_eq!(filed(""), ("acme/test/P/s0/a.log".into(), Rotation::default(), "GET".into()));
}

#[test]
fn a_file_is_put_aside_by_size_by_time_and_when_the_program_begins() {
    let options = |attributes: &str, inside: &str| {
        filed(&format!("<FileRotationOptions {attributes}>{inside}</FileRotationOptions>")).1
    };
    let none = Rotation { at_start: false, bytes: None, millis: None, kept: 5 };
    assert_eq!(
        options(
            "rotateFileOnStartup='true'",
            "<FileRotationType>SIZE</FileRotationType><MaxFileSizeInMB>10</MaxFileSizeInMB><MaxFilesToRetain>7</MaxFilesToRetain>"
        ),
        Rotation { at_start: true, bytes: Some(10 * 1024 * 1024), kept: 7, ..none.clone() }
    );
    for (frequency, millis) in [
        ("<RotationFrequency unit='minute'>10</RotationFrequency>", 600_000),
        ("<RotationFrequency unit='hour'>1</RotationFrequency>", 3_600_000),
        ("<RotationFrequency unit='day'>2</RotationFrequency>", 172_800_000),
    ] {
        let time = options("", &format!("<FileRotationType>TIME</FileRotationType>{frequency}"));
        assert_eq!(time, Rotation { millis: Some(millis), ..none.clone() });
    }
    assert_eq!(
        options(
            "",
            "<FileRotationType>TIME_SIZE</FileRotationType><MaxFileSizeInMB>1</MaxFileSizeInMB><RotationFrequency unit='minute'>1</RotationFrequency>"
        ),
        Rotation { bytes: Some(1024 * 1024), millis: Some(60_000), ..none }
    );
}

#[test]
fn mistakes_about_files_are_told_with_their_rules() {
    let options = |inside: &str| file(&format!("<FileRotationOptions>{inside}</FileRotationOptions>"));
    for (xml, rule) in [
        (file("").replace("a.log", "../a.log"), "InvalidFileName"),
        (file("").replace("a.log", "{request.verb}.log"), "InvalidFileName"),
        (file("").replace("<FileName>a.log</FileName>", ""), "FileNameIsMissing"),
        (file("").replace("<Message>{request.verb}</Message>", ""), "MessageIsMissing"),
        (file("<Folder/>"), "UnknownElement"),
        (options("<FileRotationType>DAILY</FileRotationType>"), "InvalidFileRotation"),
        (options("<FileRotationType>TIME</FileRotationType>"), "InvalidFileRotation"),
        (options("<FileRotationType>SIZE</FileRotationType>"), "InvalidFileRotation"),
        (
            options("<FileRotationType>SIZE</FileRotationType><MaxFileSizeInMB>0</MaxFileSizeInMB>"),
            "InvalidFileRotation",
        ),
        (
            options(
                "<FileRotationType>TIME</FileRotationType><RotationFrequency unit='moon'>1</RotationFrequency>",
            ),
            "InvalidFileRotation",
        ),
        (options("<MaxFilesToRetain>many</MaxFilesToRetain>"), "InvalidFileRotation"),
    ] {
        let found = crate::compile::compile(&design().step(&xml), "1", &with_a_folder());
        let rules: Vec<_> = found.unwrap_err().into_iter().map(|problem| problem.rule).collect();
        assert_eq!(rules, [rule], "{xml}");
    }
}

#[test]
fn without_a_folder_files_degrade_the_step() {
    assert!(compiled(&design().step(&file(""))).is_degraded());
}

#[test]
fn mistakes_in_the_policy_are_told_with_their_rules() {
    for (xml, rule) in [
        ("<MessageLogging/>".to_owned(), "NothingToLog"),
        ("<MessageLogging><Syslog/></MessageLogging>".to_owned(), "MessageIsMissing"),
        (policy("<Protocol>SCTP</Protocol>"), "InvalidProtocol"),
        (policy("<SSLInfo><Enabled>true</Enabled></SSLInfo>"), "InvalidProtocol"),
        (policy("<Port>0</Port>"), "InvalidPort"),
        (policy("<Port>70000</Port>"), "InvalidPort"),
        (policy("<Host>a b</Host>"), "InvalidHost"),
        (policy("<Hosts/>"), "UnknownElement"),
        (policy("").replace("<Syslog>", "<logLevel>LOUD</logLevel><Syslog>"), "InvalidLogLevel"),
        (
            "<MessageLogging><CloudLogging><Message>x</Message></CloudLogging></MessageLogging>".to_owned(),
            "LogNameIsMissing",
        ),
    ] {
        assert_eq!(problem_of(&xml), rule, "{xml}");
    }
}
