//! What the policies of a design refer to outside of it.

use super::ProxyDesign;
use crate::policy::Element;

impl ProxyDesign {
    /// Names of the API providers that ServiceCallout and OpenConnectorCallout policies call, in the order of
    /// the design. A policy that does not parse names none.
    pub fn callout_providers(&self) -> Vec<String> {
        let calls = self
            .policies
            .iter()
            .filter(|policy| matches!(&*policy.kind, "ServiceCallout" | "OpenConnectorCallout"))
            .filter_map(|policy| Element::parse(&policy.xml).ok());
        let mut names = Vec::new();
        for root in calls {
            let places = [Some(&root), root.child("HTTPTargetConnection")];
            let named = places.into_iter().flatten().filter_map(|place| place.child("APIProvider"));
            names.extend(named.map(|name| name.text().to_owned()).filter(|name| !name.is_empty()));
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::design;

    #[test]
    fn the_providers_of_callouts_are_named() {
        let design = design()
            .policy("A", "<ServiceCallout><HTTPTargetConnection><APIProvider> a </APIProvider></HTTPTargetConnection></ServiceCallout>")
            .policy("B", "<OpenConnectorCallout><APIProvider>b</APIProvider></OpenConnectorCallout>")
            .policy("C", "<ServiceCallout><HTTPTargetConnection><URL>http://x</URL></HTTPTargetConnection></ServiceCallout>")
            .policy("D", "<ServiceCallout>")
            .policy("E", "<RaiseFault><APIProvider>e</APIProvider></RaiseFault>");
        assert_eq!(design.callout_providers(), ["a", "b"]);
    }
}
