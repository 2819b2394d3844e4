use std::sync::Arc;
use std::time::Duration;

use http::Method;
use pierhead_domain::SecretString;

use super::*;
use crate::snapshot::{ApiProduct, KeyTable, LookupHash, ProductOperation, ProductQuota, ResourcePattern};
use crate::testing::*;

const XML: &str = "<VerifyAPIKey><APIKey ref=\"request.queryparam.apikey\"/></VerifyAPIKey>";

fn product() -> ApiProduct {
    ApiProduct {
        name: "gold".into(),
        quota: Some(ProductQuota { limit: "100".into(), interval: "1".into(), time_unit: "minute".into() }),
        attributes: [("tier".into(), "top".into())].into_iter().collect(),
        ..ApiProduct::default()
    }
}

fn key() -> ApiKey {
    let developer = Developer {
        id: "d-1".into(),
        email: "ann@example.com".into(),
        user_name: "ann".into(),
        first_name: "Ann".into(),
        last_name: "Lee".into(),
        apps: vec!["shop".into(), "other".into()],
        attributes: [("team".into(), "blue".into())].into_iter().collect(),
        ..Developer::default()
    };
    let app = DeveloperApp {
        id: "a-1".into(),
        name: "shop".into(),
        display_name: "The shop".into(),
        callback_url: "https://shop.example/cb".into(),
        app_type: "Developer".into(),
        access_type: "read".into(),
        created_at: NOW,
        developer: Some(Arc::new(developer)),
        attributes: [("app-attribute".into(), "yes".into())].into_iter().collect(),
        ..DeveloperApp::default()
    };
    ApiKey {
        standing: Standing::Approved,
        expires_at: None,
        secret: Some(Arc::new(SecretString::from("app-secret"))),
        products: vec![(Arc::new(product()), Standing::Approved)],
        app: Arc::new(app),
        attributes: [("key-attribute".into(), "k".into())].into_iter().collect(),
    }
}

fn hash() -> LookupHash {
    Arc::new(|key| {
        let mut digest = [0; 32];
        for (at, byte) in key.bytes().enumerate() {
            digest[at % 32] ^= byte.rotate_left(3);
        }
        digest
    })
}

fn bench(key: ApiKey) -> Bench {
    Bench::new(&design().step(XML))
        .with(|old| old.with_keys(KeyTable::new(hash(), [(hash()("k-1"), Arc::new(key))])))
}

fn with(change: impl FnOnce(&mut ApiKey)) -> Sent {
    let mut key = key();
    change(&mut key);
    bench(key).get("/p/a/b?apikey=k-1")
}

fn app(change: impl FnOnce(&mut DeveloperApp)) -> Sent {
    with(|key| change(Arc::make_mut(&mut key.app)))
}

fn on_product(change: impl FnOnce(&mut ApiProduct)) -> Sent {
    with(|key| change(Arc::make_mut(&mut key.products[0].0)))
}

#[test]
fn a_good_key_passes_and_sets_every_variable() {
    let sent = with(|_| {});
    assert!(!sent.is_answered());
    for (name, value) in [
        ("client_id", "k-1"),
        ("client_secret", "app-secret"),
        ("redirection_uris", "https://shop.example/cb"),
        ("failed", "false"),
        ("DisplayName", "The shop"),
        ("developer.app.id", "a-1"),
        ("developer.app.name", "shop"),
        ("developer.id", "d-1"),
        ("developer.email", "ann@example.com"),
        ("developer.userName", "ann"),
        ("developer.firstName", "Ann"),
        ("developer.lastName", "Lee"),
        ("developer.status", "active"),
        ("developer.apps", "[shop, other]"),
        ("developer.team", "blue"),
        ("apiproduct.name", "gold"),
        ("apiproduct.developer.quota.limit", "100"),
        ("apiproduct.developer.quota.interval", "1"),
        ("apiproduct.developer.quota.timeunit", "minute"),
        ("apiproduct.tier", "top"),
        ("app.name", "shop"),
        ("app.id", "a-1"),
        ("app.status", "approved"),
        ("app.accessType", "read"),
        ("app.callbackUrl", "https://shop.example/cb"),
        ("app.appType", "Developer"),
        ("app.apiproducts", "[gold]"),
        ("app.created_at", "1496775291007"),
        ("app-attribute", "yes"),
        ("key-attribute", "k"),
        ("no-such", "null"),
    ] {
        assert_eq!(sent.var(&format!("verifyapikey.s0.{name}")), value, "{name}");
    }
    for (name, value) in [
        ("client_id", "k-1"),
        ("apiproduct.name", "gold"),
        ("developer.app.name", "shop"),
        ("developer.id", "d-1"),
    ] {
        assert_eq!(sent.var(name), value, "{name}");
    }
    assert_eq!(sent.var("client_secret"), "null", "the secret has no global name");
}

#[test]
fn fault_failed_to_resolve_api_key_names_the_variable() {
    for path in ["/p", "/p?apikey="] {
        let sent = bench(key()).get(path);
        assert_eq!((sent.status(), sent.code().as_str()), (401, "steps.oauth.v2.FailedToResolveAPIKey"));
        assert!(
            sent.body().contains("Failed to resolve API Key variable request.queryparam.apikey"),
            "{}",
            sent.body()
        );
    }
}

