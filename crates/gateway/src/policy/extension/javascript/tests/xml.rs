//! `body.asXML` and E4X.

use super::{fault_of, inline, ran};
use crate::testing::*;

const FEED: &str = "<?xml version=\"1.0\"?><rss xmlns:w=\"urn:weather\"><channel><title>Sky &amp; sea</title>\
    <item id=\"1\"><name>one</name><w:condition text=\"Rain\" temp=\"54\"/></item>\
    <item id=\"2\"><name>two</name></item><w:astronomy sunrise=\"6:37 am\"/></channel></rss>";

/// What an expression over `x`, the feed, gives as text.
fn of_feed(expression: &str) -> String {
    let script = format!(
        "request.content = '{FEED}'; var x = request.content.asXML, w = new Namespace('urn:weather');\
         context.setVariable('out', '' + ({expression}));"
    );
    let sent = ran(&script);
    assert!(sent.to.is_some(), "{expression}: {}", sent.body());
    sent.var("out")
}

#[test]
fn a_body_is_xml_and_its_parts_are_reached_by_name() {
    for (expression, value) in [
        ("x.channel.title", "Sky & sea"),
        ("x.name()", "rss"),
        ("x.channel.item.length()", "2"),
        ("x.channel.item[1].name", "two"),
        ("x.channel.item.@id", "12"),
        ("x.channel.item[0].@id", "1"),
        ("x.channel.item[0]['@id'] + x.channel.item[0].@['i' + 'd']", "11"),
        ("x.channel.item.w::condition.@temp.toXMLString()", "54"),
        ("x.channel.w::astronomy.@sunrise", "6:37 am"),
        ("x.channel.condition.length() + x..*::condition.length()", "1"),
        ("x..name.length()", "2"),
        ("x..@id.length()", "2"),
        ("x.channel.item.(@id == 2).name", "two"),
        ("x.channel.item.(name == 'one').@id", "1"),
        ("x.channel.title.text().toUpperCase()", "SKY & SEA"),
        ("x.channel.none.length() + '' + x.channel.none.@none", "0"),
        ("x.channel.none == undefined", "true"),
        ("x.channel.item[5] === undefined", "true"),
        ("x.channel.item[0] == x.channel.item[0].copy()", "true"),
        ("x.channel.item[0] != x.channel.item[1]", "true"),
        ("x.channel.item[0].name == 'one' && x.channel.item[0].@id == 1", "true"),
        ("x.channel.item[0].parent().name() + x.channel.item[1].childIndex()", "channel2"),
        ("x.channel.item[0].name.toXMLString()", "<name>one</name>"),
        ("x.channel.item[1].toXMLString()", "<item id=\"2\">\n  <name>two</name>\n</item>"),
        ("x.channel.*.length() + x.channel.@*.length()", "4"),
        ("x.channel.elements('item').length()", "2"),
        ("x.channel.item[0].hasComplexContent() + '' + x.channel.title.hasSimpleContent()", "truetrue"),
        (
            "x.channel.w::astronomy.name() + x.channel.w::astronomy.namespace()",
            "urn:weather::astronomyurn:weather",
        ),
        ("x.channel.w::astronomy.localName() + x.channel.nodeKind()", "astronomyelement"),
        ("(x instanceof XML) + typeof String(x.channel.title)", "truestring"),
        ("JSON.stringify({t: x.channel.title})", r#"{"t":"Sky & sea"}"#),
    ] {
        assert_eq!(of_feed(expression), value, "{expression}");
    }
}

#[test]
fn parts_are_gone_through_one_by_one() {
    assert_eq!(
        of_feed(
            "(function () { var out = ''; for each (var i in x.channel.item) out += i.@id + i.name; return out })()"
        ),
        "1one2two"
    );
    assert_eq!(
        of_feed("(function () { var out = ''; for (var i in x.channel.item) out += i; return out })()"),
        "01"
    );
}

#[test]
fn xml_is_written_in_the_script_and_changed() {
    let sent = ran("var name = 'A & B', x = <order id={7}>\n  <to>{name}</to>\n</order>;\
         x.to.@kind = 'c'; x.line = 'first'; x.appendChild(<line n=\"2\"/>); x.line[0].@n = 1; x.note = <note><by>me</by></note>;\
         delete x.@id; x.prependChild(<head/>); x.line += <line>third</line>; x.note.by = 'you'; x.head = '';\
         context.setVariable('out', x.toXMLString()); context.setVariable('as', x.to);");
    assert_eq!(
        sent.var("out"),
        "<order>\n  <head/>\n  <to kind=\"c\">A &amp; B</to>\n  <line n=\"1\">first</line>\n  <line n=\"2\"/>\n  \
         <line>third</line>\n  <note>\n    <by>you</by>\n  </note>\n</order>"
    );
    assert_eq!(sent.var("as"), "A & B");
}

#[test]
fn a_default_namespace_holds_for_one_run() {
    let xml = inline(
        "var x = new XML('<a xmlns=\"u\"><b>1</b></a>'); context.setVariable('before', x.b.length());\
         default xml namespace = 'u'; context.setVariable('after', x.b + '');",
    );
    let bench = Bench::new(&design().step(&xml));
    for _ in 0..3 {
        let sent = bench.get("/p");
        assert_eq!([sent.var("before"), sent.var("after")], ["0", "1"]);
    }
}

#[test]
fn what_is_no_xml_is_a_fault() {
    for script in [
        "request.content = 'x'; request.content.asXML",
        "request.content = '<a>'; request.content.asXML",
        "new XML('<a/><b/>')",
        "new XML('<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>')",
        "var x = <a/>; x.b.c()",
    ] {
        assert_eq!(fault_of(script).0, "steps.javascript.ScriptExecutionFailed", "{script}");
    }
}

#[test]
fn a_body_that_is_read_as_xml_stays_as_it_is() {
    let sent = ran(&format!("request.content = '{FEED}'; request.content.asXML.channel.title = 'x';"));
    assert_eq!(sent.var("request.content"), FEED);
    let sent = ran(
        "request.content = '<a><b>1</b></a>'; var x = request.content.asXML; x.b = 2; request.content = x;",
    );
    assert_eq!(sent.var("request.content"), "<a>\n  <b>2</b>\n</a>");
}

#[test]
fn e4x_beyond_the_subset_degrades_the_proxy_and_is_named() {
    let design = design()
        .resource("jsc", "main.js", "var ok = 1;\nvar x = <a/>;\nx.inScopeNamespaces();")
        .step("<Javascript><ResourceURL>jsc://main.js</ResourceURL></Javascript>");
    let proxy = compiled(&design);
    assert!(proxy.is_degraded());
    let reason = &proxy.degradations[0].reason;
    assert!(reason.contains("main.js, line 3: E4X") && reason.contains("inScopeNamespaces"), "{reason}");
}
