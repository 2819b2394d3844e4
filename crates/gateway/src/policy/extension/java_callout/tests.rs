use crate::testing::*;

const XML: &str = "<JavaCallout timeLimit='500'><ClassName>com.example.Sign</ClassName><ResourceURL>java://sign.jar</ResourceURL>\
                   <Properties><Property name='key'>k-{request.verb}</Property></Properties></JavaCallout>";

#[test]
fn java_degrades_the_proxy_and_says_what_would_help() {
    for xml in [XML, "<JavaCallout/>"] {
        let proxy = compiled(&design().step(xml));
        assert!(proxy.is_degraded());
        assert!(proxy.degradations[0].reason.contains("Java"), "{:?}", proxy.degradations);
    }
    assert!(compiled(&design().step(XML)).degradations[0].reason.contains("jsc://com.example.Sign.js"));
}

#[test]
fn a_script_takes_the_place_of_a_class_with_its_properties() {
    let design = design()
        .resource("jsc", "com.example.Sign.js", "context.setVariable('out', properties.key)")
        .step(XML);
    assert!(!compiled(&design).is_degraded());
    assert_eq!(Bench::new(&design).get("/p").var("out"), "k-GET");
}

#[test]
fn a_substitute_that_does_not_compile_is_told_with_its_line() {
    let design = design().resource("jsc", "com.example.Sign.js", "\nvar = 1").step(XML);
    let found = problems(&design);
    assert_eq!(
        (found[0].part.to_string().as_str(), found[0].line),
        ("resource jsc://com.example.Sign.js", 2)
    );
}