#[test]
fn fault_invalid_api_key_for_unknown_revoked_and_expired_keys() {
    let invalid = |sent: Sent| {
        assert_eq!((sent.status(), sent.code().as_str()), (401, "oauth.v2.InvalidApiKey"));
        assert!(sent.body().contains("\"Invalid ApiKey\""), "{}", sent.body());
        assert_eq!(sent.var("verifyapikey.s0.failed"), "true");
    };
    invalid(bench(key()).get("/p?apikey=k-2"));
    invalid(Bench::new(&design().step(XML)).get("/p?apikey=k-1"));
    invalid(with(|key| key.standing = Standing::Revoked));
    invalid(with(|key| key.standing = Standing::Pending));
    invalid(with(|key| key.expires_at = Some(NOW)));
    assert!(!with(|key| key.expires_at = Some(NOW.plus(Duration::from_millis(1)))).is_answered());
}

#[test]
fn faults_of_app_company_and_developer() {
    for (sent, code) in [
        (
            app(|app| app.standing = Standing::Revoked),
            "keymanagement.service.invalid_client-app_not_approved",
        ),
        (app(|app| app.company = Some(Standing::Revoked)), "keymanagement.service.CompanyStatusNotActive"),
        (
            app(|app| Arc::make_mut(app.developer.as_mut().unwrap()).standing = Standing::Revoked),
            "keymanagement.service.DeveloperStatusNotActive",
        ),
    ] {
        assert_eq!((sent.status(), sent.code().as_str()), (401, code));
    }
}

#[test]
fn fault_consumer_key_missing_api_product_association_is_400() {
    let sent = with(|key| key.products.clear());
    let code = "keymanagement.service.consumer_key_missing_api_product_association";
    assert_eq!((sent.status(), sent.code().as_str()), (400, code));
}

#[test]
fn fault_invalid_api_key_for_given_resource_when_no_product_fits() {
    let refused = |sent: Sent| {
        assert_eq!((sent.status(), sent.code().as_str()), (401, "oauth.v2.InvalidApiKeyForGivenResource"));
        assert!(sent.body().contains("Invalid ApiKey for given resource"));
    };
    refused(with(|key| key.products[0].1 = Standing::Pending));
    refused(on_product(|product| product.proxies = vec!["Q".into()]));
    refused(on_product(|product| product.environments = vec!["prod".into()]));
    refused(on_product(|product| product.resources = vec![ResourcePattern::new("/x/**")]));
    refused(on_product(|product| product.resources = vec![ResourcePattern::new("/*")]));
    let operation = |proxy: &str, resource: &str, methods: &[&str]| ProductOperation {
        proxy: proxy.into(),
        resource: ResourcePattern::new(resource),
        methods: methods.iter().map(|method| (*method).into()).collect(),
    };
    refused(on_product(|product| product.operations = vec![operation("Q", "/", &[])]));
    refused(on_product(|product| product.operations = vec![operation("P", "/", &["POST"])]));
    refused(on_product(|product| product.operations = vec![operation("P", "/x", &[])]));
    let sent = on_product(|product| {
        product.operations = vec![operation("P", "/x", &[]), operation("P", "/a/*", &["GET"])];
    });
    assert!(!sent.is_answered());
    assert_eq!(sent.var("verifyapikey.s0.apiproduct.operation.resource"), "/a/*");
}

#[test]
fn a_product_fits_by_proxy_environment_and_path() {
    for paths in ["/", "*", "/**", "", "/a/**", "/*/b", "/a/b"] {
        let sent = on_product(|product| {
            product.proxies = vec!["Q".into(), "P".into()];
            product.environments = vec!["test".into()];
            product.resources = vec![ResourcePattern::new(paths)];
        });
        assert!(!sent.is_answered(), "{paths}");
    }
}

#[test]
fn the_second_product_may_be_the_one_that_fits() {
    let sent = with(|key| {
        let first = ApiProduct { name: "bronze".into(), proxies: vec!["Q".into()], ..ApiProduct::default() };
        key.products.insert(0, (Arc::new(first), Standing::Approved));
    });
    assert_eq!(sent.var("apiproduct.name"), "gold");
}

#[test]
fn the_key_may_come_from_anywhere() {
    let xml = "<VerifyAPIKey><APIKey ref=\"request.header.x-apikey\"/></VerifyAPIKey>";
    let bench = Bench::new(&design().step(xml))
        .with(|old| old.with_keys(KeyTable::new(hash(), [(hash()("k-1"), Arc::new(key()))])));
    assert!(!bench.send(request(Method::GET, "/p", &[("X-ApiKey", "k-1")], "")).is_answered());
}

#[test]
fn a_cache_expiry_is_read_and_has_no_effect() {
    let xml = XML.replace(
        "</VerifyAPIKey>",
        "<CacheExpiryInSeconds ref=\"a.b\">5</CacheExpiryInSeconds></VerifyAPIKey>",
    );
    let bench = Bench::new(&design().step(&xml))
        .with(|old| old.with_keys(KeyTable::new(hash(), [(hash()("k-1"), Arc::new(key()))])));
    assert!(!bench.get("/p?apikey=k-1").is_answered());
    assert_eq!(problem_of(&xml.replace("ref=\"a.b\"", "of=\"a\"")), "UnknownAttribute");
}

#[test]
fn mistakes_are_found_at_deploy() {
    for (inside, rule) in [
        ("", "SpecifyValueOrRefApiKey"),
        ("<APIKey/>", "SpecifyValueOrRefApiKey"),
        ("<APIKey ref=\"a b\"/>", "InvalidVariableName"),
        ("<APIKey ref=\"a\" header=\"b\"/>", "UnknownAttribute"),
        ("<APIKey ref=\"a\"/><Key/>", "UnknownElement"),
    ] {
        assert_eq!(problem_of(&format!("<VerifyAPIKey>{inside}</VerifyAPIKey>")), rule, "{inside}");
    }
}
