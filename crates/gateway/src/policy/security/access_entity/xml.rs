//! Entities as XML documents. Unsourced: names and order of the elements, apart from those that public bundles read.

use quick_xml::escape::escape;

use crate::snapshot::{ApiKey, ApiProduct, Attributes, Developer};

struct Document(String);

impl Document {
    fn new(root: &str) -> Self {
        Self(format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><{root}>"))
    }

    fn text(mut self, name: &str, text: &str) -> Self {
        self.0.push_str(&format!("<{name}>{}</{name}>", escape(text)));
        self
    }

    fn list<'t>(mut self, name: &str, item: &str, texts: impl Iterator<Item = &'t str>) -> Self {
        self.0.push_str(&format!("<{name}>"));
        for text in texts {
            self = self.text(item, text);
        }
        self.0.push_str(&format!("</{name}>"));
        self
    }

    fn attributes(mut self, attributes: &Attributes) -> Self {
        let mut sorted: Vec<_> = attributes.iter().collect();
        sorted.sort();
        self.0.push_str("<Attributes>");
        for (name, value) in sorted {
            self.0.push_str("<Attribute>");
            self = self.text("Name", name).text("Value", value);
            self.0.push_str("</Attribute>");
        }
        self.0.push_str("</Attributes>");
        self
    }

    fn end(mut self, root: &str) -> String {
        self.0.push_str(&format!("</{root}>"));
        self.0
    }
}

pub(super) fn developer(developer: &Developer) -> String {
    Document::new("Developer")
        .text("Email", &developer.email)
        .text("FirstName", &developer.first_name)
        .text("LastName", &developer.last_name)
        .text("UserName", &developer.user_name)
        .text("DeveloperId", &developer.id)
        .text("Status", developer.standing.as_activity())
        .list("Apps", "App", developer.apps.iter().map(|app| &**app))
        .attributes(&developer.attributes)
        .end("Developer")
}

pub(super) fn app(key: &ApiKey) -> String {
    let app = &*key.app;
    let products = key.products.iter().map(|(product, _)| &*product.name);
    Document::new("App")
        .text("AccessType", &app.access_type)
        .list("ApiProducts", "ApiProduct", products)
        .text("AppId", &app.id)
        .text("AppType", &app.app_type)
        .text("CallbackUrl", &app.callback_url)
        .text("DeveloperId", app.developer.as_ref().map_or("", |developer| &developer.id))
        .text("Name", &app.name)
        .text("DisplayName", &app.display_name)
        .text("Status", app.standing.as_str())
        .attributes(&app.attributes)
        .end("App")
}

/// Its secret is not shown.
pub(super) fn key(key: &ApiKey, sent: Option<&str>) -> String {
    let products = key.products.iter().map(|(product, _)| &*product.name);
    let document = Document::new("ConsumerKey");
    let document = match sent {
        Some(sent) => document.text("ConsumerKey", sent),
        None => document,
    };
    document
        .list("ApiProducts", "ApiProduct", products)
        .text("AppId", &key.app.id)
        .text("Status", key.standing.as_str())
        .attributes(&key.attributes)
        .end("ConsumerKey")
}

pub(super) fn product(product: &ApiProduct) -> String {
    let texts = |all: &[Box<str>]| all.iter().map(|one| one.to_string()).collect::<Vec<_>>();
    let (proxies, environments, scopes) =
        (texts(&product.proxies), texts(&product.environments), texts(&product.scopes));
    let mut document = Document::new("ApiProduct")
        .text("Name", &product.name)
        .text("DisplayName", &product.display_name)
        .list("Proxies", "Proxy", proxies.iter().map(String::as_str))
        .list("Environments", "Environment", environments.iter().map(String::as_str))
        .list("Scopes", "Scope", scopes.iter().map(String::as_str));
    if let Some(quota) = &product.quota {
        document = document
            .text("Quota", &quota.limit)
            .text("QuotaInterval", &quota.interval)
            .text("QuotaTimeUnit", &quota.time_unit);
    }
    document.attributes(&product.attributes).end("ApiProduct")
}
